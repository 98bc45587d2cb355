"""Transit: tariffs as data, and taps that become entries."""

from cardsvc.transit.actions import import_feed
from cardsvc.transit.claims import REFUNDING, Refunding, claims_waiting
from cardsvc.transit.handler import Tapping
from cardsvc.transit.queries import stops, tariff_at, tariffs
from cardsvc.transit.riding import RideView, end_right, give_right, rides
from cardsvc.transit.rules import (
    Direction,
    Fare,
    FareEngine,
    HeldCategory,
    InvalidFeed,
    Rider,
    Stop,
    TapEvent,
    Tariff,
    TariffVersion,
    flat_fare,
    price,
    read_feed,
    revenue_account,
)
from cardsvc.transit.versions import holds

__all__ = [
    "REFUNDING",
    "Direction",
    "Fare",
    "FareEngine",
    "HeldCategory",
    "InvalidFeed",
    "Refunding",
    "RideView",
    "Rider",
    "Stop",
    "TapEvent",
    "Tapping",
    "Tariff",
    "TariffVersion",
    "claims_waiting",
    "end_right",
    "flat_fare",
    "give_right",
    "holds",
    "import_feed",
    "price",
    "read_feed",
    "revenue_account",
    "rides",
    "stops",
    "tariff_at",
    "tariffs",
]
