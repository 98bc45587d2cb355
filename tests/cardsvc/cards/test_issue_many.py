"""Cards made elsewhere, taken in together: the same proofs, all or none."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from cardsvc import cards, residents
from cardsvc.cards import CardState, IssueReport
from cardsvc.clock import FixedClock
from cardsvc.vault import Vault
from crypto import keys, pki
from crypto.pki import CardSlot
from tests.builders import CLERK, OFFICER, CardKeys, make_card, make_resident

RandomBytes = Callable[[int], bytes]


class Bureau:
    """Makes cards outside, and brings them in."""

    def __init__(self, session: Session, vault: Vault, clock: FixedClock, random_bytes: RandomBytes) -> None:
        self.session, self.vault, self.clock, self.random_bytes = session, vault, clock, random_bytes

    def report(self, card_keys: CardKeys | None = None, resident_id: UUID | None = None) -> IssueReport:
        card_keys = card_keys or CardKeys.make()
        card_id = cards.new_card_id(self.random_bytes)
        challenges = cards.batch_challenges(self.vault, card_id)
        return IssueReport(
            card_id,
            resident_id or make_resident(self.session, self.clock.now()).id,
            card_keys.proofs(card_id, challenges.possession),
            card_keys.readback(card_id, challenges.readback),
            card_keys.handover(card_id, challenges.readback),
        )

    def issue(self, *reports: IssueReport) -> list[cards.IssuedCard]:
        return cards.issue_many(
            self.session,
            self.vault,
            reports,
            by=CLERK,
            approver=OFFICER,
            now=self.clock.now(),
            random_bytes=self.random_bytes,
        )

    def refused(self, *reports: IssueReport) -> dict[str, str]:
        """Each row's code; afterwards no card of the batch exists."""
        with pytest.raises(cards.InvalidReport) as failure:
            self.issue(*reports)
        for report in reports:
            assert not [c for c in cards.of_resident(self.session, report.resident_id) if c.id == report.card_id]
        return {row: problems[0].partition(":")[0] for row, problems in failure.value.fields.items()}


@pytest.fixture
def bureau(session: Session, vault: Vault, clock: FixedClock, random_bytes: RandomBytes) -> Bureau:
    return Bureau(session, vault, clock, random_bytes)


def test_a_batch_becomes_active_cards_like_those_of_the_counter(bureau: Bureau) -> None:
    all_keys = [CardKeys.make() for _ in range(20)]
    issued = bureau.issue(*[bureau.report(card_keys) for card_keys in all_keys])
    kids = [card_keys.kid(slot) for card_keys in all_keys for slot in CardSlot]
    found = cards.keys_by_id(bureau.session, kids)
    assert set(found) == set(kids)
    assert {key.state for key in found.values()} == {CardState.ACTIVE}
    authorities = [bureau.vault.certificate("card-ca"), bureau.vault.certificate("root")]
    for card, card_keys in zip(issued, all_keys, strict=True):
        key = found[card_keys.kid(CardSlot.SIGNATURE)]
        assert (key.card_id, key.resident_id, key.slot) == (card.card_id, card.resident_id, CardSlot.SIGNATURE)
        certificate = pki.load_certificate(card.certificates[CardSlot.SIGNATURE])
        verified = pki.verify_chain(certificate, authorities, bureau.clock.now(), CardSlot.SIGNATURE.purpose)
        assert keys.key_id(verified.public_key) == card_keys.kid(CardSlot.SIGNATURE)
        assert pki.verify_chuid(card.chuid, authorities, bureau.clock.now()).guid == card.card_id
    one = cards.find(bureau.session, issued[0].card_id)
    assert (one.requested_by, one.approved_by, one.attempt) == (CLERK, OFFICER, 1)
    steps = cards.history(bureau.session, one.id)
    assert [step.to_state for step in steps] == ["requested", "approved", "personalising", "ready", "active"]
    assert [step.actor for step in steps] == [CLERK, OFFICER, CLERK, CLERK, CLERK]
    cards.suspend(bureau.session, one.id, reason="?", by=CLERK, now=bureau.clock.now())


def test_an_empty_batch_is_nothing(bureau: Bureau) -> None:
    assert bureau.issue() == []


def test_one_bad_card_keeps_all_out_and_every_bad_row_is_named(bureau: Bureau) -> None:
    good, card_keys = bureau.report(), CardKeys.make()
    bad = bureau.report()
    rows = bureau.refused(
        good,
        replace(bad, proofs=good.proofs),
        replace(bureau.report(), readback=bytes(64)),
        replace(bureau.report(), handover=good.handover),
        replace(bureau.report(), proofs=good.proofs[:2]),
        replace(bureau.report(), card_id=good.card_id),
        replace(bureau.report(), card_id=UUID(int=7)),
        bureau.report(resident_id=good.resident_id),
        bureau.report(resident_id=UUID(int=9)),
        replace(bureau.report(), product_name="piv-3des"),
        bureau.report(card_keys),
        bureau.report(card_keys),
    )
    assert rows == {
        "row 2": "invalid_possession",
        "row 3": "invalid_readback",
        "row 4": "invalid_handover",
        "row 5": "wrong_slots",
        "row 6": "invalid_card_id",
        "row 7": "invalid_card_id",
        "row 8": "active_card_exists",
        "row 9": "resident_not_found",
        "row 10": "unknown_card_product",
        "row 12": "reused_key",
    }


def test_what_the_city_knows_already_is_refused(bureau: Bureau) -> None:
    now = bureau.clock.now()
    held = make_card(bureau.session, bureau.vault, make_resident(bureau.session, now).id, now)
    moved = make_resident(bureau.session, now)
    status = residents.ResidentStatus.MOVED
    residents.change_status(bureau.session, moved.id, status, by=CLERK, reason="?", now=now)
    again = bureau.report()
    bureau.issue(again)
    rows = bureau.refused(
        bureau.report(held.keys), bureau.report(resident_id=held.resident_id), bureau.report(resident_id=moved.id)
    )
    assert rows == {"row 1": "reused_key", "row 2": "active_card_exists", "row 3": "resident_not_eligible"}
    bureau.clock.advance(timedelta(hours=1))
    with pytest.raises(cards.InvalidReport, match="None of the cards"):
        bureau.issue(again)


def test_nobody_approves_their_own_batch(bureau: Bureau) -> None:
    with pytest.raises(cards.SameApprover):
        cards.issue_many(
            bureau.session,
            bureau.vault,
            [bureau.report()],
            by=CLERK,
            approver=CLERK,
            now=bureau.clock.now(),
            random_bytes=bureau.random_bytes,
        )
