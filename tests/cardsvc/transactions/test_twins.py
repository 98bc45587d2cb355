"""What was made again while its first record waits as a dispute: it counts once, or two people say that it is two."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from crypto.wire.transaction import Purpose
from tests.builders import PASSWORD
from tests.town import BUS_CENTS, Person, Result, Terminal, Town, tap, top_up

P = Purpose.PRESENCE
AHEAD = timedelta(hours=3)
LATE = timedelta(days=31)


def settle(town: Town, record_id: UUID | None) -> Any:
    given = {"reason": "The drawer's count says so", "password": PASSWORD}
    return town.post(f"/v1/disputes/{record_id}/settlement", given, "finance", key=town.key())


def look(town: Town, record_id: UUID | None) -> Any:
    return town.client.get(f"/v1/disputes/{record_id}", headers=town.token("finance")).get_json()


def with_clock_ahead(town: Town, terminal: Terminal, body: Any, ana: Person) -> Result:
    """A record from the future, by a terminal whose whole clock runs ahead."""
    _, item = terminal.make(body, ana.signs(P), at=town.clock.now() + AHEAD)
    town.clock.advance(AHEAD)
    raw = terminal.batch([item])
    town.clock.advance(-AHEAD)
    [result] = town.send(raw)
    assert result.reason == "from_the_future"
    return result


def test_a_top_up_made_again_takes_two_people_who_are_told_its_twin(town: Town) -> None:
    counter, shift_id = town.till()
    ana = town.person()
    first = with_clock_ahead(town, counter, top_up(shift_id, 200_00), ana)
    assert look(town, first.record_id)["twin_of"] is None
    town.clock.advance(timedelta(minutes=2))
    again = counter.send_one(top_up(shift_id, 200_00), ana.signs(P))
    assert again.outcome == "accepted"
    found = look(town, first.record_id)
    assert (found["twin_of"], found["needs_two"]) == (str(again.record_id), True)
    refused = settle(town, first.record_id)
    assert refused["reason"] == "not_permitted"
    assert str(again.record_id) in refused["detail"]
    assert town.balance(ana) == 200_00
    payload = {"record_id": str(first.record_id), "decision": "settle", "reason": "She paid in twice"}
    action = town.post("/v1/actions", {"kind": "dispute.decide", "payload": payload}, "finance", status=201)
    assert str(again.record_id) in action["summary"]
    for role in ("finance", "treasurer"):
        town.post(f"/v1/actions/{action['id']}/signatures", {"password": PASSWORD}, role, status=201)
    assert settle(town, first.record_id)["outcome"] == "accepted"
    assert town.balance(ana) == 400_00
    town.check()


def test_one_person_refuses_a_twin(town: Town) -> None:
    counter, shift_id = town.till()
    ana = town.person()
    first = with_clock_ahead(town, counter, top_up(shift_id, 200_00), ana)
    counter.send_one(top_up(shift_id, 200_00), ana.signs(P))
    path = f"/v1/disputes/{first.record_id}/refusal"
    assert town.post(path, {"reason": "Made again since"}, "finance")["state"] == "refused"


def test_what_says_otherwise_or_was_taken_back_is_no_twin(town: Town) -> None:
    counter, shift_id = town.till()
    ana = town.person()
    first = with_clock_ahead(town, counter, top_up(shift_id, 200_00), ana)
    counter.send_one(top_up(shift_id, 300_00), ana.signs(P))
    counter.send_one(top_up(shift_id, 200_00), town.person().signs(P))
    assert look(town, first.record_id)["twin_of"] is None
    again = counter.send_one(top_up(shift_id, 200_00), ana.signs(P))
    assert look(town, first.record_id)["twin_of"] == str(again.record_id)
    given = {"entry_id": str(again.record_id), "reason": "Made twice", "password": PASSWORD}
    assert town.post("/v1/finance/reversals", given, "finance", key=town.key())["outcome"] == "accepted"
    assert look(town, first.record_id)["twin_of"] is None
    assert settle(town, first.record_id)["outcome"] == "accepted"
    assert town.balance(ana) == 500_00
    town.check()


def test_of_two_disputed_top_ups_that_say_the_same_one_person_settles_one(town: Town) -> None:
    counter, shift_id = town.till()
    ana = town.person()
    counter.add(top_up(shift_id, 200_00), ana.signs(P))
    town.clock.advance(timedelta(minutes=3))
    counter.add(top_up(shift_id, 200_00), ana.signs(P))
    town.clock.advance(LATE)
    one, two = counter.send()
    assert settle(town, one.record_id)["outcome"] == "accepted"
    assert look(town, two.record_id)["twin_of"] == str(one.record_id)
    assert settle(town, two.record_id)["reason"] == "not_permitted"
    assert town.balance(ana) == 200_00
    town.check()


def two_taps(town: Town, apart: timedelta) -> tuple[Person, Result, Result]:
    """Two late taps of one card at one gate."""
    town.tariff()
    validator, ana = town.validator(), town.rich_person(100_00)
    at: datetime = town.clock.now()
    validator.add(tap(), ana.signs(P), at=at)
    validator.add(tap(), ana.signs(P), at=at + apart)
    town.clock.advance(LATE + apart)
    one, two = validator.send()
    return ana, one, two


def test_a_tap_of_the_same_card_and_moment_is_never_settled(town: Town) -> None:
    ana, one, two = two_taps(town, timedelta())
    assert settle(town, one.record_id)["outcome"] == "accepted"
    refused = settle(town, two.record_id)
    assert refused["reason"] == "already_done"
    assert str(one.record_id) in refused["detail"]
    assert town.balance(ana) == 100_00 - BUS_CENTS


def test_the_way_there_and_the_way_back_are_two_rides(town: Town) -> None:
    ana, one, two = two_taps(town, timedelta(hours=9))
    for each in (one, two):
        assert look(town, each.record_id)["twin_of"] is None
        assert settle(town, each.record_id)["outcome"] == "accepted"
    assert town.balance(ana) == 100_00 - 2 * BUS_CENTS
    town.check()


def test_a_tap_that_was_charged_at_the_stated_moment_is_not_charged_again(town: Town) -> None:
    town.tariff()
    validator, ana = town.validator(), town.rich_person(100_00)
    first = with_clock_ahead(town, validator, tap(), ana)
    stated = town.clock.now() + AHEAD
    town.clock.advance(AHEAD)
    validator.add(tap(), ana.signs(P), at=stated)
    [again] = validator.send()
    assert again.outcome == "accepted"
    refused = settle(town, first.record_id)
    assert (refused["reason"], str(again.record_id) in refused["detail"]) == ("already_done", True)
    assert town.balance(ana) == 100_00 - BUS_CENTS
