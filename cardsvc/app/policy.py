"""What validators may do without asking: the limits, and what the tariff of today says to them."""

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from cardsvc import devices, money, transit
from crypto.wire.policy import FlatFare, OfflineLimits

_HOUR_MS: Final = 3600 * 1000
LIMITS: Final = OfflineLimits(
    tap_cents_max=100_00,
    card_day_cents_max=500_00,
    card_day_taps_max=20,
    policy_age_ms_max=4 * 24 * _HOUR_MS,
    age_warning_ms=12 * _HOUR_MS,
    age_lower_ms=24 * _HOUR_MS,
    lower_tap_cents_max=50_00,
    lower_card_day_cents_max=100_00,
    device_day_cents_max=20_000 * 28_00,
)
"""What a validator may accept without asking. The loss limit of a card is `card_day_cents_max` a validator and day,
that of a validator `device_day_cents_max`: no gate has as many riders a day as that makes of the highest hold.

A gate works for days without a network. What it may lose falls after the first day, because its deny list is as old as
its policy; after the fourth nothing is accepted.
"""


def _fares(session: Session, now: datetime) -> tuple[FlatFare, ...]:
    tariff = transit.tariff_at(session, now)
    if tariff is None:
        return ()
    return tuple(
        FlatFare(fare.network_id, tariff.default_category, fare.amount_cents, fare.currency)
        for network_id in sorted(tariff.agency_of)
        if (fare := transit.flat_fare(tariff, network_id, tariff.default_category)) is not None
    )


def _holds(session: Session, now: datetime) -> tuple[FlatFare, ...]:
    """What is held at an entry, where an exit ends the ride: the maximum fare, for whoever rides."""
    tariff = transit.tariff_at(session, now)
    if tariff is None:
        return ()
    return tuple(
        FlatFare(network_id, tariff.default_category, cents, money.CURRENCY)
        for network_id, cents in sorted(transit.holds(session, now).items())
    )


def _tariff_version(session: Session, now: datetime) -> int:
    tariff = transit.tariff_at(session, now)
    return 0 if tariff is None else tariff.version


SOURCES: Final = devices.PolicySources(_fares, _tariff_version, lambda _session, _now: LIMITS, _holds)
