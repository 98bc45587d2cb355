"""What riders have left, told to the gate that took their taps, and to nobody else."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from cardsvc import wallets
from crypto.wire.transaction import Purpose
from tests.town import BUS_CENTS, Person, Terminal, Town, tap, top_up

P = Purpose.PRESENCE


def answer(town: Town, raw: bytes) -> Any:
    found = town.client.post("/v1/transactions", data=raw, content_type="application/cbor")
    assert found.status_code == 200, found.text
    return found.get_json()


def balances(told: Any) -> list[int | None]:
    return [item["balance_cents"] for item in told["results"]]


@contextmanager
def counted(town: Town) -> Iterator[list[str]]:
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    event.listen(town.city.engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(town.city.engine, "before_cursor_execute", note)


def test_a_gate_is_told_what_is_left_after_all_that_it_sent(town: Town) -> None:
    town.tariff()
    gate, ana, ben = town.validator(), town.rich_person(100_00), town.person()
    for person in (ana, ben, ana):
        gate.add(tap(), person.signs(P))
    gate.add(tap(currency="USD"), ana.signs(P))
    raw = gate.batch()
    told = answer(town, raw)
    left = 100_00 - 2 * BUS_CENTS
    assert balances(told) == [left, 0, left, None]
    assert told["answered_at"] == town.clock.now().isoformat()
    assert balances(answer(town, raw)) == [None] * 4  # who sends the same again is told nothing
    assert town.balance(ana) == left


def test_money_for_rides_is_counted_and_money_for_taxes_is_not(town: Town) -> None:
    town.tariff()
    gate, ana = town.validator(), town.rich_person(100_00)
    programme = {"code": "RIDES", "name": "Rides for students"}
    town.post("/v1/benefits/programmes", programme, "benefits_officer", status=201)
    fund_purse(town, ana, wallets.TRANSIT, 40_00)
    fund_purse(town, ana, wallets.TAX, 70_00)
    gate.add(tap(), ana.signs(P))
    assert balances(answer(town, gate.batch())) == [140_00 - BUS_CENTS]


def fund_purse(town: Town, person: Person, purpose: str, cents: int) -> None:
    fund = "benefits:RIDES:fund"
    town.fund(cents, fund, f"F-{purpose}")
    given = {"name": purpose, "purpose": purpose, "amount_cents": cents, "currency": "PHP", "source": fund}
    assert town.act(f"/v1/wallets/{person.wallet_id}/purses", "treasurer", **given)["outcome"] == "accepted"


def test_other_terminals_are_told_nothing(town: Town) -> None:
    till: tuple[Terminal, Any] = town.till()
    counter, shift_id = till
    counter.add(top_up(shift_id, 100_00), town.person().signs(P))
    assert balances(answer(town, counter.batch())) == [None]


def test_it_takes_as_many_statements_for_many_as_for_one(town: Town) -> None:
    town.tariff()
    gate, people = town.validator(), [town.person() for _ in range(12)]
    asked: list[int] = []
    for count in (1, 1, 12):
        for person in people[:count]:
            gate.add(tap(), person.signs(P))
        raw = gate.batch()
        with counted(town) as statements:
            told = answer(town, raw)
        assert balances(told) == [0] * count
        asked.append(len(statements))
    assert asked[2] == asked[1]
