"""Shifts, deposits, funding and reversals: what moves the city's own money."""

from typing import Any
from uuid import UUID

import pytest

from cardsvc import finance
from crypto.wire.finance import ShiftOpened
from crypto.wire.transaction import Purpose
from tests.builders import PASSWORD
from tests.town import BUS_CENTS, FLOAT_CENTS, Terminal, Town, tap, top_up

P = Purpose.PRESENCE


@pytest.mark.parametrize("counted", [FLOAT_CENTS, FLOAT_CENTS - 20_00, FLOAT_CENTS + 5_00])
def test_what_a_drawer_is_over_or_short_stays_visible(town: Town, counted: int) -> None:
    counter, shift_id = town.till()
    assert town.close_shift(counter, shift_id, counted).outcome == "accepted"
    drawer = finance.drawer(counter.device_id)
    assert town.balance_of(drawer, "cash:over-short") == [0, FLOAT_CENTS - counted]
    assert town.balance_of("cash:vault") == [50_000_00 - FLOAT_CENTS + counted]
    town.check()


def test_a_counter_has_one_open_shift(town: Town) -> None:
    counter, shift_id = town.till()
    body = ShiftOpened(town.staff("cashier").id, 100_00, "PHP")
    again = counter.send_one(body, town.staff_signs("cashier"))
    assert (again.reason, again.detail) == ("already_done", "A shift is open at this counter. Close it first.")
    assert town.close_shift(counter, UUID(int=1), 1).reason == "unknown_reference"
    assert town.close_shift(counter, shift_id, FLOAT_CENTS).outcome == "accepted"
    assert town.close_shift(counter, shift_id, FLOAT_CENTS).reason == "unknown_reference"
    town.open_shift(counter)
    town.check()


def test_a_shift_needs_a_float_and_the_vault_must_have_it(town: Town) -> None:
    counter = town.counter()
    cashier, signs = town.staff("cashier").id, town.staff_signs("cashier")
    assert counter.send_one(ShiftOpened(cashier, 0, "PHP"), signs).reason == "wrong_amount"
    assert counter.send_one(ShiftOpened(cashier, 1, "USD"), signs).reason == "wrong_amount"
    assert counter.send_one(ShiftOpened(cashier, 1, "PHP"), signs).reason == "insufficient_funds"


def test_a_top_up_needs_the_open_shift_of_its_own_counter(town: Town) -> None:
    counter, shift_id = town.till()
    other, ana = town.counter(), town.person()
    assert other.send_one(top_up(shift_id, 1_00), ana.signs(P)).reason == "unknown_reference"
    town.close_shift(counter, shift_id, FLOAT_CENTS)
    assert counter.send_one(top_up(shift_id, 1_00), ana.signs(P)).reason == "unknown_reference"
    town.check()


def test_one_top_up_has_a_limit(town: Town) -> None:
    counter, shift_id = town.till()
    ana = town.person()
    assert counter.send_one(top_up(shift_id, 50_000_00), ana.signs(P)).outcome == "accepted"
    refused = counter.send_one(top_up(shift_id, 50_000_01), ana.signs(P))
    assert (refused.reason, town.balance(ana)) == ("wrong_amount", 50_000_00)
    town.check()


@pytest.mark.parametrize("account", ["benefits:RICE:reserve", "bank:main", "equity:general:more", "benefits:rice:fund"])
def test_funding_is_credited_to_sources_of_money_only(town: Town, account: str) -> None:
    given = {"amount_cents": 1_00, "currency": "PHP", "reference": "X", "account_code": account}
    assert town.act("/v1/finance/funding", "treasurer", **given)["reason"] == "not_permitted"
    town.check()


# ------------------------------------------------------------------------------------------------- reversals


def reverse(town: Town, entry_id: UUID | None, reason: str = "Keyed twice") -> Any:
    return town.act("/v1/finance/reversals", "finance", entry_id=str(entry_id), reason=reason)


def test_a_top_up_is_taken_back_whole_and_once(town: Town) -> None:
    counter, shift_id = town.till()
    ana = town.person()
    done = counter.send_one(top_up(shift_id, 300_00), ana.signs(P))
    assert reverse(town, done.record_id)["outcome"] == "accepted"
    assert town.balance(ana) == 0
    assert town.balance_of(finance.drawer(counter.device_id)) == [FLOAT_CENTS]
    again = reverse(town, done.record_id)
    assert (again["outcome"], again["reason"]) == ("rejected", "already_done")
    town.check()


def test_money_that_was_spent_cannot_be_taken_back(town: Town) -> None:
    town.tariff()
    counter, shift_id = town.till()
    ana = town.person()
    done = counter.send_one(top_up(shift_id, 15_00), ana.signs(P))
    town.validator().send_one(tap(), ana.signs(P))
    assert reverse(town, done.record_id)["reason"] == "insufficient_funds"
    town.check()


def test_only_some_kinds_are_taken_back_and_only_what_exists(town: Town) -> None:
    _, shift_id = town.till()
    assert reverse(town, shift_id)["reason"] == "not_permitted"
    assert reverse(town, UUID(int=1))["reason"] == "unknown_reference"


def test_a_ride_taken_back_after_its_debt_was_repaid_comes_back_with_the_next_money(town: Town) -> None:
    town.tariff()
    counter, shift_id = town.till()
    ana = town.person()
    ride = town.validator().send_one(tap(), ana.signs(P))
    counter.send_one(top_up(shift_id, 100_00), ana.signs(P))
    assert (town.balance(ana), town.owed(ana)) == (100_00 - BUS_CENTS, 0)
    assert reverse(town, ride.record_id)["outcome"] == "accepted"
    assert town.owed(ana) == -BUS_CENTS
    counter.send_one(top_up(shift_id, 1_00), ana.signs(P))
    assert (town.balance(ana), town.owed(ana)) == (101_00, 0)
    town.check()


def test_a_drawer_emptied_by_a_reversal_says_what_to_do(town: Town) -> None:
    counter, shift_id = town.till()
    ana = town.person()
    done = counter.send_one(top_up(shift_id, FLOAT_CENTS), ana.signs(P))
    town.close_shift(counter, shift_id, 2 * FLOAT_CENTS)
    next_shift = town.open_shift(counter)
    assert reverse(town, done.record_id)["outcome"] == "accepted"
    closing = town.close_shift(counter, next_shift, 0)
    assert (closing.reason, closing.detail) == (
        "wrong_amount",
        "The drawer is empty by the books too. Put change in and count again.",
    )
    assert town.close_shift(counter, next_shift, 1).outcome == "accepted"
    town.check()


# ------------------------------------------------------------------------------------------------------ acts


def deposit(town: Town, key: object, *, role: str = "finance", status: int = 200, **changed: object) -> Any:
    body = {"amount_cents": 10_00, "currency": "PHP", "reference": "D-1", "password": PASSWORD} | changed
    headers = town.token(role) | ({} if key is None else {"Idempotency-Key": str(key)})
    answer = town.client.post("/v1/finance/deposits", json=body, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.get_json()


@pytest.fixture
def funded(town: Town) -> Town:
    town.fund()
    town.withdraw()
    return town


def test_money_needs_an_idempotency_key_that_is_a_record_id(funded: Town) -> None:
    before = funded.count("transaction")
    assert deposit(funded, None, status=400)["code"] == "idempotency_key_missing"
    assert deposit(funded, "once", status=400)["code"] == "idempotency_key_malformed"
    wrong = deposit(funded, UUID("00000000-0000-4000-8000-000000000000"), status=422)
    assert (wrong["code"], wrong["detail"]) == ("malformed", "The id is not a UUIDv7.")
    assert funded.count("transaction") == before


def test_the_same_key_again_gives_the_first_answer_and_moves_nothing(funded: Town) -> None:
    key = funded.key()
    first = deposit(funded, key)
    assert (first["outcome"], first["replayed"]) == ("accepted", False)
    again = deposit(funded, f'"{key}"')
    assert again == first | {"replayed": True}
    assert funded.balance_of("cash:vault") == [50_000_00 - 10_00]
    assert funded.check().transactions == 3


def test_the_same_key_with_another_body_or_by_somebody_else_conflicts(funded: Town) -> None:
    key = funded.key()
    deposit(funded, key)
    for changed in ({"amount_cents": 11_00}, {"reference": "D-2"}):
        assert deposit(funded, key, status=422, **changed)["code"] == "record_id_conflict"
    assert deposit(funded, key, role="treasurer", status=422)["code"] == "record_id_conflict"
    headers = funded.token("finance") | {"Idempotency-Key": str(key)}
    body = {"amount_cents": 10_00, "currency": "PHP", "reference": "D-1", "password": PASSWORD}
    other = funded.client.post("/v1/finance/withdrawals", json=body, headers=headers)
    assert other.get_json()["code"] == "record_id_conflict"
    assert funded.balance_of("cash:vault") == [50_000_00 - 10_00]


def test_a_refusal_is_remembered_under_its_key_as_well(funded: Town) -> None:
    key = funded.key()
    first = deposit(funded, key, amount_cents=99_000_00)
    assert (first["outcome"], first["reason"]) == ("rejected", "insufficient_funds")
    assert deposit(funded, key, amount_cents=99_000_00) == first | {"replayed": True}
    funded.check()


def test_a_wrong_password_is_counted_and_stores_nothing(funded: Town) -> None:
    before = [funded.count(table) for table in ("transaction", "batch", "log_leaf", "sign_in_failure")]
    assert deposit(funded, funded.key(), status=403, password="not this")["code"] == "wrong_password"
    after = [funded.count(table) for table in ("transaction", "batch", "log_leaf", "sign_in_failure")]
    assert after == [*before[:3], before[3] + 1]


def test_ten_wrong_passwords_end_the_sign_in(funded: Town) -> None:
    headers = funded.token("finance") | {"Idempotency-Key": str(funded.key())}
    body = {"amount_cents": 1, "currency": "PHP", "reference": "D", "password": "not this"}
    codes = [
        funded.client.post("/v1/finance/deposits", json=body, headers=headers).get_json()["code"] for _ in range(11)
    ]
    assert codes == ["wrong_password"] * 10 + ["not_signed_in"]


def test_funding_goes_to_sources_only_and_is_the_treasurers(funded: Town) -> None:
    given = {"amount_cents": 1_00, "currency": "PHP", "reference": "X"}
    for account in ("cash:vault", "revenue:rpt:basic", "wallet:1:main"):
        refused = funded.act("/v1/finance/funding", "treasurer", account_code=account, **given)
        assert refused["reason"] == "not_permitted", refused
    unknown = funded.act("/v1/finance/funding", "treasurer", account_code="benefits:NONE:fund", **given)
    assert unknown["reason"] == "unknown_reference"
    body = given | {"account_code": "equity:general", "password": PASSWORD}
    problem = funded.post("/v1/finance/funding", body, "finance", key=funded.key(), status=403)
    assert problem["code"] == "not_allowed"


def test_the_books_stay_in_one_currency(funded: Town) -> None:
    assert deposit(funded, funded.key(), status=422, currency="USD")["code"] == "invalid_fields"


def test_the_day_sheet_shows_the_day(funded: Town) -> None:
    counter: Terminal = funded.counter()
    shift_id = funded.open_shift(counter)
    funded.close_shift(counter, shift_id, FLOAT_CENTS - 20_00)
    given = {"username": funded.staff("finance").username, "password": PASSWORD}
    page = funded.client.get("/sign-in")
    token = page.text.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    funded.client.post("/sign-in", data=given | {"csrf_token": token})
    sheet = funded.client.get("/finance")
    assert sheet.status_code == 200
    assert "20.00" in sheet.text
    assert funded.client.get("/finance?date=yesterday").status_code == 400
    assert funded.client.get("/finance?date=2026-11-01").status_code == 200
