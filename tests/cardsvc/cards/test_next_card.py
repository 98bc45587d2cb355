"""Who gets the next card: the register is asked at every step, and what ended the card before is not gone round."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from cardsvc import cards, residents
from cardsvc.cards import CardState, OrderKind, RevocationReason
from cardsvc.cards.rules import BulkKind
from cardsvc.clock import FixedClock
from cardsvc.vault import Vault
from tests.builders import CLERK, OFFICER, CardKeys, SoftwareCard, make_card, make_resident, make_staff
from tests.town import Town

RandomBytes = Callable[[int], bytes]
FRAUD = RevocationReason.FRAUD
OFF = [residents.ResidentStatus.MOVED, residents.ResidentStatus.DECEASED]


class Office:
    """A counter with a clerk and an officer. Every step is a minute after the one before."""

    def __init__(self, session: Session, vault: Vault, clock: FixedClock, random_bytes: RandomBytes) -> None:
        self.session, self.vault, self.clock, self.random_bytes = session, vault, clock, random_bytes

    @property
    def now(self) -> datetime:
        return self.clock.advance(timedelta(minutes=1))

    def card(self) -> SoftwareCard:
        return make_card(self.session, self.vault, make_resident(self.session, self.now).id, self.now)

    def order(self, resident_id: UUID, *, checked: bool = False) -> cards.Card:
        return cards.request(
            self.session,
            resident_id,
            by=CLERK,
            now=self.now,
            random_bytes=self.random_bytes,
            identity_checked=checked,
        )

    def renew(self, card: SoftwareCard) -> cards.Card:
        return cards.renew(
            self.session, card.card_id, window_days=9999, by=CLERK, now=self.now, random_bytes=self.random_bytes
        )

    def approve(self, card_id: UUID) -> cards.Card:
        return cards.approve(self.session, card_id, by=OFFICER, now=self.now)

    def begin(self, card_id: UUID) -> cards.Instructions:
        return cards.begin_personalisation(
            self.session, self.vault, card_id, by=CLERK, now=self.now, random_bytes=self.random_bytes
        )

    def revoke(self, card_id: UUID, reason: RevocationReason) -> None:
        cards.revoke(self.session, card_id, reason=reason, by=OFFICER, now=self.now)

    def leaves(self, resident_id: UUID, status: residents.ResidentStatus) -> None:
        residents.change_status(self.session, resident_id, status, by=CLERK, reason="papers", now=self.now)


@pytest.fixture
def office(session: Session, vault: Vault, clock: FixedClock, random_bytes: RandomBytes) -> Office:
    return Office(session, vault, clock, random_bytes)


@pytest.mark.parametrize("reason", [FRAUD, RevocationReason.DECEASED, RevocationReason.MOVED])
def test_a_plain_order_does_not_go_round_what_follows_from_a_revocation(
    office: Office, reason: RevocationReason
) -> None:
    old = office.card()
    office.revoke(old.card_id, reason)
    with pytest.raises(cards.IdentityNotChecked):
        office.order(old.resident_id)
    order = office.order(old.resident_id, checked=True)
    assert cards.history(office.session, order.id)[0].reason == f"identified anew after {reason}"


def test_a_withdrawn_order_does_not_hide_a_fraud_and_a_card_handed_over_since_ends_the_matter(office: Office) -> None:
    old = office.card()
    office.revoke(old.card_id, FRAUD)
    first = office.order(old.resident_id, checked=True)
    office.revoke(first.id, RevocationReason.WITHDRAWN)
    with pytest.raises(cards.IdentityNotChecked):
        office.order(old.resident_id)
    office.approve(office.order(old.resident_id, checked=True).id)
    new = make_card_of(office, old.resident_id)
    assert office.renew(new).order_kind is OrderKind.RENEWAL
    office.revoke(new.card_id, RevocationReason.LOST)
    assert office.order(old.resident_id).state is CardState.REQUESTED


def test_an_older_lost_card_is_no_way_round_a_later_fraud(office: Office) -> None:
    lost = office.card()
    office.revoke(lost.card_id, RevocationReason.LOST)
    office.approve(office.order(lost.resident_id).id)
    office.revoke(make_card_of(office, lost.resident_id).card_id, FRAUD)
    with pytest.raises(cards.IdentityNotChecked):
        cards.replace(
            office.session,
            lost.card_id,
            reason=RevocationReason.LOST,
            by=CLERK,
            now=office.now,
            random_bytes=office.random_bytes,
        )


def make_card_of(office: Office, resident_id: UUID) -> SoftwareCard:
    """The approved order, made and handed over."""
    order = next(one for one in cards.of_resident(office.session, resident_id) if one.state is CardState.APPROVED)
    card_keys, begun = CardKeys.make(), office.begin(order.id)
    proofs = card_keys.proofs(order.id, begun.challenge)
    issued = cards.certify(
        office.session, office.vault, order.id, proofs, now=office.now, random_bytes=office.random_bytes
    )
    signed = card_keys.readback(order.id, issued.challenge)
    cards.report_ready(office.session, order.id, signed, by=CLERK, now=office.now)
    signed = card_keys.handover(order.id, issued.challenge)
    cards.hand_over(office.session, order.id, signed, by=CLERK, now=office.now)
    return SoftwareCard(order.id, resident_id, card_keys, issued)


@pytest.mark.parametrize("reason", RevocationReason)
def test_a_renewal_on_its_way_stops_with_a_card_that_forbids_the_next(office: Office, reason: RevocationReason) -> None:
    old = office.card()
    coming = office.approve(office.renew(old).id)
    office.revoke(old.card_id, reason)
    after = cards.find(office.session, coming.id)
    if reason in {FRAUD, RevocationReason.DECEASED, RevocationReason.MOVED}:
        assert (after.state, after.revoked_reason) == (CardState.REVOKED, reason)
        assert cards.history(office.session, coming.id)[-1].reason == f"{reason}: with card {old.card_id}"
    else:
        assert after.state is CardState.APPROVED


def test_a_decision_about_many_stops_what_is_on_its_way_to_their_holders(office: Office) -> None:
    old, other = office.card(), office.card()
    coming, fine = office.renew(old), office.renew(other)
    order = cards.BulkOrder(BulkKind.REVOKE, cards.Criteria(card_ids=(old.card_id,)), "forged papers", FRAUD)
    officer = make_officer(office)
    proposed, _action = cards.propose_bulk(
        office.session, order, by=officer, now=office.now, random_bytes=office.random_bytes
    )
    done = cards.execute_bulk(
        office.session, proposed.id, list_hash=proposed.list_hash, approver=OFFICER, now=office.now
    )
    assert done.changed == 1
    stopped = cards.find(office.session, coming.id)
    assert (stopped.state, stopped.revoked_reason) == (CardState.REVOKED, FRAUD)
    assert cards.find(office.session, fine.id).state is CardState.REQUESTED


def make_officer(office: Office) -> UUID:
    return UUID(str(make_staff(office.session, office.now, "card_officer").id))


@pytest.mark.parametrize("status", OFF)
def test_the_register_is_asked_again_at_approval_and_at_the_beginning(
    office: Office, status: residents.ResidentStatus
) -> None:
    first, second = (make_resident(office.session, office.now).id for _ in range(2))
    waiting, approved = office.order(first), office.approve(office.order(second).id)
    office.leaves(first, status)
    office.leaves(second, status)
    with pytest.raises(cards.ResidentNotEligible, match=status.value):
        office.approve(waiting.id)
    with pytest.raises(cards.ResidentNotEligible, match=status.value):
        office.begin(approved.id)


@pytest.mark.parametrize("merged", [False, True])
def test_a_finished_card_is_not_handed_over_to_an_entry_that_is_not_active(office: Office, merged: bool) -> None:
    person, other = (make_resident(office.session, office.now).id for _ in range(2))
    order = office.approve(office.order(person).id)
    card_keys, begun = CardKeys.make(), office.begin(order.id)
    proofs = card_keys.proofs(order.id, begun.challenge)
    issued = cards.certify(
        office.session, office.vault, order.id, proofs, now=office.now, random_bytes=office.random_bytes
    )
    signed = card_keys.readback(order.id, issued.challenge)
    cards.report_ready(office.session, order.id, signed, by=CLERK, now=office.now)
    if merged:  # as if the order had been made while the entries became one
        residents.merge(
            office.session, other, person, by=CLERK, reason="one person", now=office.now, holdings=lambda *_: ()
        )
    else:
        office.leaves(person, residents.ResidentStatus.DECEASED)
    signed = card_keys.handover(order.id, issued.challenge)
    with pytest.raises(cards.ResidentNotEligible):
        cards.hand_over(office.session, order.id, signed, by=CLERK, now=office.now)
    assert cards.find(office.session, order.id).state is CardState.READY


def test_the_api_asks_for_the_identity_after_a_fraud(town: Town) -> None:
    ana = town.person()
    town.post(f"/v1/cards/{ana.card.card_id}/revocation", {"reason": "fraud"}, "card_officer")
    asked = {"resident_id": str(ana.resident_id)}
    assert town.post("/v1/cards", asked, "clerk", status=409)["code"] == "identity_not_checked"
    assert town.post("/v1/cards", {**asked, "identity_checked": True}, "clerk", status=201)["state"] == "requested"
