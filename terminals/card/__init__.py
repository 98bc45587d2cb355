"""Cards and readers: APDUs, the PIV session, readers, and a PIV card in software.

Other rooms use what this page lists. `pcsc`, the reader over pyscard, is not on it: only an app's start-up chooses it.
"""

from terminals.card.connection import CardConnection, Interface, Reader
from terminals.card.errors import (
    BadPublicKey,
    BadSignature,
    CardError,
    CardMute,
    CardNotGenuine,
    CardRemoved,
    Condition,
    KeyMissing,
    LastPinTry,
    MalformedResponse,
    NoCard,
    NoRoom,
    NotAllowed,
    NotAPivCard,
    ObjectMissing,
    PinBlocked,
    PinFormat,
    PinRejected,
    ProductUnsupported,
    PukBlocked,
    PukFormat,
    PukRejected,
    ReaderBusy,
    ReaderUnavailable,
    SessionEnded,
    TransportError,
    UnexpectedStatus,
    WrongManagementKey,
)
from terminals.card.keys import ManagementAlgorithm, Slot, der_signature
from terminals.card.local import CardInSlot, LocalConnection, LocalReader
from terminals.card.objects import Chuid, DataObject, Discovery, encode_certificate
from terminals.card.pcscd import PrivatePcscd, SystemPcscd
from terminals.card.pins import PinStatus
from terminals.card.products import CardProduct, UnknownProduct, YubicoStyle, product_of
from terminals.card.session import Application, PivSession
from terminals.card.simulator import CardFile, CardSettings, CardState, SimulatedCard, factory_key
from terminals.card.vpcd import VirtualReader

__all__ = [
    "Application",
    "BadPublicKey",
    "BadSignature",
    "CardConnection",
    "CardError",
    "CardFile",
    "CardInSlot",
    "CardMute",
    "CardNotGenuine",
    "CardProduct",
    "CardRemoved",
    "CardSettings",
    "CardState",
    "Chuid",
    "Condition",
    "DataObject",
    "Discovery",
    "Interface",
    "KeyMissing",
    "LastPinTry",
    "LocalConnection",
    "LocalReader",
    "MalformedResponse",
    "ManagementAlgorithm",
    "NoCard",
    "NoRoom",
    "NotAPivCard",
    "NotAllowed",
    "ObjectMissing",
    "PinBlocked",
    "PinFormat",
    "PinRejected",
    "PinStatus",
    "PivSession",
    "PrivatePcscd",
    "ProductUnsupported",
    "PukBlocked",
    "PukFormat",
    "PukRejected",
    "Reader",
    "ReaderBusy",
    "ReaderUnavailable",
    "SessionEnded",
    "SimulatedCard",
    "Slot",
    "SystemPcscd",
    "TransportError",
    "UnexpectedStatus",
    "UnknownProduct",
    "VirtualReader",
    "WrongManagementKey",
    "YubicoStyle",
    "der_signature",
    "encode_certificate",
    "factory_key",
    "product_of",
]
