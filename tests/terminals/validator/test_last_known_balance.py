"""What a rider has left, as the city last told the gate: the real service, real terminals, no guess in between."""

import json
from collections.abc import Mapping
from datetime import timedelta

from terminals.client import Reply
from terminals.validator import TapResult, shown
from tests.terminals.city import session
from tests.terminals.riding import Ride
from tests.town import BUS_CENTS


def told(ride: Ride, result: TapResult) -> str:
    return shown(result, ride.validator.now_ms()).balance


def test_a_gate_shows_what_the_city_last_told_it(ride: Ride) -> None:
    ride.till.top_up(session(ride.card), 100_00)
    assert told(ride, ride.tap()) == ""  # it was told nothing yet
    ride.validator.sync()
    second = ride.tap()
    assert told(ride, second).startswith(f"Balance PHP {(100_00 - BUS_CENTS) // 100}.00 at ")
    ride.till.top_up(session(ride.card), 50_00)
    third = ride.tap()  # nothing newer is known here, and nothing is taken off
    assert third.balance == second.balance
    ride.validator.sync()
    newest = ride.tap()
    assert newest.balance is not None
    assert newest.balance.cents == 150_00 - 3 * BUS_CENTS
    ride.office.clock.advance(timedelta(days=1))
    assert " on " in told(ride, newest)


def test_who_has_nothing_reads_nothing_and_no_debt(ride: Ride) -> None:
    ride.tap()
    ride.validator.upload()
    result = ride.tap()
    assert (ride.owed(), told(ride, result).split(" at ")[0]) == (BUS_CENTS, "Balance PHP 0.00")
    ride.validator.upload()
    ride.a_minute_later()
    refused = ride.tap()
    assert (refused.code, told(ride, refused)) == ("fare_owed", "")


def test_a_service_that_tells_no_balance_is_understood(ride: Ride) -> None:
    send = ride.office.send

    def older(method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        reply = send(method, path, headers, body)
        if path != "/v1/transactions":
            return reply
        content = json.loads(reply.body)
        del content["answered_at"]
        for item in content["results"]:
            del item["balance_cents"]
        return Reply(reply.status, json.dumps(content).encode())

    ride.validator.client = type(ride.validator.client)(ride.validator.client.url, older)
    ride.tap()
    assert ride.validator.sync().accepted == 1
    assert told(ride, ride.tap()) == ""
