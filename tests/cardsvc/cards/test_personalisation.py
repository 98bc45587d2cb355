"""Making a card: what the counter sends, what a hostile counter or card sends, and what a tear leaves behind."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy.orm import Session

from cardsvc import cards, residents
from cardsvc.cards import CardState, InvalidMove
from cardsvc.clock import FixedClock
from cardsvc.errors import CityError
from cardsvc.vault import Vault
from crypto import keys, pki
from crypto.pki import CardSlot
from tests.builders import CLERK, OFFICER, CardKeys, make_card, make_resident

RandomBytes = Callable[[int], bytes]


class Counter:
    """A counter of the service's own: the verbs, with the time and the clerk filled in."""

    def __init__(self, session: Session, vault: Vault, clock: FixedClock, random_bytes: RandomBytes) -> None:
        self.session, self.vault, self.clock, self.random_bytes = session, vault, clock, random_bytes

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def order(self) -> cards.Card:
        """An approved card of a new resident."""
        resident = make_resident(self.session, self.now)
        order = cards.request(self.session, resident.id, by=CLERK, now=self.now, random_bytes=self.random_bytes)
        return cards.approve(self.session, order.id, by=OFFICER, now=self.now)

    def begin(self, card_id: UUID) -> cards.Instructions:
        return cards.begin_personalisation(
            self.session, self.vault, card_id, by=CLERK, now=self.now, random_bytes=self.random_bytes
        )

    def certify(self, card_id: UUID, proofs: tuple[cards.KeyProof, ...]) -> cards.Issued:
        return cards.certify(self.session, self.vault, card_id, proofs, now=self.now, random_bytes=self.random_bytes)

    def report_ready(self, card_id: UUID, signature: bytes) -> cards.Card:
        return cards.report_ready(self.session, card_id, signature, by=CLERK, now=self.now)

    def hand_over(self, card_id: UUID, signature: bytes) -> cards.Card:
        return cards.hand_over(self.session, card_id, signature, by=CLERK, now=self.now)


@pytest.fixture
def counter(session: Session, vault: Vault, clock: FixedClock, random_bytes: RandomBytes) -> Counter:
    return Counter(session, vault, clock, random_bytes)


def test_a_card_goes_from_the_order_to_its_holder(counter: Counter) -> None:
    order = counter.order()
    begun = counter.begin(order.id)
    assert begun.expires_on == date(2031, 11, 2)
    assert (begun.algorithm, len(begun.management_key)) == (0x08, 16)
    assert begun.number.startswith("MK-")
    card_keys = CardKeys.make()
    issued = counter.certify(order.id, card_keys.proofs(order.id, begun.challenge))
    assert counter.report_ready(order.id, card_keys.readback(order.id, issued.challenge)).state is CardState.READY
    counter.clock.advance(timedelta(minutes=2))
    active = counter.hand_over(order.id, card_keys.handover(order.id, issued.challenge))
    assert active.state is CardState.ACTIVE
    assert active.handed_over_at == counter.now
    steps = cards.history(counter.session, order.id)
    assert [step.to_state for step in steps] == ["requested", "approved", "personalising", "ready", "active"]
    assert [step.actor for step in steps] == [CLERK, OFFICER, CLERK, CLERK, CLERK]


def test_what_goes_onto_the_card_verifies_under_the_citys_root(counter: Counter) -> None:
    order = counter.order()
    begun = counter.begin(order.id)
    card_keys = CardKeys.make()
    issued = counter.certify(order.id, card_keys.proofs(order.id, begun.challenge))
    authorities = [counter.vault.certificate("card-ca"), counter.vault.certificate("root")]
    for slot in CardSlot:
        certificate = pki.load_certificate(issued.certificates[slot])
        verified = pki.verify_chain(certificate, authorities, counter.now, slot.purpose)
        assert verified.bearer_id == order.id
        assert keys.key_id(verified.public_key) == card_keys.kid(slot)
    chuid = pki.verify_chuid(issued.chuid, authorities, counter.now)
    assert (chuid.guid, chuid.expires_on) == (order.id, begun.expires_on)


def test_the_management_key_is_the_cards_own_and_always_the_same(counter: Counter) -> None:
    one, other = counter.order(), counter.order()
    first = counter.begin(one.id).management_key
    assert counter.begin(one.id).management_key == first
    assert counter.begin(other.id).management_key != first


def test_each_step_asked_again_gives_the_same_answer(counter: Counter) -> None:
    order = counter.order()
    assert cards.approve(counter.session, order.id, by=OFFICER, now=counter.now) == order
    begun = counter.begin(order.id)
    card_keys = CardKeys.make()
    proofs = card_keys.proofs(order.id, begun.challenge)
    issued = counter.certify(order.id, proofs)
    assert counter.certify(order.id, proofs) == issued
    readback = card_keys.readback(order.id, issued.challenge)
    assert counter.report_ready(order.id, readback) == counter.report_ready(order.id, readback)
    handover = card_keys.handover(order.id, issued.challenge)
    assert counter.hand_over(order.id, handover) == counter.hand_over(order.id, handover)
    assert len(cards.history(counter.session, order.id)) == 5


def test_an_order_asked_for_again_is_the_same_order(counter: Counter) -> None:
    order = counter.order()
    again = cards.request(
        counter.session, order.resident_id, by=OFFICER, now=counter.now, random_bytes=counter.random_bytes
    )
    assert again == order


def test_a_torn_card_starts_over_with_a_new_challenge_and_its_old_keys_mean_nothing(counter: Counter) -> None:
    order = counter.order()
    torn_keys, card_keys = CardKeys.make(), CardKeys.make()
    torn = counter.begin(order.id)
    torn_issued = counter.certify(order.id, torn_keys.proofs(order.id, torn.challenge))
    begun = counter.begin(order.id)
    assert begun.attempt == 2
    assert begun.challenge != torn.challenge
    with pytest.raises(cards.NotCertified):
        counter.report_ready(order.id, torn_keys.readback(order.id, torn_issued.challenge))
    issued = counter.certify(order.id, card_keys.proofs(order.id, begun.challenge))
    with pytest.raises(cards.InvalidReadback):
        counter.report_ready(order.id, torn_keys.readback(order.id, torn_issued.challenge))
    with pytest.raises(cards.InvalidReadback):
        counter.report_ready(order.id, torn_keys.readback(order.id, issued.challenge))
    counter.report_ready(order.id, card_keys.readback(order.id, issued.challenge))
    counter.hand_over(order.id, card_keys.handover(order.id, issued.challenge))
    kids = [keyset.kid(CardSlot.CARD_AUTH) for keyset in (torn_keys, card_keys)]
    assert list(cards.keys_by_id(counter.session, kids)) == [kids[1]]
    torn_kids = tuple(sorted(torn_keys.kid(slot) for slot in CardSlot))
    assert cards.denied_key_ids(counter.session, counter.now) == torn_kids
    assert cards.denied_cards(counter.session, counter.now) == ()
    assert cards.denied_key_ids(counter.session, counter.now + timedelta(days=6 * 365)) == ()


def test_a_card_that_was_ready_can_be_made_again_until_it_is_handed_over(counter: Counter) -> None:
    order = counter.order()
    begun, card_keys = counter.begin(order.id), CardKeys.make()
    issued = counter.certify(order.id, card_keys.proofs(order.id, begun.challenge))
    counter.report_ready(order.id, card_keys.readback(order.id, issued.challenge))
    assert counter.begin(order.id).attempt == 2
    with pytest.raises(InvalidMove):
        counter.hand_over(order.id, card_keys.handover(order.id, issued.challenge))


def test_a_card_in_use_is_never_made_again(counter: Counter) -> None:
    resident = make_resident(counter.session, counter.now)
    card = make_card(counter.session, counter.vault, resident.id, counter.now)
    with pytest.raises(InvalidMove):
        counter.begin(card.card_id)
    with pytest.raises(InvalidMove):
        counter.certify(card.card_id, card.keys.proofs(card.card_id, b"?" * 32))


def test_nobody_approves_their_own_request(counter: Counter) -> None:
    resident = make_resident(counter.session, counter.now)
    order = cards.request(counter.session, resident.id, by=CLERK, now=counter.now, random_bytes=counter.random_bytes)
    with pytest.raises(cards.SameApprover):
        cards.approve(counter.session, order.id, by=CLERK, now=counter.now)
    with pytest.raises(InvalidMove):
        counter.begin(order.id)


def test_who_moved_away_gets_no_card(counter: Counter) -> None:
    resident = make_resident(counter.session, counter.now)
    moved = residents.ResidentStatus.MOVED
    residents.change_status(counter.session, resident.id, moved, by=CLERK, reason="to Cebu", now=counter.now)
    with pytest.raises(cards.ResidentNotEligible, match=resident.number):
        cards.request(counter.session, resident.id, by=CLERK, now=counter.now, random_bytes=counter.random_bytes)


# ------------------------------------------------------------------------------------------------------- hostile proofs


@pytest.fixture
def begun(counter: Counter) -> cards.Instructions:
    return counter.begin(counter.order().id)


def refused(counter: Counter, begun: cards.Instructions, proofs: tuple[cards.KeyProof, ...], code: str) -> None:
    """The proofs are refused by this code, and the card has no certificate afterwards."""
    with pytest.raises(CityError) as failure:
        counter.certify(begun.card_id, proofs)
    assert failure.value.code == code
    with pytest.raises(cards.NotCertified):
        counter.report_ready(begun.card_id, bytes(64))


def test_a_proof_by_another_key_is_refused(counter: Counter, begun: cards.Instructions) -> None:
    proofs = CardKeys.make().proofs(begun.card_id, begun.challenge)
    others = CardKeys.make().proofs(begun.card_id, begun.challenge)
    forged = replace(proofs[2], signature=others[2].signature)
    refused(counter, begun, (*proofs[:2], forged), "invalid_possession")


def test_a_replayed_challenge_is_refused(counter: Counter, begun: cards.Instructions) -> None:
    earlier = begun.challenge
    again = counter.begin(begun.card_id)
    refused(counter, again, CardKeys.make().proofs(begun.card_id, earlier), "invalid_possession")


def test_another_cards_proof_is_refused(counter: Counter, begun: cards.Instructions) -> None:
    proofs = CardKeys.make().proofs(counter.order().id, begun.challenge)
    refused(counter, begun, proofs, "invalid_possession")


def test_a_proof_for_another_slot_is_refused(counter: Counter, begun: cards.Instructions) -> None:
    proofs = CardKeys.make().proofs(begun.card_id, begun.challenge)
    swapped = (replace(proofs[0], slot=proofs[1].slot), replace(proofs[1], slot=proofs[0].slot), proofs[2])
    refused(counter, begun, swapped, "invalid_possession")


def test_a_signature_with_high_s_is_refused(counter: Counter, begun: cards.Instructions) -> None:
    proofs = CardKeys.make().proofs(begun.card_id, begun.challenge)
    r, s = proofs[0].signature[:32], int.from_bytes(proofs[0].signature[32:], "big")
    high = replace(proofs[0], signature=r + (keys.ORDER - s).to_bytes(32, "big"))
    refused(counter, begun, (high, *proofs[1:]), "invalid_possession")


def test_a_missing_and_a_doubled_slot_are_refused(counter: Counter, begun: cards.Instructions) -> None:
    proofs = CardKeys.make().proofs(begun.card_id, begun.challenge)
    refused(counter, begun, proofs[:2], "wrong_slots")
    refused(counter, begun, (*proofs, proofs[0]), "wrong_slots")
    refused(counter, begun, (), "wrong_slots")


def test_one_key_in_two_slots_is_refused(counter: Counter, begun: cards.Instructions) -> None:
    same = CardKeys.make().signers[CardSlot.AUTHENTICATION]
    card_keys = CardKeys(dict.fromkeys(CardSlot, same))
    refused(counter, begun, card_keys.proofs(begun.card_id, begun.challenge), "reused_key")


def test_a_key_of_another_card_is_refused(counter: Counter, begun: cards.Instructions) -> None:
    resident = make_resident(counter.session, counter.now)
    other = make_card(counter.session, counter.vault, resident.id, counter.now)
    refused(counter, begun, other.keys.proofs(begun.card_id, begun.challenge), "reused_key")


def test_a_key_of_the_cards_own_failed_attempt_is_refused(counter: Counter, begun: cards.Instructions) -> None:
    card_keys = CardKeys.make()
    counter.certify(begun.card_id, card_keys.proofs(begun.card_id, begun.challenge))
    again = counter.begin(begun.card_id)
    refused(counter, again, card_keys.proofs(begun.card_id, again.challenge), "reused_key")


def test_other_keys_in_an_attempt_that_was_certified_are_refused(counter: Counter, begun: cards.Instructions) -> None:
    counter.certify(begun.card_id, CardKeys.make().proofs(begun.card_id, begun.challenge))
    with pytest.raises(InvalidMove):
        counter.certify(begun.card_id, CardKeys.make().proofs(begun.card_id, begun.challenge))


def test_a_p384_key_is_refused(counter: Counter, begun: cards.Instructions) -> None:
    proofs = CardKeys.make().proofs(begun.card_id, begun.challenge)
    key = ec.generate_private_key(ec.SECP384R1())
    point = key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    statement = cards.possession_statement(begun.card_id, CardSlot.CARD_AUTH, begun.challenge, point)
    foreign = cards.KeyProof(CardSlot.CARD_AUTH, point, key.sign(statement, ec.ECDSA(hashes.SHA256())))
    refused(counter, begun, (*proofs[:2], foreign), "invalid_public_key")


def test_a_point_that_is_not_on_the_curve_is_refused(counter: Counter, begun: cards.Instructions) -> None:
    proofs = CardKeys.make().proofs(begun.card_id, begun.challenge)
    point = proofs[2].point
    for wrong in (point[:-1] + bytes([point[-1] ^ 1]), b"\x04" + bytes(64), b"", point[:33], b"\x00"):
        refused(counter, begun, (*proofs[:2], replace(proofs[2], point=wrong)), "invalid_public_key")


def test_a_readback_signed_by_9c_does_not_make_a_card_ready(counter: Counter, begun: cards.Instructions) -> None:
    card_keys = CardKeys.make()
    issued = counter.certify(begun.card_id, card_keys.proofs(begun.card_id, begun.challenge))
    statement = cards.readback_statement(begun.card_id, issued.challenge)
    with pytest.raises(cards.InvalidReadback):
        counter.report_ready(begun.card_id, card_keys.signers[CardSlot.SIGNATURE].sign(statement))
    assert cards.find(counter.session, begun.card_id).state is CardState.PERSONALISING


def test_a_handover_without_the_pin_key_does_not_make_a_card_active(
    counter: Counter, begun: cards.Instructions
) -> None:
    card_keys = CardKeys.make()
    issued = counter.certify(begun.card_id, card_keys.proofs(begun.card_id, begun.challenge))
    with pytest.raises(InvalidMove):  # not before it is ready
        counter.hand_over(begun.card_id, card_keys.handover(begun.card_id, issued.challenge))
    counter.report_ready(begun.card_id, card_keys.readback(begun.card_id, issued.challenge))
    statement = cards.handover_statement(begun.card_id, issued.challenge)
    for wrong in (
        card_keys.signers[CardSlot.CARD_AUTH].sign(statement),
        card_keys.readback(begun.card_id, issued.challenge),
        card_keys.handover(begun.card_id, begun.challenge),
        b"",
    ):
        with pytest.raises(cards.InvalidHandover):
            counter.hand_over(begun.card_id, wrong)
    assert cards.find(counter.session, begun.card_id).state is CardState.READY
