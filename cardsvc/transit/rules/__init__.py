"""Transit's decisions: reading feeds, pricing taps."""

from cardsvc.transit.rules.cases import CheckedCase, InvalidCases, check_cases
from cardsvc.transit.rules.fares import Tariff, check_tap, concession_account, flat_fare, pool_account, revenue_account
from cardsvc.transit.rules.feed import Fare, Feed, InvalidFeed, Network, Stop
from cardsvc.transit.rules.gtfs import FareFeed, read_feed
from cardsvc.transit.rules.importing import read
from cardsvc.transit.rules.journeys import FareEngine
from cardsvc.transit.rules.pricing import HeldCategory, HeldPass, Journey, Priced, Rider, explained, price
from cardsvc.transit.rules.quoting import Answer, Asked, InvalidQuote, Question, quote, read_time
from cardsvc.transit.rules.rides import Direction, Ending, Ride, TapEvent
from cardsvc.transit.rules.tariffs import FareLine, TariffVersion

__all__ = [
    "Answer",
    "Asked",
    "CheckedCase",
    "Direction",
    "Ending",
    "Fare",
    "FareEngine",
    "FareFeed",
    "FareLine",
    "Feed",
    "HeldCategory",
    "HeldPass",
    "InvalidCases",
    "InvalidFeed",
    "InvalidQuote",
    "Journey",
    "Network",
    "Priced",
    "Question",
    "Ride",
    "Rider",
    "Stop",
    "TapEvent",
    "Tariff",
    "TariffVersion",
    "check_cases",
    "check_tap",
    "concession_account",
    "explained",
    "flat_fare",
    "pool_account",
    "price",
    "quote",
    "read",
    "read_feed",
    "read_time",
    "revenue_account",
]
