"""What a validator decides without asking anybody. The order of the checks is the order of this file."""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from crypto.wire.policy import FlatFare, OfflineLimits, Policy
from terminals.validator.values import EarlierTap, Mode, Place


class TapRefused(Exception):
    """The tap is refused by a rule; the message is one sentence for the rider."""

    code: ClassVar[str] = "tap_refused"


class FareOwed(TapRefused):
    code = "fare_owed"

    def __init__(self) -> None:
        super().__init__("You owe a fare. Top up or pay at a counter.")


class PassBack(TapRefused):
    code = "pass_back"

    def __init__(self) -> None:
        super().__init__("This card went in here a moment ago; each rider needs a card of their own.")


class NoFare(TapRefused):
    code = "no_fare"

    def __init__(self, place: Place) -> None:
        super().__init__(f"There is no fare for {place.network_id} in this terminal's policy; please tell the staff.")


class FareOverLimit(TapRefused):
    code = "fare_over_limit"

    def __init__(self) -> None:
        super().__init__("This fare is too high to be taken without a network; please pay at the counter.")


class DayTapsReached(TapRefused):
    code = "day_taps_reached"

    def __init__(self) -> None:
        super().__init__("This card was used here as often as a day allows; please pay in cash.")


class DayCentsReached(TapRefused):
    code = "day_cents_reached"

    def __init__(self) -> None:
        super().__init__("This card has reached what may be spent here in a day; please pay in cash.")


class DeviceDayReached(TapRefused):
    code = "device_day_reached"

    def __init__(self) -> None:
        super().__init__("This terminal has taken as much as a day allows; please use another one and tell the staff.")


def earlier_tap(taps: Sequence[EarlierTap], now_ms: int, place: Place) -> EarlierTap | None:
    """The tap that this one repeats: the newest of its kind within the duplicate window. A clock that was set back
    counts too.
    """
    recent = [tap for tap in taps if tap.mode is place.mode and now_ms - tap.at_ms < place.duplicate_ms]
    return recent[-1] if recent else None


def check_nothing_owed(owes: bool, place: Place) -> None:
    """Whoever owes a fare begins no ride; nobody who is inside is kept there for it. Raises: FareOwed."""
    if owes and place.mode is not Mode.OUT:
        raise FareOwed


def check_pass_back(taps: Sequence[EarlierTap], now_ms: int, place: Place) -> None:
    """Whoever came in at this stop goes out before they come in again. `taps` are those of all of its gates.

    Raises: PassBack.
    """
    here = [tap for tap in taps if (tap.network_id, tap.stop_id) == (place.network_id, place.stop_id)]
    newest = max(here, key=lambda tap: tap.at_ms, default=None)
    if place.mode is Mode.IN and newest and newest.mode is Mode.IN and now_ms - newest.at_ms < place.pass_back_ms:
        raise PassBack


def ride_now(taps: Sequence[EarlierTap], now_ms: int, place: Place) -> EarlierTap | None:
    """The tap that the rider travels on: the newest of this network, unless it ended a ride or is too long ago."""
    taken = [tap for tap in taps if tap.network_id == place.network_id and now_ms - tap.at_ms < place.ride_ms]
    newest = max(taken, key=lambda tap: tap.at_ms, default=None)
    return newest if newest and newest.mode is not Mode.OUT else None


def fare_at(policy: Policy, place: Place) -> FlatFare:
    """What a tap costs here: the fare of a ride, what is held when one begins, nothing when it ends. Raises: NoFare."""
    for fare in policy.fares if place.mode is Mode.FLAT else policy.holds:
        if fare.network_id == place.network_id and place.rider_category in (None, fare.rider_category):
            return replace(fare, amount_cents=0) if place.mode is Mode.OUT else fare
    raise NoFare(place)


def check_ceilings(fare: FlatFare, place: Place, today: Sequence[EarlierTap], limits: OfflineLimits) -> None:
    """The policy's bound on what one card can take on credit at one validator in a day. Raises: TapRefused.

    Ends of rides are counted for themselves: a gate lets out as often as it lets in.
    """
    if fare.amount_cents > limits.tap_cents_max:
        raise FareOverLimit
    alike = [tap for tap in today if (tap.mode is Mode.OUT) == (place.mode is Mode.OUT)]
    if len(alike) + 1 > limits.card_day_taps_max:
        raise DayTapsReached
    if fare.amount_cents and sum(tap.fare_cents for tap in today) + fare.amount_cents > limits.card_day_cents_max:
        raise DayCentsReached


def check_device(fare: FlatFare, place: Place, taken_cents: int, limits: OfflineLimits) -> None:
    """The bound on what one validator takes in a day, of all cards together: whoever steals it gains no more.

    Raises: DeviceDayReached.
    """
    ceilings = [most for most in (limits.device_day_cents_max, place.device_day_cents_max) if most]
    if fare.amount_cents and ceilings and taken_cents + fare.amount_cents > min(ceilings):
        raise DeviceDayReached
