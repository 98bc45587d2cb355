"""The data objects of a PIV card, read strictly, written in the standard's order (SP 800-73-5 Part 1, Appendix A)."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Final, TypeVar
from uuid import UUID

from terminals.card import tlv
from terminals.card.apdu import (
    AID_PIV,
    TAG_APPLICATION_ID,
    TAG_AUTHENTICATION_MAP,
    TAG_BUFFER_LENGTH,
    TAG_CARDHOLDER_UUID,
    TAG_CERTIFICATE,
    TAG_CERTIFICATE_INFO,
    TAG_DISCOVERY,
    TAG_DUNS,
    TAG_ERROR_DETECTION,
    TAG_EXPIRY,
    TAG_FASCN,
    TAG_GUID,
    TAG_ISSUER_SIGNATURE,
    TAG_MSCUID,
    TAG_ORGANISATION,
    TAG_PIN_POLICY,
)
from terminals.card.errors import MalformedResponse
from terminals.card.keys import Slot

_Value = TypeVar("_Value")

CERTIFICATE_PLAIN: Final = b"\x00"
CERTIFICATE_GZIP: Final = b"\x01"
CERTIFICATE_LENGTH_MAX: Final = 16384
_GZIP_FRAME: Final = 16 + zlib.MAX_WBITS

PIN_POLICY_CONTACT: Final = bytes.fromhex("4000")  # the application PIN, contact interface only
PIN_POLICY_CONTACTLESS: Final = bytes.fromhex("4C00")  # and over the contactless interface, no pairing code


class DataObject(Enum):
    """The objects a city card has, by the tag GET DATA and PUT DATA name them with."""

    CERTIFICATE_CARD_AUTHENTICATION = bytes.fromhex("5FC101")
    CHUID = bytes.fromhex("5FC102")
    CERTIFICATE_AUTHENTICATION = bytes.fromhex("5FC105")
    SECURITY = bytes.fromhex("5FC106")
    CAPABILITIES = bytes.fromhex("5FC107")
    FACE = bytes.fromhex("5FC108")
    PRINTED = bytes.fromhex("5FC109")
    CERTIFICATE_SIGNATURE = bytes.fromhex("5FC10A")
    DISCOVERY = bytes((TAG_DISCOVERY,))

    @property
    def title(self) -> str:
        return _TITLES[self]

    @classmethod
    def certificate(cls, slot: Slot) -> "DataObject":
        return _CERTIFICATES[slot]


_TITLES: Final = {
    DataObject.CERTIFICATE_CARD_AUTHENTICATION: "card authentication certificate (9E)",
    DataObject.CHUID: "card holder unique identifier (CHUID)",
    DataObject.CERTIFICATE_AUTHENTICATION: "sign-in certificate (9A)",
    DataObject.SECURITY: "security object",
    DataObject.CAPABILITIES: "card capability container",
    DataObject.FACE: "facial image",
    DataObject.PRINTED: "printed information",
    DataObject.CERTIFICATE_SIGNATURE: "digital signature certificate (9C)",
    DataObject.DISCOVERY: "discovery object",
}
_CERTIFICATES: Final = {
    Slot.AUTHENTICATION: DataObject.CERTIFICATE_AUTHENTICATION,
    Slot.SIGNATURE: DataObject.CERTIFICATE_SIGNATURE,
    Slot.CARD_AUTHENTICATION: DataObject.CERTIFICATE_CARD_AUTHENTICATION,
}


def encode_certificate(der: bytes) -> bytes:
    """The content of a certificate object, uncompressed."""
    return tlv.encode_all(
        [(TAG_CERTIFICATE, der), (TAG_CERTIFICATE_INFO, CERTIFICATE_PLAIN), (TAG_ERROR_DETECTION, b"")]
    )


def decode_certificate(content: bytes) -> bytes:
    """The certificate's DER, byte for byte; unpacked when the card stores it with gzip.

    Raises:
        MalformedResponse: anything else than the elements of the standard, or a packed certificate over 16 KiB.
    """
    items = tlv.decode_unique(content)
    if items.keys() - {TAG_MSCUID} != {TAG_CERTIFICATE, TAG_CERTIFICATE_INFO, TAG_ERROR_DETECTION}:
        raise MalformedResponse("a certificate object with other elements than the standard's")
    der, info = items[TAG_CERTIFICATE], items[TAG_CERTIFICATE_INFO]
    if info == CERTIFICATE_PLAIN:
        return der
    if info == CERTIFICATE_GZIP:
        return _unpack(der)
    raise MalformedResponse("a certificate object of an unknown kind")


def _unpack(packed: bytes) -> bytes:
    inflater = zlib.decompressobj(_GZIP_FRAME)
    try:
        der = inflater.decompress(packed, CERTIFICATE_LENGTH_MAX)
    except zlib.error:
        raise MalformedResponse("a packed certificate that cannot be unpacked") from None
    if not inflater.eof or inflater.unused_data:
        raise MalformedResponse("a packed certificate that is too long or has bytes after it")
    return der


@dataclass(frozen=True, slots=True)
class Chuid:
    """The card holder unique identifier. `guid` is the card id. It proves nothing: anybody can copy it.

    `signature` is the issuer's CMS over `signed_content`, empty when there is none. `expires` is the last valid day.
    """

    fascn: bytes
    guid: UUID
    expires: date
    cardholder_uuid: UUID | None = None
    signature: bytes = field(default=b"", repr=False)
    signed_content: bytes = field(default=b"", repr=False, compare=False)

    @classmethod
    def decode(cls, content: bytes) -> "Chuid":
        """Raises: MalformedResponse: a required element is missing, doubled, unknown or of another length."""
        items = tlv.decode_unique(content)
        if items.keys() - _CHUID_KNOWN or _CHUID_REQUIRED - items.keys():
            raise MalformedResponse("a CHUID with unknown or missing elements")
        holder = items.get(TAG_CARDHOLDER_UUID)
        signed = [(tag, value) for tag, value in tlv.decode_all(content) if tag in _CHUID_SIGNED]
        return cls(
            fascn=items[TAG_FASCN],
            guid=_strictly(_uuid, items[TAG_GUID]),
            expires=_strictly(_day, items[TAG_EXPIRY]),
            cardholder_uuid=_strictly(_uuid, holder) if holder is not None else None,
            signature=items[TAG_ISSUER_SIGNATURE],
            signed_content=tlv.encode_all(signed),
        )


_CHUID_REQUIRED: Final = {TAG_FASCN, TAG_GUID, TAG_EXPIRY, TAG_ISSUER_SIGNATURE, TAG_ERROR_DETECTION}
_CHUID_KNOWN: Final = _CHUID_REQUIRED | {
    TAG_CARDHOLDER_UUID,
    TAG_ORGANISATION,
    TAG_DUNS,
    TAG_AUTHENTICATION_MAP,
    TAG_BUFFER_LENGTH,
}
# What the issuer's signature covers: all but itself and, in older cards, the buffer length (SP 800-73-5 Part 1, 3.1.2).
_CHUID_SIGNED: Final = _CHUID_KNOWN - {TAG_ISSUER_SIGNATURE, TAG_BUFFER_LENGTH}


@dataclass(frozen=True, slots=True)
class Discovery:
    """The discovery object: which application, and how its PIN may be used (`pin_policy`, two bytes)."""

    aid: bytes
    pin_policy: bytes

    def encode(self) -> bytes:
        return tlv.encode(
            TAG_DISCOVERY, tlv.encode_all([(TAG_APPLICATION_ID, self.aid), (TAG_PIN_POLICY, self.pin_policy)])
        )

    @classmethod
    def decode(cls, data: bytes) -> "Discovery":
        """Raises: MalformedResponse: not a discovery object of PIV."""
        items = tlv.decode_unique(tlv.decode_one(data, TAG_DISCOVERY))
        aid, policy = items.get(TAG_APPLICATION_ID, b""), items.get(TAG_PIN_POLICY, b"")
        if aid != AID_PIV or len(policy) != len(PIN_POLICY_CONTACT):
            raise MalformedResponse("a discovery object of another application")
        return cls(aid, policy)


def _uuid(value: bytes) -> UUID:
    return UUID(bytes=value)


def _day(value: bytes) -> date:
    text = value.decode("ascii")
    if len(text) != len("YYYYMMDD") or not text.isdigit():
        raise ValueError(text)
    return date(int(text[:4]), int(text[4:6]), int(text[6:]))


def _strictly(read: Callable[[bytes], _Value], value: bytes) -> _Value:
    try:
        return read(value)
    except ValueError:
        raise MalformedResponse("a CHUID with an identifier or a date that cannot be read") from None
