"""A card in the place of another: renewal within its window, replacement in one visit, what follows a card's end."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cardsvc import access, cards, db, residents
from cardsvc.cards import CardState, NewCard, OrderKind, RevocationReason
from cardsvc.clock import FixedClock
from cardsvc.vault import Vault
from crypto.pki import CardSlot
from tests.builders import CLERK, OFFICER, SoftwareCard, make_card, make_resident

RandomBytes = Callable[[int], bytes]
WINDOW = 90
LOST = RevocationReason.LOST


class Office:
    """A counter with a clerk and an officer; the time is the clock's."""

    def __init__(self, session: Session, vault: Vault, clock: FixedClock, random_bytes: RandomBytes) -> None:
        self.session, self.vault, self.clock, self.random_bytes = session, vault, clock, random_bytes

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def card(self) -> SoftwareCard:
        return make_card(self.session, self.vault, make_resident(self.session, self.now).id, self.now)

    def replace(self, card: SoftwareCard, reason: RevocationReason = LOST, *, checked: bool = False) -> cards.Card:
        return cards.replace(
            self.session,
            card.card_id,
            reason=reason,
            note="says the holder",
            identity_checked=checked,
            by=CLERK,
            now=self.now,
            random_bytes=self.random_bytes,
        )

    def renew(self, card: SoftwareCard) -> cards.Card:
        return cards.renew(
            self.session, card.card_id, window_days=WINDOW, by=CLERK, now=self.now, random_bytes=self.random_bytes
        )

    def finish(self, order: cards.Card) -> SoftwareCard:
        """The rest of the visit: another person approves, the counter makes the card and hands it over."""
        cards.approve(self.session, order.id, by=OFFICER, now=self.now)
        return make_card(self.session, self.vault, order.resident_id, self.now, approved=True)

    def state(self, card: SoftwareCard) -> CardState:
        return cards.find(self.session, card.card_id).state


@pytest.fixture
def office(session: Session, vault: Vault, clock: FixedClock, random_bytes: RandomBytes) -> Office:
    return Office(session, vault, clock, random_bytes)


def test_a_lost_card_is_replaced_in_one_visit_and_its_keys_name_the_same_resident(office: Office) -> None:
    old = office.card()
    order = office.replace(old)
    assert (order.state, order.order_kind, order.replaces) == (CardState.REQUESTED, OrderKind.REPLACEMENT, old.card_id)
    assert office.state(old) is CardState.REVOKED  # before anything else happens
    assert cards.denied_cards(office.session, office.now) == (old.card_id,)
    new = office.finish(order)
    assert new.card_id == order.id
    assert cards.held_by(office.session, [old.resident_id])[old.resident_id].id == new.card_id
    kid = new.keys.kid(CardSlot.SIGNATURE)
    assert cards.keys_by_id(office.session, [kid])[kid].resident_id == old.resident_id
    assert [one.id for one in cards.of_resident(office.session, old.resident_id)].count(old.card_id) == 1
    assert cards.history(office.session, old.card_id)[-1].reason == "lost: says the holder"
    assert cards.history(office.session, new.card_id)[0].reason == f"replacement of card {old.card_id}"


def test_a_replacement_asked_for_again_is_the_same_order_and_keeps_the_first_reason(office: Office) -> None:
    old = office.card()
    order = office.replace(old)
    assert office.replace(old, RevocationReason.DAMAGED) == order
    assert cards.find(office.session, old.card_id).revoked_reason is LOST
    new = office.finish(order)
    assert office.replace(old).id == new.card_id
    assert len(cards.of_resident(office.session, old.resident_id)) == 2


def test_a_card_reported_first_and_replaced_later_keeps_its_reason(office: Office) -> None:
    old = office.card()
    cards.revoke(office.session, old.card_id, reason=RevocationReason.STOLEN, by=CLERK, now=office.now)
    assert office.replace(old).replaces == old.card_id
    assert cards.find(office.session, old.card_id).revoked_reason is RevocationReason.STOLEN


@pytest.mark.parametrize("reason", [RevocationReason.DECEASED, RevocationReason.MOVED, RevocationReason.SUPERSEDED])
def test_who_died_or_moved_away_gets_no_new_card(office: Office, reason: RevocationReason) -> None:
    old = office.card()
    with pytest.raises(cards.NotReplaced, match=reason.value):
        office.replace(old, reason)
    cards.revoke(office.session, old.card_id, reason=reason, by=CLERK, now=office.now)
    with pytest.raises(cards.NotReplaced):  # not by another reason either
        office.replace(old, LOST)


def test_after_fraud_the_person_is_identified_anew_first(office: Office) -> None:
    old = office.card()
    cards.revoke(office.session, old.card_id, reason=RevocationReason.FRAUD, by=CLERK, now=office.now)
    with pytest.raises(cards.IdentityNotChecked):
        office.replace(old, LOST)
    assert office.replace(old, LOST, checked=True).replaces == old.card_id


def test_every_reason_has_its_consequences_and_every_wallet_outlives_its_card() -> None:
    assert set(cards.CONSEQUENCES) == set(RevocationReason)
    refused = {reason for reason, found in cards.CONSEQUENCES.items() if found.new_card is NewCard.REFUSED}
    assert refused == {RevocationReason.DECEASED, RevocationReason.MOVED, RevocationReason.SUPERSEDED}
    assert all(found.wallet and found.card and found.order for found in cards.CONSEQUENCES.values())


def test_an_order_or_a_card_of_somebody_who_holds_another_is_not_replaced(office: Office) -> None:
    old = office.card()
    order = office.replace(old)
    with pytest.raises(cards.InvalidMove):
        cards.replace(office.session, order.id, reason=LOST, by=CLERK, now=office.now, random_bytes=office.random_bytes)
    new = office.finish(order)
    newest = office.finish(office.replace(new))
    with pytest.raises(cards.ActiveCardExists):  # two cards back
        office.replace(old)
    assert office.state(newest) is CardState.ACTIVE


def test_a_resident_off_the_register_gets_no_new_card(office: Office) -> None:
    old = office.card()
    status = residents.ResidentStatus.MOVED
    residents.change_status(office.session, old.resident_id, status, by=CLERK, reason="?", now=office.now)
    with pytest.raises(cards.ResidentNotEligible):
        office.replace(old)


def test_a_card_is_renewed_in_its_last_days_and_not_before(office: Office) -> None:
    old = office.card()
    office.clock.advance(timedelta(days=5 * 365 + 1 - WINDOW - 1))  # a leap day lies between
    with pytest.raises(cards.RenewalTooEarly) as early:
        office.renew(old)
    assert early.value.from_ == date(2031, 8, 4)
    office.clock.advance(timedelta(days=1))
    order = office.renew(old)
    assert (order.order_kind, order.replaces) == (OrderKind.RENEWAL, old.card_id)
    assert office.renew(old) == order


def test_the_old_card_is_good_until_the_new_one_is_handed_over_and_superseded_at_that_moment(office: Office) -> None:
    old = office.card()
    office.clock.advance(timedelta(days=5 * 365 - 30))
    order = office.renew(old)
    assert office.state(old) is CardState.ACTIVE
    new = office.finish(order)
    assert office.state(new) is CardState.ACTIVE
    ended = cards.find(office.session, old.card_id)
    assert (ended.state, ended.revoked_reason) == (CardState.REVOKED, RevocationReason.SUPERSEDED)
    assert ended.blocked_at == cards.find(office.session, new.card_id).handed_over_at
    assert cards.history(office.session, old.card_id)[-1].reason == f"superseded: by card {new.card_id}"
    with pytest.raises(cards.InvalidMove):
        cards.resume(
            office.session, old.card_id, reason="it still works", by=OFFICER, holder_has_it=True, now=office.now
        )


def test_a_suspended_or_expired_card_is_renewed_too_and_a_revoked_one_is_not(office: Office) -> None:
    suspended, expired, revoked = office.card(), office.card(), office.card()
    cards.revoke(office.session, revoked.card_id, reason=LOST, by=CLERK, now=office.now)
    office.clock.advance(timedelta(days=5 * 365))
    cards.suspend(office.session, suspended.card_id, reason="?", by=CLERK, now=office.now)
    assert office.renew(suspended).replaces == suspended.card_id
    office.clock.advance(timedelta(days=60))
    cards.expire_due(office.session, by=CLERK, now=office.now)
    new = office.finish(office.renew(expired))
    assert office.state(expired) is CardState.EXPIRED
    assert office.state(new) is CardState.ACTIVE
    with pytest.raises(cards.InvalidMove):
        office.renew(revoked)


def test_a_card_lost_while_its_renewal_is_on_the_way_is_stopped_and_the_order_goes_on(office: Office) -> None:
    old = office.card()
    office.clock.advance(timedelta(days=5 * 365 - 30))
    order = office.renew(old)
    assert office.replace(old).id == order.id
    assert office.state(old) is CardState.REVOKED
    assert office.state(office.finish(order)) is CardState.ACTIVE
    assert cards.find(office.session, old.card_id).revoked_reason is LOST


def test_an_order_on_its_way_takes_the_place_of_the_card_that_was_lost_meanwhile(office: Office) -> None:
    old = office.card()
    order = cards.request(office.session, old.resident_id, by=CLERK, now=office.now, random_bytes=office.random_bytes)
    assert order.order_kind is OrderKind.FIRST
    same = office.replace(old)
    assert (same.id, same.order_kind, same.replaces) == (order.id, OrderKind.REPLACEMENT, old.card_id)
    assert len(cards.history(office.session, order.id)) == 2


def test_a_stopped_card_signs_nobody_in(office: Office) -> None:
    """What the room of access says of keys: cards tells it of each key of a card that stops."""
    old = office.card()
    assert access.block_keys(office.session, [old.keys.kid(CardSlot.AUTHENTICATION)], office.now) == 0
    office.replace(old)


STOPPED = ["revoked", "expired", "destroyed"]


@pytest.mark.parametrize("to", ["requested", "approved", "personalising", "ready", "active", "suspended"])
def test_the_database_itself_lets_no_stopped_card_come_back(office: Office, to: str) -> None:
    card = office.card()
    cards.revoke(office.session, card.card_id, reason=LOST, by=CLERK, now=office.now)
    change = text("UPDATE card SET state = :to, blocked_at = NULL WHERE id = :id")
    bound = db.Id().process_bind_param(card.card_id, office.session.get_bind().dialect)
    with pytest.raises(IntegrityError), office.session.begin_nested():
        office.session.execute(change, {"to": to, "id": bound})
    cards.destroy(office.session, card.card_id, by=OFFICER, now=office.now)
    with pytest.raises(IntegrityError), office.session.begin_nested():
        office.session.execute(change, {"to": "revoked", "id": bound})
