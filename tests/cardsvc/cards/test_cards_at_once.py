"""Two people at two counters, the same thing at the same moment: one of them is first, and nothing is doubled."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from cardsvc import cards, db, residents
from cardsvc.cards import CardState
from cardsvc.clock import FixedClock
from cardsvc.errors import CityError
from cardsvc.vault import Vault
from tests.builders import CLERK, OFFICER, CardKeys, make_card, make_resident

T = TypeVar("T")
RandomBytes = Callable[[int], bytes]
JOSE = residents.Registration("Rizal", "Jose", "Mercado", date(1990, 6, 19), residents.Sex.MALE, "BR-01", "Calamba")


def at_once(engine: Engine, work: Callable[[Session], T], people: int = 4) -> list[T | str]:
    """What each of them got: a result, or the code of a refusal."""
    together = Barrier(people)

    def one(_number: int) -> T | str:
        together.wait()
        try:
            return db.run(engine, work)
        except CityError as refusal:
            return refusal.code

    with ThreadPoolExecutor(people) as pool:
        return list(pool.map(one, range(people)))


def test_one_person_is_registered_once(engine: Engine, clock: FixedClock, random_bytes: RandomBytes) -> None:
    def register(session: Session) -> str:
        made = residents.register(session, JOSE, by=CLERK, now=clock.now(), random_bytes=random_bytes)
        return made.number

    assert sorted(at_once(engine, register)) == [residents.number_of(1), *["duplicate_resident"] * 3]


def test_one_order_is_made(engine: Engine, clock: FixedClock, random_bytes: RandomBytes) -> None:
    resident = db.run(engine, lambda session: make_resident(session, clock.now()))

    def order(session: Session) -> str:
        made = cards.request(session, resident.id, by=CLERK, now=clock.now(), random_bytes=random_bytes)
        return str(made.id)

    assert len(set(at_once(engine, order))) == 1


def test_one_handover_of_two_cards_wins(
    engine: Engine, vault: Vault, clock: FixedClock, random_bytes: RandomBytes
) -> None:
    """The resident's first card is revoked while a second is ready; both are handed over again and again."""
    with db.unit_of_work(engine) as session:
        card = make_card(session, vault, make_resident(session, clock.now()).id, clock.now())
        order = cards.request(session, card.resident_id, by=CLERK, now=clock.now(), random_bytes=random_bytes)
        cards.approve(session, order.id, by=OFFICER, now=clock.now())
        begun = cards.begin_personalisation(
            session, vault, order.id, by=CLERK, now=clock.now(), random_bytes=random_bytes
        )
        new = CardKeys.make()
        proofs = new.proofs(order.id, begun.challenge)
        issued = cards.certify(session, vault, order.id, proofs, now=clock.now(), random_bytes=random_bytes)
        cards.report_ready(session, order.id, new.readback(order.id, issued.challenge), by=CLERK, now=clock.now())

    def hand_over(session: Session) -> str:
        signature = new.handover(order.id, issued.challenge)
        return cards.hand_over(session, order.id, signature, by=CLERK, now=clock.now()).state.value

    assert set(at_once(engine, hand_over)) == {"active_card_exists"}
    lost = cards.RevocationReason.LOST
    db.run(engine, lambda session: cards.revoke(session, card.card_id, reason=lost, by=CLERK, now=clock.now()))
    assert set(at_once(engine, hand_over)) == {"active"}
    with db.unit_of_work(engine, read_only=True) as session:
        assert [step.to_state for step in cards.history(session, order.id)].count(CardState.ACTIVE) == 1
