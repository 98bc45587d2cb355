from datetime import UTC, date, datetime, timedelta

import pytest

from cardsvc.clock import MANILA, FixedClock, SystemClock, business_date


def test_a_fixed_clock_stands_until_it_is_told() -> None:
    clock = FixedClock(datetime(2026, 11, 2, 8, 0, tzinfo=MANILA))
    assert clock.now() == clock.now() == datetime(2026, 11, 2, 0, 0, tzinfo=UTC)
    assert clock.advance(timedelta(minutes=1)) == datetime(2026, 11, 2, 0, 1, tzinfo=UTC)


def test_every_clock_tells_utc_in_whole_milliseconds() -> None:
    for now in (SystemClock().now(), FixedClock(datetime(2026, 1, 1, 0, 0, 0, 1999, tzinfo=MANILA)).now()):
        assert now.tzinfo is UTC
        assert now.microsecond % 1000 == 0


def test_a_clock_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        FixedClock(datetime(2026, 1, 1))  # noqa: DTZ001


def test_the_business_day_begins_at_midnight_in_manila() -> None:
    assert business_date(datetime(2026, 11, 1, 15, 59, 59, tzinfo=UTC)) == date(2026, 11, 1)
    assert business_date(datetime(2026, 11, 1, 16, 0, tzinfo=UTC)) == date(2026, 11, 2)
