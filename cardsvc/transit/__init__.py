"""Transit: tariffs as data, and taps that become entries."""

from cardsvc.transit.actions import import_feed
from cardsvc.transit.handler import Tapping
from cardsvc.transit.queries import stops, tariff_at, tariffs
from cardsvc.transit.rules import Fare, InvalidFeed, Stop, Tariff, flat_fare, revenue_account

__all__ = [
    "Fare",
    "InvalidFeed",
    "Stop",
    "Tapping",
    "Tariff",
    "flat_fare",
    "import_feed",
    "revenue_account",
    "stops",
    "tariff_at",
    "tariffs",
]
