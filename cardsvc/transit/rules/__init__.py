"""Transit's decisions: reading feeds, pricing taps."""

from cardsvc.transit.rules.cases import CheckedCase, InvalidCases, check_cases
from cardsvc.transit.rules.fares import Tariff, check_tap, flat_fare, revenue_account
from cardsvc.transit.rules.feed import Fare, Feed, InvalidFeed, Network, Stop, read

__all__ = [
    "CheckedCase",
    "Fare",
    "Feed",
    "InvalidCases",
    "InvalidFeed",
    "Network",
    "Stop",
    "Tariff",
    "check_cases",
    "check_tap",
    "flat_fare",
    "read",
    "revenue_account",
]
