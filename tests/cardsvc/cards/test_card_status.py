"""Stopping cards, finding their keys, and the proof that no verb leaves the table of moves."""

import contextlib
from collections.abc import Callable
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from cardsvc import cards
from cardsvc.cards import Card, CardState, InvalidMove, RevocationReason
from cardsvc.cards.rules import MOVES, Move
from cardsvc.clock import MANILA, FixedClock
from cardsvc.errors import CityError
from cardsvc.vault import Vault
from crypto import keys
from crypto.pki import CardSlot
from tests.builders import CLERK, OFFICER, CardKeys, SoftwareCard, make_card, make_resident

RandomBytes = Callable[[int], bytes]
LAST_MOMENT = datetime(2031, 11, 2, 23, 59, 59, tzinfo=MANILA)
"""Of a card that was made on the day the clock of the tests begins."""


@pytest.fixture
def card(session: Session, vault: Vault, clock: FixedClock) -> SoftwareCard:
    return make_card(session, vault, make_resident(session, clock.now()).id, clock.now())


class Hand:
    """Every verb as something to try on one card, whatever its state; proofs are right where they can be."""

    def __init__(self, session: Session, vault: Vault, clock: FixedClock, random_bytes: RandomBytes) -> None:
        self.session, self.vault, self.clock, self.random_bytes = session, vault, clock, random_bytes
        resident = make_resident(session, clock.now())
        self.keys = CardKeys.make()
        self.challenge = self.readback = bytes(32)
        self.id = cards.request(session, resident.id, by=CLERK, now=clock.now(), random_bytes=random_bytes).id

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def state(self) -> CardState:
        return cards.find(self.session, self.id).state

    def try_(self, move: Move) -> None:
        verbs: dict[Move, Callable[[], object]] = {
            Move.APPROVE: lambda: cards.approve(self.session, self.id, by=OFFICER, now=self.now),
            Move.BEGIN: self.begin,
            Move.READY: self.ready,
            Move.HAND_OVER: lambda: cards.hand_over(
                self.session, self.id, self.keys.handover(self.id, self.readback), by=CLERK, now=self.now
            ),
            Move.SUSPEND: lambda: cards.suspend(self.session, self.id, reason="?", by=CLERK, now=self.now),
            Move.RESUME: lambda: cards.resume(
                self.session, self.id, reason="?", by=CLERK, holder_has_it=True, now=self.now
            ),
            Move.REVOKE: lambda: cards.revoke(
                self.session, self.id, reason=RevocationReason.LOST, by=CLERK, now=self.now
            ),
            Move.EXPIRE: lambda: cards.expire_due(self.session, by=CLERK, now=LAST_MOMENT + timedelta(days=1)),
            Move.DESTROY: lambda: cards.destroy(self.session, self.id, by=CLERK, now=self.now),
        }
        verbs[move]()

    def begin(self) -> None:
        begun = cards.begin_personalisation(
            self.session, self.vault, self.id, by=CLERK, now=self.now, random_bytes=self.random_bytes
        )
        self.challenge, self.keys = begun.challenge, CardKeys.make()

    def ready(self) -> None:
        proofs = self.keys.proofs(self.id, self.challenge)
        issued = cards.certify(self.session, self.vault, self.id, proofs, now=self.now, random_bytes=self.random_bytes)
        self.readback = issued.challenge
        signature = self.keys.readback(self.id, self.readback)
        cards.report_ready(self.session, self.id, signature, by=CLERK, now=self.now)


_WAY_TO: dict[CardState, tuple[Move, ...]] = {
    CardState.REQUESTED: (),
    CardState.APPROVED: (Move.APPROVE,),
    CardState.PERSONALISING: (Move.APPROVE, Move.BEGIN),
    CardState.READY: (Move.APPROVE, Move.BEGIN, Move.READY),
    CardState.ACTIVE: (Move.APPROVE, Move.BEGIN, Move.READY, Move.HAND_OVER),
    CardState.SUSPENDED: (Move.APPROVE, Move.BEGIN, Move.READY, Move.HAND_OVER, Move.SUSPEND),
    CardState.REVOKED: (Move.APPROVE, Move.BEGIN, Move.READY, Move.HAND_OVER, Move.REVOKE),
    CardState.EXPIRED: (Move.APPROVE, Move.BEGIN, Move.READY, Move.HAND_OVER, Move.EXPIRE),
    CardState.DESTROYED: (Move.APPROVE, Move.BEGIN, Move.READY, Move.HAND_OVER, Move.REVOKE, Move.DESTROY),
}


@pytest.mark.parametrize("state", CardState)
def test_no_verb_takes_a_card_where_the_table_does_not(
    session: Session, vault: Vault, clock: FixedClock, random_bytes: RandomBytes, state: CardState
) -> None:
    """Every state is reached and every verb tried in it: by induction, no sequence of verbs leaves the table."""
    for move in Move:
        hand = Hand(session, vault, clock, random_bytes)
        for step in _WAY_TO[state]:
            hand.try_(step)
        assert hand.state() is state
        events = len(cards.history(session, hand.id))
        with contextlib.suppress(CityError):
            hand.try_(move)
        moved = hand.state()
        if state in MOVES[move].from_:
            assert moved is MOVES[move].to
            assert len(cards.history(session, hand.id)) == events + 1
        else:
            assert moved is state
            assert len(cards.history(session, hand.id)) == events


def test_a_suspension_blocks_from_its_moment_and_ends_with_the_resumption(
    session: Session, clock: FixedClock, card: SoftwareCard
) -> None:
    at = clock.advance(timedelta(hours=1))
    cards.suspend(session, card.card_id, reason="left on a bus", by=CLERK, now=at)
    clock.advance(timedelta(hours=1))
    again = cards.suspend(session, card.card_id, reason="left on a bus", by=CLERK, now=clock.now())
    assert (again.state, again.blocked_at) == (CardState.SUSPENDED, at)
    back = cards.resume(session, card.card_id, reason="found", by=CLERK, holder_has_it=True, now=clock.now())
    assert (back.state, back.blocked_at) == (CardState.ACTIVE, None)
    assert [step.reason for step in cards.history(session, card.card_id)][-2:] == [
        "left on a bus",
        "the holder has it: found",
    ]


def test_a_report_about_a_suspended_card_stands_in_its_history(
    session: Session, clock: FixedClock, card: SoftwareCard
) -> None:
    cards.suspend(session, card.card_id, reason="keys to be checked", by=CLERK, now=clock.now())
    later = clock.advance(timedelta(hours=1))
    cards.suspend_own(session, card.resident_id, note="stolen", now=later)
    cards.suspend_own(session, card.resident_id, note="stolen", now=later)  # the answer was lost on the way
    steps = cards.history(session, card.card_id)[-2:]
    assert [(step.to_state, step.reason) for step in steps] == [
        (CardState.SUSPENDED, "keys to be checked"),
        (CardState.SUSPENDED, "reported lost by its holder: stolen"),
    ]


def test_nobody_alone_wakes_a_card_without_saying_that_its_holder_has_it(
    session: Session, clock: FixedClock, card: SoftwareCard
) -> None:
    cards.suspend_own(session, card.resident_id, note="stolen", now=clock.now())
    with pytest.raises(cards.HolderWithoutCard):
        cards.resume(session, card.card_id, reason="keys are fine", by=OFFICER, now=clock.now())
    assert cards.find(session, card.card_id).state is CardState.SUSPENDED


def test_a_card_suspended_and_then_revoked_is_blocked_since_the_suspension(
    session: Session, clock: FixedClock, card: SoftwareCard
) -> None:
    at = clock.now()
    cards.suspend(session, card.card_id, reason="missing", by=CLERK, now=at)
    later = clock.advance(timedelta(days=1))
    revoked = cards.revoke(
        session, card.card_id, reason=RevocationReason.STOLEN, by=CLERK, now=later, note="police report 77"
    )
    assert (revoked.revoked_reason, revoked.blocked_at) == (RevocationReason.STOLEN, at)
    again = cards.revoke(session, card.card_id, reason=RevocationReason.LOST, by=CLERK, now=later)
    assert again == revoked
    assert cards.history(session, card.card_id)[-1].reason == "stolen: police report 77"


def test_a_revoked_card_cannot_be_resumed(session: Session, clock: FixedClock, card: SoftwareCard) -> None:
    cards.revoke(session, card.card_id, reason=RevocationReason.FRAUD, by=CLERK, now=clock.now())
    with pytest.raises(InvalidMove):
        cards.resume(session, card.card_id, reason="please", by=CLERK, holder_has_it=True, now=clock.now())


def test_a_resident_holds_one_card_and_a_new_one_waits_for_the_old_ones_end(
    session: Session, vault: Vault, clock: FixedClock, card: SoftwareCard
) -> None:
    with pytest.raises(cards.ActiveCardExists):
        make_card(session, vault, card.resident_id, clock.now())
    waiting = cards.of_resident(session, card.resident_id)
    assert {one.state for one in waiting} == {CardState.ACTIVE, CardState.READY}
    cards.suspend(session, card.card_id, reason="lost?", by=CLERK, now=clock.now())
    ready = next(one for one in waiting if one.state is CardState.READY)
    cards.revoke(session, ready.id, reason=RevocationReason.WITHDRAWN, by=CLERK, now=clock.now())
    with pytest.raises(cards.ActiveCardExists):  # a suspended card may come back: it still is the resident's card
        make_card(session, vault, card.resident_id, clock.now())
    ready = next(one for one in cards.of_resident(session, card.resident_id) if one.state is CardState.READY)
    cards.revoke(session, ready.id, reason=RevocationReason.WITHDRAWN, by=CLERK, now=clock.now())
    cards.revoke(session, card.card_id, reason=RevocationReason.LOST, by=CLERK, now=clock.now())
    assert cards.held_by(session, [card.resident_id]) == {}
    new = make_card(session, vault, card.resident_id, clock.now())
    assert cards.held_by(session, [card.resident_id])[card.resident_id].id == new.card_id


def test_cards_expire_after_their_printed_day(session: Session, clock: FixedClock, card: SoftwareCard) -> None:
    assert cards.expire_due(session, by=CLERK, now=LAST_MOMENT) == 0
    assert cards.expire_due(session, by=CLERK, now=LAST_MOMENT + timedelta(seconds=1)) == 1
    assert cards.find(session, card.card_id).state is CardState.EXPIRED
    assert cards.expire_due(session, by=CLERK, now=LAST_MOMENT + timedelta(days=1)) == 0


def test_the_deny_list_names_stopped_cards_until_their_day_is_past(
    session: Session, vault: Vault, clock: FixedClock, random_bytes: RandomBytes
) -> None:
    def new() -> SoftwareCard:
        return make_card(session, vault, make_resident(session, clock.now()).id, clock.now())

    _active, suspended, revoked, destroyed = new(), new(), new(), new()
    resident = make_resident(session, clock.now())
    order = cards.request(session, resident.id, by=CLERK, now=clock.now(), random_bytes=random_bytes)
    cards.revoke(session, order.id, reason=RevocationReason.WITHDRAWN, by=CLERK, now=clock.now())
    cards.suspend(session, suspended.card_id, reason="?", by=CLERK, now=clock.now())
    for card in (revoked, destroyed):
        cards.revoke(session, card.card_id, reason=RevocationReason.LOST, by=CLERK, now=clock.now())
    cards.destroy(session, destroyed.card_id, by=CLERK, now=clock.now())  # so somebody says; the lost one may turn up
    expected = tuple(sorted([suspended.card_id, revoked.card_id, destroyed.card_id]))
    assert cards.denied_cards(session, clock.now()) == expected
    assert cards.denied_cards(session, LAST_MOMENT) == expected
    assert cards.denied_cards(session, LAST_MOMENT + timedelta(seconds=1)) == ()


def test_keys_are_found_by_their_ids_with_what_their_card_may_do(
    session: Session, clock: FixedClock, card: SoftwareCard
) -> None:
    kids = [card.keys.kid(slot) for slot in CardSlot]
    found = cards.keys_by_id(session, [*kids, bytes(16), kids[0]])
    assert set(found) == set(kids)
    key = found[card.keys.kid(CardSlot.CARD_AUTH)]
    assert (key.card_id, key.resident_id, key.slot) == (card.card_id, card.resident_id, CardSlot.CARD_AUTH)
    assert (key.state, key.blocked_at) == (CardState.ACTIVE, None)
    assert keys.key_id(key.public_key) == card.keys.kid(CardSlot.CARD_AUTH)
    assert key.not_after.date() == date(2031, 11, 2)
    cards.suspend(session, card.card_id, reason="?", by=CLERK, now=clock.now())
    stopped = cards.keys_by_id(session, kids)[kids[0]]
    assert (stopped.state, stopped.blocked_at) == (CardState.SUSPENDED, clock.now())
    assert cards.keys_by_id(session, []) == {}


def test_a_card_in_the_reader_proves_that_it_is_there_and_in_force(
    session: Session, clock: FixedClock, card: SoftwareCard
) -> None:
    challenge = b"fresh" * 5
    nine_e = card.keys.signers[CardSlot.CARD_AUTH]
    signature = nine_e.sign(cards.presence_statement(card.card_id, challenge))
    found = cards.verify_presence(session, card.card_id, challenge, signature, now=clock.now())
    assert found.id == card.card_id
    with pytest.raises(cards.PresenceNotProven):
        cards.verify_presence(session, card.card_id, b"another" * 4, signature, now=clock.now())
    with pytest.raises(cards.CardNotActive, match="expired"):
        cards.verify_presence(session, card.card_id, challenge, signature, now=clock.now() + timedelta(days=6 * 365))
    cards.suspend(session, card.card_id, reason="?", by=CLERK, now=clock.now())
    with pytest.raises(cards.CardNotActive, match="suspended"):
        cards.verify_presence(session, card.card_id, challenge, signature, now=clock.now())


def test_a_card_that_does_not_exist_is_not_found(session: Session, clock: FixedClock) -> None:
    with pytest.raises(cards.CardNotFound):
        cards.find(session, UUID(int=4))
    with pytest.raises(cards.CardNotFound):
        cards.report_ready(session, UUID(int=4), b"", by=CLERK, now=clock.now())


def test_cards_are_listed_by_state_in_pages(session: Session, clock: FixedClock, random_bytes: RandomBytes) -> None:
    orders = {
        cards.request(
            session, make_resident(session, clock.now()).id, by=CLERK, now=clock.now(), random_bytes=random_bytes
        ).id
        for _ in range(5)
    }
    seen: list[Card] = []
    page = cards.listed(session, state=CardState.REQUESTED, limit=2)
    while True:
        seen += page.cards
        if page.next is None:
            break
        page = cards.listed(session, state=CardState.REQUESTED, after=page.next, limit=2)
    assert len(seen) == 5
    assert {one.id for one in seen} == orders
    assert cards.listed(session, state=CardState.ACTIVE).cards == ()


def test_the_history_of_a_card_cannot_be_rewritten(session: Session, card: SoftwareCard) -> None:
    for statement in ("UPDATE card_event SET reason = 'no'", "DELETE FROM card_event"):
        with pytest.raises(DBAPIError, match="append-only"), session.begin_nested():
            session.execute(text(statement))


def test_the_database_itself_refuses_a_second_card_in_use_and_an_approval_of_ones_own(
    session: Session, vault: Vault, clock: FixedClock, card: SoftwareCard
) -> None:
    other = make_card(session, vault, make_resident(session, clock.now()).id, clock.now())
    with pytest.raises(DBAPIError), session.begin_nested():
        session.execute(
            text("UPDATE card SET resident_id = (SELECT resident_id FROM card WHERE expires_on IS NOT NULL LIMIT 1)")
        )
    with pytest.raises(DBAPIError), session.begin_nested():
        session.execute(text("UPDATE card SET approved_by = requested_by"))
    assert cards.find(session, other.card_id).resident_id != card.resident_id
