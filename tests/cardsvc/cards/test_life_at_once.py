"""The life of cards, asked for by several at the same moment: one answer, one order, one card in use."""

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier
from typing import TypeVar

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from cardsvc import access, cards, db
from cardsvc.cards import BulkKind, BulkOrder, CardState, Criteria, Delivery, RevocationReason
from cardsvc.clock import FixedClock
from cardsvc.errors import CityError
from cardsvc.vault import Vault
from tests.builders import CLERK, OFFICER, PASSWORD, SoftwareCard, make_card, make_resident, make_staff

T = TypeVar("T")
RandomBytes = Callable[[int], bytes]


def at_once(engine: Engine, *works: Callable[[Session], T]) -> list[T | str]:
    """What each of them got: a result, or the code of a refusal."""
    together = Barrier(len(works))

    def one(work: Callable[[Session], T]) -> T | str:
        together.wait()
        try:
            return db.run(engine, work)
        except CityError as refusal:
            return refusal.code

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(one, works))


def new_card(engine: Engine, vault: Vault, clock: FixedClock) -> SoftwareCard:
    return db.run(
        engine, lambda session: make_card(session, vault, make_resident(session, clock.now()).id, clock.now())
    )


def test_a_card_replaced_by_four_at_once_has_one_successor(
    engine: Engine, vault: Vault, clock: FixedClock, random_bytes: RandomBytes
) -> None:
    old = new_card(engine, vault, clock)

    def replace(session: Session) -> str:
        lost = RevocationReason.LOST
        made = cards.replace(session, old.card_id, reason=lost, by=CLERK, now=clock.now(), random_bytes=random_bytes)
        return str(made.id)

    answers = at_once(engine, *[replace] * 4)
    assert len(set(answers)) == 1, answers
    found = db.run(engine, lambda session: cards.of_resident(session, old.resident_id), read_only=True)
    assert sorted(card.state for card in found) == [CardState.REQUESTED, CardState.REVOKED]


def test_a_renewal_and_a_replacement_at_once_make_one_order_and_stop_the_card(
    engine: Engine, vault: Vault, clock: FixedClock, random_bytes: RandomBytes
) -> None:
    old = new_card(engine, vault, clock)
    clock.advance(timedelta(days=5 * 365 - 10))

    def renew(session: Session) -> str:
        made = cards.renew(session, old.card_id, window_days=90, by=CLERK, now=clock.now(), random_bytes=random_bytes)
        return str(made.id)

    def replace(session: Session) -> str:
        lost = RevocationReason.LOST
        made = cards.replace(session, old.card_id, reason=lost, by=CLERK, now=clock.now(), random_bytes=random_bytes)
        return str(made.id)

    answers = at_once(engine, renew, replace, renew, replace)
    assert len(set(answers)) == 1, answers
    found = db.run(engine, lambda session: cards.find(session, old.card_id), read_only=True)
    assert found.state is CardState.REVOKED


def test_one_blank_goes_to_one_of_four_cards(
    engine: Engine, vault: Vault, clock: FixedClock, random_bytes: RandomBytes
) -> None:
    def prepare(session: Session) -> list[cards.Card]:
        now = clock.now()
        delivery = Delivery("November", "piv-aes128", "Card Works", date(2026, 11, 1))
        cards.take_in(session, delivery, ["A-1"], by=OFFICER, now=now, random_bytes=random_bytes)
        people = [make_resident(session, now) for _ in range(4)]
        orders = [cards.request(session, one.id, by=CLERK, now=now, random_bytes=random_bytes) for one in people]
        return [cards.approve(session, order.id, by=OFFICER, now=now) for order in orders]

    def begin(order: cards.Card) -> Callable[[Session], str]:
        def work(session: Session) -> str:
            begun = cards.begin_personalisation(
                session, vault, order.id, by=CLERK, now=clock.now(), random_bytes=random_bytes, blank_serial="A-1"
            )
            return str(begun.card_id)

        return work

    orders = db.run(engine, prepare)
    answers = at_once(engine, *[begin(order) for order in orders])
    assert answers.count("blank_in_use") == 3, answers
    blank = db.run(engine, lambda session: cards.blank(session, "A-1"), read_only=True)
    assert str(blank.card_id) in answers


def test_a_decision_about_many_and_single_moves_at_once_leave_whole_histories(
    engine: Engine, vault: Vault, clock: FixedClock, random_bytes: RandomBytes
) -> None:
    mine = [new_card(engine, vault, clock) for _ in range(4)]
    handlers = access.handlers_by_kind(cards.BULK)
    now = clock.now()

    def prepare(session: Session) -> tuple[cards.Bulk, access.StaffMember]:
        one, other = (make_staff(session, now, "card_officer") for _ in range(2))
        order = BulkOrder(BulkKind.SUSPEND, Criteria(product="piv-aes128"), "weak keys")
        proposed, action = cards.propose_bulk(session, order, by=one.id, now=now, random_bytes=random_bytes)
        signature = access.sign_action_as(session, one.id, PASSWORD, action.action_bytes)
        access.sign_action(session, handlers, action.id, by=one.id, signature=signature, now=now)
        return proposed, other

    proposed, other = db.run(engine, prepare)

    def sign(session: Session) -> str:
        action = access.action(session, proposed.id, now)
        signature = access.sign_action_as(session, other.id, PASSWORD, action.action_bytes)
        access.sign_action(session, handlers, action.id, by=other.id, signature=signature, now=now)
        return "signed"

    def revoke(card: SoftwareCard) -> Callable[[Session], str]:
        def work(session: Session) -> str:
            lost = RevocationReason.LOST
            return cards.revoke(session, card.card_id, reason=lost, by=CLERK, now=now).state.value

        return work

    answers = at_once(engine, sign, *[revoke(card) for card in mine[:2]])
    assert answers[0] == "signed"
    assert set(answers[1:]) <= {"revoked", "card_changed"}
    with db.unit_of_work(engine, read_only=True) as session:
        for card in mine:
            steps = cards.history(session, card.card_id)
            assert cards.find(session, card.card_id).state is steps[-1].to_state
            assert all(one.to_state is two.from_state for one, two in itertools.pairwise(steps))


# Where there is one writer, as on SQLite, nothing happens between two statements of a decision.
@pytest.mark.parametrize("backend", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
def test_a_card_resumed_while_a_decision_about_many_is_carried_out_stands_as_it_is(
    engine: Engine, vault: Vault, clock: FixedClock, random_bytes: RandomBytes
) -> None:
    mine = [new_card(engine, vault, clock) for _ in range(2)]
    now = clock.now()

    def prepare(session: Session) -> cards.Bulk:
        order = BulkOrder(BulkKind.SUSPEND, Criteria(card_ids=tuple(card.card_id for card in mine)), "weak keys")
        one = make_staff(session, now, "card_officer")
        return cards.propose_bulk(session, order, by=one.id, now=now, random_bytes=random_bytes)[0]

    proposed = db.run(engine, prepare)
    woken = mine[0].card_id
    db.run(engine, lambda session: cards.suspend(session, woken, reason="lost", by=CLERK, now=now))
    resumed: list[CardState] = []

    def resume(session: Session) -> CardState:
        return cards.resume(session, woken, reason="found", by=OFFICER, now=now, holder_has_it=True).state

    def once_held(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "FOR UPDATE" in statement and not resumed:
            resumed.append(CardState.SUSPENDED)
            resumed[0] = db.run(engine, resume)

    event.listen(engine, "after_cursor_execute", once_held)
    try:
        done = db.run(
            engine,
            lambda session: cards.execute_bulk(
                session, proposed.id, list_hash=proposed.list_hash, approver=OFFICER, now=now
            ),
        )
    finally:
        event.remove(engine, "after_cursor_execute", once_held)
    assert (resumed, done.changed) == ([CardState.ACTIVE], 1)
    with db.unit_of_work(engine, read_only=True) as session:
        states = [cards.find(session, card.card_id).state for card in mine]
    assert states == [CardState.ACTIVE, CardState.SUSPENDED]
