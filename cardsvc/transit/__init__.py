"""Transit: tariffs as data, and taps that become entries."""

from cardsvc.transit.actions import import_feed
from cardsvc.transit.claims import REFUNDING, Refunding, claims_waiting, refunded_before
from cardsvc.transit.handler import Tapping
from cardsvc.transit.passes import Holding, OnSale, Selling, held, on_sale
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
    "Holding",
    "InvalidFeed",
    "OnSale",
    "Refunding",
    "RideView",
    "Rider",
    "Selling",
    "Stop",
    "TapEvent",
    "Tapping",
    "Tariff",
    "TariffVersion",
    "claims_waiting",
    "end_right",
    "flat_fare",
    "give_right",
    "held",
    "holds",
    "import_feed",
    "on_sale",
    "price",
    "read_feed",
    "refunded_before",
    "revenue_account",
    "rides",
    "stops",
    "tariff_at",
    "tariffs",
]
