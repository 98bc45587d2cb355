"""An enrolled terminal: its outbox, its policy, its service; and the city's card in the reader before it."""

from terminals.station import console
from terminals.station.errors import (
    AnotherCard,
    CardDenied,
    ClockBehind,
    DenyListRefused,
    ForeignCard,
    MassDenial,
    NoDenyList,
    NoPolicy,
    OtherKind,
    PolicyTooOld,
    ReceiptInvalid,
    StationError,
)
from terminals.station.holder import (
    Authorise,
    CityCard,
    card_of,
    consent,
    presence,
    question,
    read_card,
    wipe,
)
from terminals.station.news import News, limits_at, news_at
from terminals.station.pace import Pace
from terminals.station.station import Station, Uploaded, enrol, enrolment_statement

__all__ = [
    "AnotherCard",
    "Authorise",
    "CardDenied",
    "CityCard",
    "ClockBehind",
    "DenyListRefused",
    "ForeignCard",
    "MassDenial",
    "News",
    "NoDenyList",
    "NoPolicy",
    "OtherKind",
    "Pace",
    "PolicyTooOld",
    "ReceiptInvalid",
    "Station",
    "StationError",
    "Uploaded",
    "card_of",
    "consent",
    "console",
    "enrol",
    "enrolment_statement",
    "limits_at",
    "news_at",
    "presence",
    "question",
    "read_card",
    "wipe",
]
