"""Transit's decisions: reading feeds, pricing taps."""

from cardsvc.transit.rules.cases import CheckedCase, InvalidCases, check_cases
from cardsvc.transit.rules.fares import Tariff, check_tap, flat_fare, revenue_account
from cardsvc.transit.rules.feed import Fare, Feed, InvalidFeed, Network, Stop
from cardsvc.transit.rules.gtfs import FareFeed, read_feed
from cardsvc.transit.rules.importing import read
from cardsvc.transit.rules.journeys import FareEngine
from cardsvc.transit.rules.quoting import Answer, Asked, InvalidQuote, Question, quote, read_time
from cardsvc.transit.rules.tariffs import TariffVersion

__all__ = [
    "Answer",
    "Asked",
    "CheckedCase",
    "Fare",
    "FareEngine",
    "FareFeed",
    "Feed",
    "InvalidCases",
    "InvalidFeed",
    "InvalidQuote",
    "Network",
    "Question",
    "Stop",
    "Tariff",
    "TariffVersion",
    "check_cases",
    "check_tap",
    "flat_fare",
    "quote",
    "read",
    "read_feed",
    "read_time",
    "revenue_account",
]
