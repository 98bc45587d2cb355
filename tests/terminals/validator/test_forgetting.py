"""A gate forgets taps that were settled long ago, by the city's time; the real service, a real outbox."""

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from terminals.outbox import OUTBOX_FILE
from terminals.station import Uploaded
from terminals.validator import Validator, commands, forget_settled
from tests.terminals.city import session
from tests.terminals.riding import BUS, Ride


class Ahead:
    """The clock of a gate that runs months ahead."""

    def __init__(self, right_ms: int) -> None:
        self._now_ms = right_ms + 100 * 86_400_000

    def now_ms(self) -> int:
        return self._now_ms


def synced(ride: Ride) -> Uploaded:
    """What `./city validator run` does each minute."""
    done = Validator(ride.validator, BUS, lambda _result: None).sync()
    forget_settled(ride.validator)
    return done


def stored(home: Path) -> list[int]:
    opened = sqlite3.connect(home / OUTBOX_FILE)
    try:
        return [row[0] for row in opened.execute("SELECT sequence FROM record ORDER BY sequence")]
    finally:
        opened.close()


def test_taps_are_forgotten_forty_days_later_by_the_citys_time(ride: Ride) -> None:
    home, clock = ride.validator.settings.home, ride.office.clock
    for _ in range(2):
        ride.tap()
    synced(ride)
    clock.advance(timedelta(days=39))
    synced(ride)
    assert stored(home) == [1, 2]
    clock.advance(timedelta(days=2))
    ride.validator.clock = Ahead(ride.validator.now_ms())
    synced(ride)
    assert stored(home) == [2]


def test_a_gate_whose_clock_runs_ahead_forgets_nothing_early(ride: Ride) -> None:
    for _ in range(2):
        ride.tap()
    synced(ride)
    ride.validator.clock = Ahead(ride.validator.now_ms())
    synced(ride)
    assert stored(ride.validator.settings.home) == [1, 2]


def test_a_gate_that_forgot_goes_on_where_it_was(ride: Ride) -> None:
    home, clock = ride.validator.settings.home, ride.office.clock
    ride.till.top_up(session(ride.card), 100_00)
    for _ in range(3):
        ride.tap()
    synced(ride)
    clock.advance(timedelta(days=41))
    assert stored(home) == [1, 2, 3]
    synced(ride)
    assert stored(home) == [3]
    again = ride.tap()
    assert (again.code, again.balance) == ("accepted", None)  # what was told 41 days ago was not shown before either
    done = synced(ride)
    assert (done.accepted, done.rejected, done.waiting) == (1, 0, 0)
    assert stored(home) == [4]  # the newest now; the one before is old too


def test_what_cannot_be_deleted_is_said_and_stops_no_gate(ride: Ride, capsys: pytest.CaptureFixture[str]) -> None:
    home = ride.validator.settings.home
    ride.till.top_up(session(ride.card), 100_00)
    for _ in range(2):
        ride.tap()
    synced(ride)
    ride.office.clock.advance(timedelta(days=41))
    ride.validator.refresh()
    ride.validator.outbox._db.execute("PRAGMA query_only = 1")  # as on a disk that the system made read-only
    commands._forget(ride.validator)
    assert "Old taps stay for now: attempt to write a readonly database" in capsys.readouterr().err
    assert stored(home) == [1, 2]
    ride.validator.outbox._db.execute("PRAGMA query_only = 0")
    assert ride.tap().code == "accepted"
    commands._forget(ride.validator)
    assert (stored(home), capsys.readouterr().err) == ([3], "")
