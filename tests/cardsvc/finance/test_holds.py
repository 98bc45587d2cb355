"""Holds as signed records: who may place, take and give back, and what ends by itself."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from cardsvc import finance, transactions, wallets
from crypto.wire.transaction import Purpose
from crypto.wire.wallets import HoldPlaced
from tests.builders import PASSWORD
from tests.town import Person, Result, Town

FEES = "revenue:fees"


def desk(town: Town) -> transactions.Desk:
    return transactions.Desk(town.city.handlers.registry, town.city.vault, town.city.random_bytes)


def end_holds(town: Town) -> int:
    return town.run(lambda session: finance.end_holds(session, desk(town), town.clock.now()))


def path(person: Person, *rest: object) -> str:
    return "/".join(map(str, (f"/v1/wallets/{person.wallet_id}/holds", *rest)))


def place(town: Town, person: Person, cents: int, *, days: int = 2, **more: Any) -> Any:
    until = (town.clock.now() + timedelta(days=days)).isoformat()
    given = {"amount_cents": cents, "currency": "PHP", "beneficiary": FEES, "reason": "Deposit on the hall"} | more
    return town.act(path(person), "finance", expires_at=until, **given)


def capture(town: Town, person: Person, hold_id: str, cents: int, *, role: str = "cashier", final: bool = False) -> Any:
    given = {"amount_cents": cents, "currency": "PHP", "final": final}
    return town.act(path(person, hold_id, "captures"), role, **given)


def release(town: Town, person: Person, hold_id: str, cents: int, role: str = "cashier") -> Any:
    return town.act(path(person, hold_id, "release"), role, amount_cents=cents, currency="PHP")


def held(town: Town, person: Person) -> int:
    return town.run(lambda session: wallets.summary(session, person.wallet_id)).held_cents


def consented(town: Town, person: Person, *, wallet_of: Person | None = None, **more: Any) -> Result:
    whose = wallet_of or person
    body = HoldPlaced(whose.wallet_id, 40_00, "PHP", more.pop("beneficiary", FEES), "any", "Hall", **more)
    return town.kiosk().send_one(body, person.signs(Purpose.CONSENT))


def test_a_holder_sets_money_aside_with_card_and_pin(town: Town) -> None:
    person = town.rich_person(100_00)
    result = consented(town, person)
    assert result.outcome == "accepted"
    assert (town.balance(person), held(town, person)) == (60_00, 40_00)
    assert capture(town, person, str(result.record_id), 30_00)["outcome"] == "accepted"
    assert release(town, person, str(result.record_id), 10_00)["outcome"] == "accepted"
    assert (town.balance(person), held(town, person), town.balance_of(FEES)) == (70_00, 0, [30_00])
    town.check()


def test_nobody_sets_aside_money_of_another_wallet(town: Town) -> None:
    person, other = town.rich_person(100_00), town.person()
    assert consented(town, other, wallet_of=person).reason == "not_permitted"
    assert consented(town, person, beneficiary="equity:general").reason == "unknown_reference"
    assert consented(town, person, limit_cents=1).reason == "wrong_amount"
    assert town.balance(person) == 100_00
    town.check()


def test_a_presence_is_no_consent(town: Town) -> None:
    person = town.rich_person(100_00)
    body = HoldPlaced(person.wallet_id, 40_00, "PHP", FEES, "any", "Hall")
    result = town.kiosk().send_one(body, person.signs(Purpose.PRESENCE))
    assert result.reason == "missing_authorisation"


def test_a_hold_that_staff_place_is_taken_in_parts_by_staff_of_the_beneficiary(town: Town) -> None:
    person = town.rich_person(100_00)
    placed = place(town, person, 40_00)
    assert placed["outcome"] == "accepted"
    assert capture(town, person, placed["record_id"], 10_00)["outcome"] == "accepted"
    assert capture(town, person, placed["record_id"], 31_00)["reason"] == "hold_exceeded"
    assert capture(town, person, placed["record_id"], 20_00, final=True)["outcome"] == "accepted"
    assert capture(town, person, placed["record_id"], 1)["reason"] == "hold_ended"
    assert (town.balance(person), held(town, person), town.balance_of(FEES)) == (70_00, 0, [30_00])
    town.check()


def test_staff_of_somebody_else_neither_take_nor_give_back(town: Town) -> None:
    town.tariff()
    person = town.rich_person(100_00)
    tax = place(town, person, 40_00, beneficiary="revenue:rpt:basic", purpose="tax")
    assert tax["outcome"] == "accepted"
    assert capture(town, person, tax["record_id"], 1_00)["reason"] == "not_permitted"
    assert release(town, person, tax["record_id"], 40_00)["reason"] == "not_permitted"
    assert capture(town, person, tax["record_id"], 1_00, role="treasurer")["outcome"] == "accepted"
    assert place(town, person, 1_00, purpose="tax")["reason"] == "not_permitted"
    town.check()


def test_more_is_taken_only_where_the_hold_allows_it(town: Town) -> None:
    person = town.rich_person(100_00)
    placed = str(consented(town, person, limit_cents=60_00).record_id)
    assert capture(town, person, placed, 60_01)["reason"] == "hold_exceeded"
    assert capture(town, person, placed, 60_00)["outcome"] == "accepted"
    assert (town.balance(person), held(town, person)) == (40_00, 0)
    town.check()


def test_only_the_holder_agrees_to_more_than_is_set_aside(town: Town) -> None:
    person = town.rich_person(100_00)
    assert place(town, person, 40_00, limit_cents=60_00)["reason"] == "not_permitted"
    assert place(town, person, 40_00, limit_cents=40_00)["outcome"] == "accepted"


def test_who_set_a_large_sum_aside_does_not_take_it_too(town: Town) -> None:
    person = town.rich_person(3_000_00)
    placed = place(town, person, 2_000_00)["record_id"]
    assert capture(town, person, placed, 1_000_01, role="finance")["reason"] == "not_permitted"
    assert capture(town, person, placed, 1_000_00, role="finance")["outcome"] == "accepted"
    assert capture(town, person, placed, 1_000_00)["outcome"] == "accepted"
    town.check()


def test_a_hold_ends_by_itself_once_and_at_its_moment(town: Town) -> None:
    person = town.rich_person(100_00)
    placed = place(town, person, 40_00)
    assert capture(town, person, placed["record_id"], 15_00)["outcome"] == "accepted"
    town.clock.advance(timedelta(days=2) - timedelta(milliseconds=1))
    assert end_holds(town) == 0
    town.clock.advance(timedelta(milliseconds=1))
    assert capture(town, person, placed["record_id"], 1_00)["reason"] == "hold_ended"
    assert end_holds(town) == 1
    assert end_holds(town) == 0
    assert (town.balance(person), held(town, person), town.balance_of(FEES)) == (85_00, 0, [15_00])
    town.check()


def test_many_holds_end_in_one_batch(town: Town) -> None:
    person = town.rich_person(100_00)
    for _ in range(5):
        assert place(town, person, 1_00)["outcome"] == "accepted"
    town.clock.advance(timedelta(days=3))
    batches = town.count("batch")
    assert end_holds(town) == 5
    assert town.count("batch") == batches + 1
    town.check()


def test_a_capture_taken_back_is_held_again_and_given_back_by_itself(town: Town) -> None:
    person = town.rich_person(100_00)
    placed = place(town, person, 40_00)
    taken = capture(town, person, placed["record_id"], 40_00)
    back = town.act("/v1/finance/reversals", "finance", entry_id=taken["record_id"], reason="The hall was not let")
    assert back["outcome"] == "accepted", back
    assert (town.balance(person), held(town, person), town.balance_of(FEES)) == (60_00, 40_00, [0])
    town.clock.advance(timedelta(days=2))
    assert end_holds(town) == 1
    assert town.balance(person) == 100_00
    town.check()


def test_sending_again_changes_nothing(town: Town) -> None:
    person = town.rich_person(100_00)
    placed = place(town, person, 40_00)
    key, body = town.key(), {"amount_cents": 10_00, "currency": "PHP", "password": PASSWORD}
    for replayed in (False, True):
        answer = town.post(path(person, placed["record_id"], "captures"), body, "cashier", key=key)
        assert (answer["outcome"], answer["replayed"]) == ("accepted", replayed)
    assert held(town, person) == 30_00
    town.check()


def test_the_list_shows_what_stands_with_its_age(town: Town) -> None:
    person = town.rich_person(100_00)
    first, second = place(town, person, 40_00, days=30), place(town, person, 10_00, days=30)
    town.clock.advance(timedelta(days=3))
    assert release(town, person, second["record_id"], 10_00)["outcome"] == "accepted"
    for url in (path(person), "/v1/wallets/holds"):
        listed = town.client.get(url, headers=town.token("finance")).get_json()
        assert [(row["hold_id"], row["age_days"]) for row in listed["holds"]] == [(first["record_id"], 3)]
        assert listed["left_cents"] == 40_00
    both = town.client.get(path(person) + "?ended_too=true", headers=town.token("finance")).get_json()
    assert sorted(row["left_cents"] for row in both["holds"]) == [0, 40_00]


def test_a_hold_is_found_at_its_own_wallet_only(town: Town) -> None:
    person, other = town.rich_person(100_00), town.person()
    placed = place(town, person, 40_00)
    given = {"amount_cents": 1, "currency": "PHP", "password": PASSWORD}
    town.post(path(other, placed["record_id"], "captures"), given, "cashier", key=town.key(), status=404)
    unknown = capture(town, person, str(UUID(int=7)), 1)
    assert unknown["reason"] == "unknown_reference"


def test_the_holder_sees_what_is_set_aside_on_the_statement(town: Town) -> None:
    person = town.rich_person(100_00)
    placed = place(town, person, 40_00)
    assert capture(town, person, placed["record_id"], 15_00, final=True)["outcome"] == "accepted"
    page = town.run(lambda session: wallets.statement(session, person.wallet_id))
    shown = [
        (line.amount_cents, line.balance_after, [(p.name, p.amount_cents) for p in line.parts]) for line in page.lines
    ]
    assert shown == [
        (25_00, 85_00, [("", -40_00), ("main", 25_00)]),
        (-40_00, 60_00, [("main", -40_00), ("", 40_00)]),
        (100_00, 100_00, [("main", 100_00)]),
    ]
