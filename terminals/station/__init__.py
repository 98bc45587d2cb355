"""An enrolled terminal: its outbox, its policy, its service; and the city's card in the reader before it."""

from terminals.station import console
from terminals.station.errors import (
    AnotherCard,
    CardDenied,
    ClockBehind,
    ForeignCard,
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
    check_not_denied,
    consent,
    presence,
    question,
    read_card,
    wipe,
)
from terminals.station.station import Station, Uploaded, enrol, enrolment_statement

__all__ = [
    "AnotherCard",
    "Authorise",
    "CardDenied",
    "CityCard",
    "ClockBehind",
    "ForeignCard",
    "NoPolicy",
    "OtherKind",
    "PolicyTooOld",
    "ReceiptInvalid",
    "Station",
    "StationError",
    "Uploaded",
    "card_of",
    "check_not_denied",
    "consent",
    "console",
    "enrol",
    "enrolment_statement",
    "presence",
    "question",
    "read_card",
    "wipe",
]
