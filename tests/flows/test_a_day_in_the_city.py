"""One day, from the city's money to the bank's statement, over HTTP; everything is proved again after each step."""

from datetime import timedelta

from crypto.wire.finance import ShiftClosed, ShiftOpened
from crypto.wire.transaction import Purpose
from tests.statements import Booked, camt053
from tests.town import BUS_CENTS, FLOAT_CENTS, Person, Result, Terminal, Town, claim, pay, tap, top_up

PRESENCE, CONSENT = Purpose.PRESENCE, Purpose.CONSENT


def taken(town: Town, *results: Result) -> None:
    """Every one was accepted, with a receipt that verifies offline; and the whole city can be proved."""
    for result in results:
        assert result.outcome == "accepted", result
        assert town.verified(result).outcome == "accepted"
    town.check()


def the_city_gets_its_money(town: Town) -> None:
    town.fund(1_000_000_00, reference="APPROP-1")
    town.withdraw(20_000_00, reference="CASH-1")
    town.check()


def a_shift_takes_cash(town: Town, counter: Terminal, ana: Person, ben: Person) -> None:
    cashier = town.staff("cashier").id
    shift_id = counter.add(ShiftOpened(cashier, FLOAT_CENTS, "PHP"), town.staff_signs("cashier"))
    counter.add(top_up(shift_id, 500_00), ana.signs(PRESENCE))
    counter.add(top_up(shift_id, 20_00), ben.signs(PRESENCE))
    counter.add(ShiftClosed(cashier, shift_id, FLOAT_CENTS + 515_00, "PHP"), town.staff_signs("cashier"))
    taken(town, *counter.send())
    assert town.balance_of("cash:vault", "cash:over-short") == [20_000_00 + 515_00, 5_00]


def rides_are_sent_twice(town: Town, validator: Terminal, ana: Person, ben: Person) -> None:
    for person in (ana, ben, ben):
        validator.add(tap(), person.signs(PRESENCE))
    raw = validator.batch()
    taken(town, *town.send(raw))
    again = town.send(raw)
    assert all(result.replayed for result in again)
    town.check()
    assert (town.balance(ben), town.owed(ben)) == (0, 2 * BUS_CENTS - 20_00)
    assert town.balance_of("revenue:transit:loop") == [3 * BUS_CENTS]


def a_benefit_is_claimed(town: Town, kiosk: Terminal, ana: Person) -> None:
    entitlement = town.cycle(ana, cents=1_500_00)[ana.resident_id]
    town.check()
    taken(town, kiosk.send_one(claim(entitlement, 1_500_00), ana.signs(CONSENT)))


def a_bill_is_paid(town: Town, kiosk: Terminal, ana: Person) -> None:
    [bill] = town.bills("1,200.00", person=ana)
    taken(town, kiosk.send_one(pay(bill), ana.signs(CONSENT)))
    assert town.balance(ana) == 500_00 - BUS_CENTS + 1_500_00 - 1_201_00


def a_debt_is_repaid_by_the_next_top_up(town: Town, ben: Person) -> None:
    counter = town.counter()
    shift_id = town.open_shift(counter)
    taken(town, counter.send_one(top_up(shift_id, 100_00), ben.signs(PRESENCE)))
    assert (town.balance(ben), town.owed(ben)) == (100_00 + 20_00 - 2 * BUS_CENTS, 0)
    taken(town, town.close_shift(counter, shift_id, FLOAT_CENTS + 100_00))


def the_bank_agrees(town: Town) -> None:
    deposit = {"amount_cents": 615_00, "currency": "PHP", "reference": "DEP-1"}
    assert town.act("/v1/finance/deposits", "finance", **deposit)["outcome"] == "accepted"
    town.check()
    day = town.today()
    lines = [
        Booked(day, 1_000_000_00, "APPROP-1"),
        Booked(day, -20_000_00, "CASH-1"),
        Booked(day, 1_500_00, "F-RICE"),
        Booked(day, 615_00, "DEP-1"),
    ]
    answer = town.client.post(
        "/v1/finance/statements", data=camt053("S-1", 0, lines, first=day, last=day), headers=town.token("finance")
    )
    assert answer.status_code == 200, answer.text
    [statement] = answer.get_json()
    assert [line["state"] for line in statement["lines"]] == ["matched"] * 4
    assert statement["difference_cents"] == 0
    trial = town.client.get("/v1/finance/trial-balance", headers=town.token("finance")).get_json()
    assert trial["difference_cents"] == 0
    balances = {line["code"]: line["debit_cents"] - line["credit_cents"] for line in trial["lines"]}
    assert balances["bank:main"] == sum(line.amount_cents for line in lines)
    assert balances["revenue:rpt:basic"] == -1_200_00


def test_a_day_in_the_city(town: Town) -> None:
    town.tariff()
    ana, ben = town.person(), town.person()
    kiosk = town.kiosk()
    the_city_gets_its_money(town)
    a_shift_takes_cash(town, town.counter(), ana, ben)
    rides_are_sent_twice(town, town.validator(), ana, ben)
    a_benefit_is_claimed(town, kiosk, ana)
    a_bill_is_paid(town, kiosk, ana)
    town.clock.advance(timedelta(hours=8))
    a_debt_is_repaid_by_the_next_top_up(town, ben)
    the_bank_agrees(town)
    assert town.check().entries == town.count("entry")
