"""Large batches, which are opened and foreseen before the ledger is locked: answered item by item as small ones are."""

from datetime import UTC, datetime, timedelta

import pytest

from cardsvc.transactions import Desk, Taking
from crypto.wire.transaction import Purpose
from tests.town import BUS_CENTS, Terminal, Town, tap, top_up

P = Purpose.PRESENCE
LARGE = 70
"""More than are opened together with others'."""


@pytest.fixture
def validator(town: Town) -> Terminal:
    town.tariff()
    return town.validator()


def reasons(town: Town, raw: bytes) -> list[str | None]:
    """Why each item was refused, as the service answers; None: it was accepted."""
    made = Desk(town.city.handlers.registry, town.city.vault, town.city.random_bytes)
    taken = Taking(town.city.engine, made, kept=town.city.settings.log_head).take(raw, town.clock.now())
    return [None if result.reason is None else result.reason.value for result in taken.answer.results]


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), "card_not_active"),
        (datetime(2026, 12, 31, tzinfo=UTC), "from_the_future"),
        (datetime(1970, 1, 1, tzinfo=UTC), "too_old"),
    ],
)
def test_a_tap_of_an_impossible_time_spoils_only_itself(
    town: Town, validator: Terminal, at: datetime, reason: str
) -> None:
    ana = town.person()
    for _ in range(LARGE):
        validator.add(tap(), ana.signs(P))
    validator.add(tap(), ana.signs(P), at=at)
    validator.add(tap(), town.person().signs(P), at=at)
    assert reasons(town, validator.batch()) == [None] * LARGE + [reason] * 2
    assert town.owed(ana) == LARGE * BUS_CENTS
    town.check()


def test_each_item_is_refused_for_what_is_wrong_with_it_alone(town: Town, validator: Terminal) -> None:
    ana, ben = town.person(), town.person()
    earlier = validator.add(tap(), ana.signs(P))
    assert validator.send()[0].outcome == "accepted"
    wanted: list[str | None] = []

    def add(reason: str | None, *arguments: object, **options: object) -> None:
        validator.add(*arguments, **options)  # type: ignore[arg-type]
        wanted.append(reason)

    moment = town.clock.now() - timedelta(hours=1)
    twice = validator.add(tap(), ben.signs(P))
    wanted.append(None)
    add("record_id_conflict", tap(), ben.signs(P), record_id=twice)
    add("record_id_conflict", tap(), ben.signs(P), record_id=earlier, at=moment - timedelta(hours=1))
    add("not_permitted", top_up(earlier, 100_00), ana.signs(P))
    add(None, tap(), ben.signs(P), at=moment)
    add("already_done", tap(), ben.signs(P), at=moment)
    add("unknown_reference", tap(tariff=7), ana.signs(P))
    add("unknown_reference", tap(network="tram"), ana.signs(P))
    add("wrong_amount", tap(currency="USD"), ben.signs(P))
    for _ in range(LARGE):
        add(None, tap(), ana.signs(P))
    assert reasons(town, validator.batch()) == wanted
    assert (town.owed(ana), town.owed(ben)) == ((LARGE + 1) * BUS_CENTS, 2 * BUS_CENTS)
    town.check()


def test_a_time_is_judged_by_the_moment_at_which_the_batch_is_taken(town: Town, validator: Terminal) -> None:
    """A tap that is too old by then is refused, though others of its batch are not."""
    ana, oldest = town.person(), town.clock.now() - timedelta(days=30)
    for number in range(LARGE):
        validator.add(tap(), ana.signs(P), at=oldest + timedelta(milliseconds=number - 1))
    raw = validator.batch()
    assert reasons(town, raw) == ["too_old"] + [None] * (LARGE - 1)
    town.check()
