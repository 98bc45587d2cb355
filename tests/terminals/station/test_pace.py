"""How often a terminal turns to its service: steadily, then more and more seldom, each at moments of its own."""

from terminals.station import Pace

MINUTE = 60_000


def none(count: int) -> bytes:
    return bytes(count)


def all_ones(count: int) -> bytes:
    return b"\xff" * count


def waits(pace: Pace, failures: int) -> list[int]:
    """How long it waits after each failure."""
    now, found = 0, []
    for _ in range(failures):
        pace.failed(now)
        then = next(at for at in range(now, now + 20 * MINUTE, 1_000) if pace.due(at))
        found.append(then - now)
        now = then
    return found


def test_each_failure_doubles_the_wait_up_to_the_longest() -> None:
    assert waits(Pace(none), 6) == [MINUTE, 2 * MINUTE, 4 * MINUTE, 450_000, 450_000, 450_000]


def test_an_answer_brings_the_steady_pace_back() -> None:
    pace = Pace(none)
    waits(pace, 4)
    pace.answered(0)
    assert (pace.due(29_999), pace.due(30_000)) == (False, True)
    assert waits(pace, 1) == [MINUTE]


def test_chance_spreads_each_wait_between_its_half_and_its_whole() -> None:
    draws = iter([0, 15_000, 30_000])
    pace = Pace(lambda count: next(draws).to_bytes(count, "big"))
    for wait in (30_000, 45_000, 60_000):
        pace.answered(0)
        assert (pace.due(wait - 1), pace.due(wait)) == (False, True)


def test_after_a_power_cut_terminals_come_back_within_seconds_and_not_all_at_once() -> None:
    assert Pace(none).due(0)
    late = Pace(lambda count: (5_000).to_bytes(count, "big"))
    assert (late.due(0), late.due(4_999), late.due(5_000)) == (False, False, True)
    other = Pace(all_ones)
    other.due(0)
    assert other.due(5_000)


def test_a_clock_that_was_set_back_does_not_stop_the_uploads() -> None:
    pace = Pace(none)
    pace.answered(100 * MINUTE)
    assert not pace.due(100 * MINUTE)
    assert pace.due(0)
