"""Taps: what is short becomes a debt, and the next money repays it."""

from datetime import timedelta
from typing import Any

from crypto.wire.transaction import Purpose
from crypto.wire.transit import Tap
from tests.town import BUS_CENTS, Town, tap, top_up

P = Purpose.PRESENCE


def test_a_ride_with_too_little_money_is_honoured_and_the_rest_is_owed(town: Town) -> None:
    town.tariff()
    ana, validator = town.rich_person(20_00), town.validator()
    for _ in range(3):
        validator.add(tap(), ana.signs(P))
    assert {result.outcome for result in validator.send()} == {"accepted"}
    assert (town.balance(ana), town.owed(ana)) == (0, 3 * BUS_CENTS - 20_00)
    assert town.balance_of("revenue:transit:loop") == [3 * BUS_CENTS]
    town.check()


def test_the_next_top_ups_repay_what_is_owed_before_they_fill_the_wallet(town: Town) -> None:
    town.tariff()
    till = town.till()
    counter, shift_id = till
    ana, validator = town.person(), town.validator()
    for _ in range(2):
        validator.add(tap(), ana.signs(P))
    validator.send()
    for _ in range(3):  # in one batch: 10 and 10 repay, of the third 6 repay
        counter.add(top_up(shift_id, 10_00), ana.signs(P))
    assert [town.verified(result).amount_cents for result in counter.send()] == [10_00] * 3
    assert (town.balance(ana), town.owed(ana)) == (30_00 - 2 * BUS_CENTS, 0)
    town.check()


def test_an_old_tariff_still_prices_the_taps_made_under_it(town: Town) -> None:
    town.tariff()
    ana, validator = town.rich_person(), town.validator()
    town.clock.advance(timedelta(days=1))
    assert validator.send_one(tap(), ana.signs(P)).outcome == "accepted"
    assert town.balance_of("revenue:transit:loop") == [BUS_CENTS]
    town.check()


def test_what_a_gate_showed_is_not_what_is_charged(town: Town) -> None:
    town.tariff()
    ana, validator = town.rich_person(), town.validator()
    for shown in (BUS_CENTS + 1, 0):
        assert validator.send_one(tap(shown), ana.signs(P)).outcome == "accepted"
    assert town.balance_of("revenue:transit:loop") == [2 * BUS_CENTS]
    town.check()


def test_a_ride_that_another_entry_charged_is_given_back_when_its_own_tap_was_taken_back(town: Town) -> None:
    """An exit whose entry was taken back is charged alone with the next tap. Taken back too, it is no ride."""
    town.tariff()
    ana, gate = town.rich_person(500_00), town.validator()

    def by_rail(direction: str, stop: str) -> Any:
        town.clock.advance(timedelta(minutes=20))
        said = Tap("rail", stop, direction, 28_00 if direction == "in" else 0, "PHP", 1, 1)
        return gate.send_one(said, ana.signs(P)).record_id

    def by_bus() -> None:
        town.clock.advance(timedelta(minutes=20))
        assert gate.send_one(tap(), ana.signs(P)).outcome == "accepted"

    entry, exit_ = by_rail("in", "metro-magallanes"), by_rail("out", "metro-ayala")
    for number, taken_back in enumerate((entry, exit_), 1):
        asked = {"entry_id": str(taken_back), "reason": "Not their card"}
        assert town.act("/v1/finance/reversals", "finance", **asked)["outcome"] == "accepted"
        by_bus()
        lone_exit = 28_00 if taken_back == entry else 0
        assert town.balance(ana) == 500_00 - number * BUS_CENTS - lone_exit
    assert town.balance_of("revenue:transit:metro") == [0]
    town.check()
