"""What a validator decides without asking anybody. The order of the checks is the order of this file."""

from collections.abc import Sequence
from typing import ClassVar

from crypto.wire.policy import FlatFare, OfflineLimits, Policy
from terminals.validator.values import EarlierTap, Place


class TapRefused(Exception):
    """The tap is refused by a rule; the message is one sentence for the rider."""

    code: ClassVar[str] = "tap_refused"


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


def earlier_tap(taps: Sequence[EarlierTap], now_ms: int, place: Place) -> EarlierTap | None:
    """The tap that this one repeats: the newest within the duplicate window. A clock that was set back counts too."""
    recent = [tap for tap in taps if now_ms - tap.at_ms < place.duplicate_ms]
    return recent[-1] if recent else None


def fare_at(policy: Policy, place: Place) -> FlatFare:
    """What a ride costs here. Raises: NoFare."""
    for fare in policy.fares:
        if fare.network_id == place.network_id and place.rider_category in (None, fare.rider_category):
            return fare
    raise NoFare(place)


def check_ceilings(fare: FlatFare, today: Sequence[EarlierTap], limits: OfflineLimits) -> None:
    """The policy's bound on what one card can take on credit at one validator in a day. Raises: TapRefused."""
    if fare.amount_cents > limits.tap_cents_max:
        raise FareOverLimit
    if len(today) + 1 > limits.card_day_taps_max:
        raise DayTapsReached
    if sum(tap.fare_cents for tap in today) + fare.amount_cents > limits.card_day_cents_max:
        raise DayCentsReached
