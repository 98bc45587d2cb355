"""From a ride that the wallet could not pay to a gate that opens again: the real service, its list, real terminals."""

from terminals.counter import verify_card
from terminals.outbox import State
from terminals.validator import Mode, Outcome, Place
from tests.terminals.city import session
from tests.terminals.riding import Ride
from tests.town import BUS_CENTS

RAIL_IN, RAIL_OUT = Place("rail", "metro-ayala", mode=Mode.IN), Place("rail", "metro-guadalupe", mode=Mode.OUT)


def test_a_gate_is_shut_from_a_minute_after_the_ride_until_a_minute_after_the_payment(ride: Ride) -> None:
    assert ride.tap().outcome is Outcome.ACCEPTED
    ride.validator.sync()
    assert ride.owed() == BUS_CENTS
    late = ride.tap()  # the gate has not heard of it, and the city honours what it took
    assert late.outcome is Outcome.ACCEPTED
    ride.a_minute_later()
    assert late.record_id is not None
    assert ride.validator.outbox.find(late.record_id).state is State.ACCEPTED
    assert ride.owed() == 2 * BUS_CENTS
    refused = ride.tap()
    assert (refused.outcome, refused.code, refused.record_id) == (Outcome.REFUSED, "fare_owed", None)
    verified = verify_card(session(ride.card), ride.counter)  # the counter holds the same list
    assert (ride.counter.denials.current(), verified.denied) == (ride.validator.denials.current(), False)
    assert ride.till.top_up(session(ride.card), 2 * BUS_CENTS).stored.state is State.ACCEPTED
    assert ride.owed() == 0
    assert ride.tap().code == "fare_owed"  # until the next list
    ride.a_minute_later()
    assert ride.tap().outcome is Outcome.ACCEPTED


def test_whoever_came_in_before_the_list_goes_out_after_it(ride: Ride) -> None:
    assert ride.tap(RAIL_IN).outcome is Outcome.ACCEPTED
    ride.a_minute_later()
    assert ride.owed() > 0
    ride.a_minute_later()
    assert ride.tap(RAIL_IN).code == "fare_owed"
    went_out = ride.tap(RAIL_OUT)
    assert went_out.outcome is Outcome.ACCEPTED
    ride.a_minute_later()
    assert went_out.record_id is not None
    assert ride.validator.outbox.find(went_out.record_id).state is State.ACCEPTED
    assert ride.tap(RAIL_IN).code == "fare_owed"


def test_the_citys_own_policy_bounds_what_a_card_and_what_a_gate_can_lose(ride: Ride) -> None:
    limits = ride.validator.policy().limits
    assert 0 < limits.tap_cents_max <= limits.card_day_cents_max <= limits.device_day_cents_max
    assert 0 < limits.lower_card_day_cents_max < limits.card_day_cents_max
