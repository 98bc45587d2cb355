"""Money for a purpose: from a fund into purses, out of them by a ride and a tax, the rest back to the fund."""

from datetime import timedelta
from typing import Any

from cardsvc import finance, ledger, transactions, wallets
from crypto.wire.transaction import Purpose
from tests.builders import PASSWORD
from tests.town import BUS_CENTS, Person, Town, pay, tap

FUND = "benefits:RIDES:fund"
P = Purpose.PRESENCE


def a_fund(town: Town, cents: int = 10_000_00) -> None:
    town.post(
        "/v1/benefits/programmes", {"code": "RIDES", "name": "Rides for students"}, "benefits_officer", status=201
    )
    town.fund(cents, FUND, "F-RIDES")


def give(town: Town, person: Person, name: str, cents: int, *, purpose: str = "transit", days: int | None = 5) -> Any:
    until = None if days is None else (town.clock.now() + timedelta(days=days)).isoformat()
    given = {"name": name, "purpose": purpose, "amount_cents": cents, "currency": "PHP", "source": FUND}
    dated = {} if until is None else {"expires_at": until}
    return town.act(f"/v1/wallets/{person.wallet_id}/purses", "treasurer", **given, **dated)


def inside(town: Town, person: Person) -> dict[str, int]:
    found = town.run(lambda session: wallets.purses(session, person.wallet_id))
    return {purse.name: purse.balance_cents for purse in found}


def desk(town: Town) -> transactions.Desk:
    return transactions.Desk(town.city.handlers.registry, town.city.vault, town.city.random_bytes)


def return_purses(town: Town) -> int:
    return town.run(lambda session: finance.return_purses(session, desk(town), town.clock.now()))


def test_a_ride_is_split_over_three_purses_and_what_expires_returns_to_its_fund(town: Town) -> None:
    town.tariff()
    a_fund(town)
    person = town.person()
    soon, later, anything = 4_00, 3_00, BUS_CENTS
    for name, cents, purpose, days in (
        ("any", anything, "any", 2),
        ("later", later, "transit", 9),
        ("soon", soon, "transit", 5),
    ):
        assert give(town, person, name, cents, purpose=purpose, days=days)["outcome"] == "accepted"
    gate = town.validator()
    result = gate.send_one(tap(), person.signs(P))
    assert result.outcome == "accepted"
    assert town.verified(result).amount_cents == BUS_CENTS
    assert inside(town, person) == {"any": soon + later, "main": 0}

    [line, *_] = town.run(lambda session: wallets.statement(session, person.wallet_id)).lines
    assert (line.kind, line.amount_cents) == (ledger.EntryKind.TAP, -BUS_CENTS)
    split = [(part.name, part.amount_cents) for part in line.parts]
    assert split == [("soon", -soon), ("later", -later), ("any", soon + later - BUS_CENTS)]

    before = town.balance_of(FUND)[0]
    town.clock.advance(timedelta(days=2) + wallets.RETURN_AFTER - timedelta(milliseconds=1))
    assert return_purses(town) == 0
    town.clock.advance(timedelta(milliseconds=1))
    assert return_purses(town) == 1
    assert return_purses(town) == 0
    assert town.balance_of(FUND)[0] - before == soon + later
    assert inside(town, person) == {"main": 0}
    town.check()


def test_a_ride_made_before_the_end_is_honoured_and_one_made_at_it_is_owed(town: Town) -> None:
    town.tariff()
    a_fund(town)
    person = town.person()
    assert give(town, person, "rides", 2 * BUS_CENTS, days=1)["outcome"] == "accepted"
    end = town.clock.now() + timedelta(days=1)
    gate = town.validator()
    gate.add(tap(), person.signs(P), at=end - timedelta(milliseconds=1))
    gate.add(tap(), person.signs(P), at=end)
    town.clock.advance(timedelta(days=3))
    assert [result.outcome for result in gate.send()] == ["accepted", "accepted"]
    assert (inside(town, person)["rides"], town.owed(person)) == (BUS_CENTS, BUS_CENTS)
    town.check()


def test_a_ride_that_arrives_after_the_money_returned_is_owed(town: Town) -> None:
    town.tariff()
    a_fund(town)
    person = town.person()
    assert give(town, person, "rides", BUS_CENTS, days=1)["outcome"] == "accepted"
    gate = town.validator()
    gate.add(tap(), person.signs(P))
    town.clock.advance(timedelta(days=1) + wallets.RETURN_AFTER)
    assert return_purses(town) == 1
    assert [result.outcome for result in gate.send()] == ["accepted"]
    assert town.owed(person) == BUS_CENTS
    town.check()


def test_a_tax_is_not_paid_with_money_for_rides(town: Town) -> None:
    a_fund(town)
    person = town.rich_person(50_00)
    assert give(town, person, "rides", 100_00)["outcome"] == "accepted"
    assert give(town, person, "home", 60_00, purpose="tax", days=None)["outcome"] == "accepted"
    [bill] = town.bills("79.00", person=person)
    assert town.kiosk().send_one(pay(bill), person.signs(Purpose.CONSENT)).outcome == "accepted"
    assert inside(town, person) == {"rides": 100_00, "main": 30_00}
    [late] = town.bills("79.00", person=person, prefix="C")
    assert town.kiosk().send_one(pay(late), person.signs(Purpose.CONSENT)).reason == "insufficient_funds"
    town.check()


def test_a_purse_keeps_its_purpose_end_and_source(town: Town) -> None:
    a_fund(town)
    person = town.person()
    assert give(town, person, "rides", 5_00)["outcome"] == "accepted"
    assert give(town, person, "rides", 5_00)["outcome"] == "accepted"
    other = give(town, person, "rides", 5_00, purpose="any")
    assert (other["outcome"], other["reason"]) == ("rejected", "already_done")
    assert inside(town, person) == {"rides": 10_00, "main": 0}
    town.check()


def test_a_purse_is_funded_from_a_fund_that_has_the_money_and_not_for_a_time_that_is_over(town: Town) -> None:
    a_fund(town, 10_00)
    person = town.person()
    assert give(town, person, "rides", 10_01)["reason"] == "insufficient_funds"
    assert give(town, person, "rides", 5_00, days=0)["reason"] == "not_permitted"
    assert give(town, person, "rides", 50_000_01)["reason"] == "wrong_amount"
    path, given = f"/v1/wallets/{person.wallet_id}/purses", {"name": "x", "purpose": "any", "currency": "PHP"}
    from_tax = town.act(path, "treasurer", **given, amount_cents=1, source="revenue:rpt:basic")
    assert from_tax["reason"] == "unknown_reference"
    stranger = town.act(f"/v1/wallets/{town.key()}/purses", "treasurer", **given, amount_cents=1, source=FUND)
    assert stranger["reason"] == "unknown_wallet"
    assert inside(town, person) == {"main": 0}
    town.check()


def test_finance_sees_the_purses(town: Town) -> None:
    a_fund(town)
    person = town.person()
    assert give(town, person, "rides", 5_00)["outcome"] == "accepted"
    answer = town.client.get(f"/v1/wallets/{person.wallet_id}/purses", headers=town.token("finance"))
    assert answer.status_code == 200
    [rides, main] = answer.get_json()["purses"]
    assert (rides["name"], rides["purpose"], rides["balance_cents"], rides["expired"]) == (
        "rides",
        "transit",
        500,
        False,
    )
    assert main["name"] == "main"
    unknown = town.client.get(f"/v1/wallets/{town.key()}/purses", headers=town.token("finance"))
    assert unknown.status_code == 404


def test_sending_the_funding_again_funds_once(town: Town) -> None:
    a_fund(town)
    person = town.person()
    key = town.key()
    given = {"name": "rides", "purpose": "transit", "amount_cents": 500, "currency": "PHP", "source": FUND}
    for replayed in (False, True):
        body = given | {"password": PASSWORD}
        answer = town.post(f"/v1/wallets/{person.wallet_id}/purses", body, "treasurer", key=key)
        assert (answer["outcome"], answer["replayed"]) == ("accepted", replayed)
    assert inside(town, person) == {"rides": 500, "main": 0}
