"""Every wire number of the card has its one name here (ISO 7816-4, SP 800-73-5 Part 2, SP 800-78-5).

A command is at most 255 data bytes on the wire: contactless readers drop extended ones. `connection.exchange` splits
and joins.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from terminals.card.errors import MalformedResponse

Octets = bytes | bytearray

# --- class bytes and instructions (SP 800-73-5 Part 2, Table 2) ---
CLA_PLAIN: Final = 0x00
CLA_CHAINED: Final = 0x10  # "more blocks follow", ISO 7816-4 5.4.1

INS_VERIFY: Final = 0x20
INS_CHANGE_REFERENCE_DATA: Final = 0x24
INS_RESET_RETRY_COUNTER: Final = 0x2C
INS_GENERATE: Final = 0x47
INS_GENERAL_AUTHENTICATE: Final = 0x87
INS_SELECT: Final = 0xA4
INS_GET_RESPONSE: Final = 0xC0
INS_GET_DATA: Final = 0xCB
INS_PUT_DATA: Final = 0xDB
# Yubico's own, no part of the standard (github Yubico/yubikey-manager, yubikit/piv.py)
INS_GET_METADATA: Final = 0xF7
INS_GET_SERIAL: Final = 0xF8
INS_GET_VERSION: Final = 0xFD
INS_SET_MANAGEMENT_KEY: Final = 0xFF

# --- parameters ---
P1_NONE: Final = 0x00
P2_NONE: Final = 0x00
P1_BY_NAME: Final = 0x04  # SELECT by AID
P1_LOG_OUT: Final = 0xFF  # VERIFY: forget that the PIN was verified
P1_DATA_OBJECT: Final = 0x3F
P2_DATA_OBJECT: Final = 0xFF
P1_SET_KEY: Final = 0xFF
P2_SET_KEY: Final = 0xFF
P2_SET_KEY_WITH_TOUCH: Final = 0xFE

# --- key references (SP 800-73-5 Part 1, Table 5) ---
KEY_PIN: Final = 0x80
KEY_PUK: Final = 0x81
KEY_MANAGEMENT: Final = 0x9B

# --- algorithm identifiers (SP 800-78-5, Table 9) ---
ALGORITHM_3DES: Final = 0x03
ALGORITHM_RSA_3072: Final = 0x05
ALGORITHM_RSA_1024: Final = 0x06
ALGORITHM_RSA_2048: Final = 0x07
ALGORITHM_AES_128: Final = 0x08
ALGORITHM_AES_192: Final = 0x0A
ALGORITHM_AES_256: Final = 0x0C
ALGORITHM_P256: Final = 0x11
ALGORITHM_P384: Final = 0x14
ALGORITHM_RSA_4096: Final = 0x16  # Yubico's, no part of the standard
ALGORITHM_FOR_PIN: Final = 0xFF  # Yubico's metadata: the reference is a PIN, not a key

# --- application identifiers ---
AID_PIV: Final = bytes.fromhex("A000000308000010000100")  # RID, PIX, version 01 00
AID_PIV_NO_VERSION: Final = AID_PIV[:9]
AID_PIV_RID: Final = AID_PIV[:5]
AID_CARD_MANAGER: Final = bytes.fromhex("A000000151000000")  # GlobalPlatform issuer security domain

# --- tags ---
TAG_APPLICATION_TEMPLATE: Final = 0x61
TAG_APPLICATION_ID: Final = 0x4F
TAG_ALLOCATION_AUTHORITY: Final = 0x79
TAG_APPLICATION_LABEL: Final = 0x50
TAG_ALGORITHMS: Final = 0xAC
TAG_MECHANISM: Final = 0x80
TAG_OBJECT_ID: Final = 0x06
TAG_TAG_LIST: Final = 0x5C
TAG_DATA: Final = 0x53
TAG_DISCOVERY: Final = 0x7E
TAG_PIN_POLICY: Final = 0x5F2F
TAG_DYNAMIC_AUTHENTICATION: Final = 0x7C
TAG_WITNESS: Final = 0x80
TAG_CHALLENGE: Final = 0x81
TAG_RESPONSE: Final = 0x82
TAG_CONTROL_REFERENCE: Final = 0xAC
TAG_PUBLIC_KEY: Final = 0x7F49
TAG_EC_POINT: Final = 0x86
TAG_CERTIFICATE: Final = 0x70
TAG_CERTIFICATE_INFO: Final = 0x71
TAG_MSCUID: Final = 0x72  # legacy, accepted when read
TAG_ERROR_DETECTION: Final = 0xFE
TAG_FASCN: Final = 0x30
TAG_ORGANISATION: Final = 0x32  # deprecated CHUID elements, accepted when read
TAG_DUNS: Final = 0x33
TAG_GUID: Final = 0x34
TAG_EXPIRY: Final = 0x35
TAG_CARDHOLDER_UUID: Final = 0x36
TAG_AUTHENTICATION_MAP: Final = 0x3D
TAG_ISSUER_SIGNATURE: Final = 0x3E
TAG_BUFFER_LENGTH: Final = 0xEE
# Yubico's metadata answer
TAG_META_ALGORITHM: Final = 0x01
TAG_META_POLICY: Final = 0x02
TAG_META_ORIGIN: Final = 0x03
TAG_META_PUBLIC_KEY: Final = 0x04
TAG_META_DEFAULT: Final = 0x05
TAG_META_RETRIES: Final = 0x06

# --- sizes ---
SHORT_DATA_MAX: Final = 255
SHORT_LE_MAX: Final = 256
EXTENDED_LE_MAX: Final = 65536
PIN_FILL: Final = 0xFF
REFERENCE_DATA_LENGTH: Final = 8  # a PIN padded with PIN_FILL, or a PUK


class SW(IntEnum):
    """Status words. `SW.DONE.meaning` is a sentence part for a human."""

    DONE = 0x9000
    MORE_DATA = 0x6100  # low byte: how many
    PAIRING_CODE_WRONG = 0x6300
    TRIES_LEFT = 0x63C0  # low nibble: how many
    STATE_UNCHANGED = 0x6400
    MEMORY_FAILURE = 0x6581
    WRONG_LENGTH = 0x6700
    NO_LOGICAL_CHANNEL = 0x6881
    NO_SECURE_MESSAGING = 0x6882
    CHAIN_EXPECTED = 0x6883
    NO_CHAINING = 0x6884
    NOT_ALLOWED_NOW = 0x6982
    BLOCKED = 0x6983
    REFERENCE_UNUSABLE = 0x6984
    CONDITIONS_NOT_SATISFIED = 0x6985
    NO_CURRENT_FILE = 0x6986
    SECURE_MESSAGING_MISSING = 0x6987
    SECURE_MESSAGING_WRONG = 0x6988
    BAD_DATA = 0x6A80
    NOT_SUPPORTED = 0x6A81
    NOT_FOUND = 0x6A82
    NO_MEMORY = 0x6A84
    LENGTH_AND_STRUCTURE = 0x6A85
    BAD_PARAMETERS = 0x6A86
    LENGTH_AND_PARAMETERS = 0x6A87
    NO_SUCH_KEY = 0x6A88
    ALREADY_THERE = 0x6A89
    OUT_OF_RANGE = 0x6B00
    WRONG_LE = 0x6C00  # low byte: the right one
    UNKNOWN_INSTRUCTION = 0x6D00
    UNKNOWN_CLASS = 0x6E00
    NO_DIAGNOSIS = 0x6F00

    @property
    def meaning(self) -> str:
        return _MEANINGS[self]


_MEANINGS: Final = {
    SW.DONE: "done",
    SW.MORE_DATA: "done, more bytes wait",
    SW.PAIRING_CODE_WRONG: "it did not verify",
    SW.TRIES_LEFT: "wrong PIN or PUK, the last digit says how many tries are left",
    SW.STATE_UNCHANGED: "execution error, nothing was changed",
    SW.MEMORY_FAILURE: "the card's memory failed",
    SW.WRONG_LENGTH: "wrong length",
    SW.NO_LOGICAL_CHANNEL: "logical channels are not supported",
    SW.NO_SECURE_MESSAGING: "secure messaging is not supported",
    SW.NO_CHAINING: "command chaining is not supported",
    SW.CHAIN_EXPECTED: "the rest of a chained command was expected",
    SW.NOT_ALLOWED_NOW: "not allowed now",
    SW.BLOCKED: "blocked",
    SW.REFERENCE_UNUSABLE: "the reference data cannot be used",
    SW.NO_CURRENT_FILE: "the command is not allowed here",
    SW.CONDITIONS_NOT_SATISFIED: "conditions of use not satisfied",
    SW.SECURE_MESSAGING_MISSING: "secure messaging objects are missing",
    SW.SECURE_MESSAGING_WRONG: "secure messaging objects are wrong",
    SW.BAD_DATA: "a parameter in the data is wrong",
    SW.NOT_SUPPORTED: "the function is not supported",
    SW.NOT_FOUND: "no such object or application",
    SW.NO_MEMORY: "no memory left",
    SW.LENGTH_AND_STRUCTURE: "the length does not fit the structure",
    SW.LENGTH_AND_PARAMETERS: "the length does not fit P1 and P2",
    SW.ALREADY_THERE: "it exists already",
    SW.OUT_OF_RANGE: "P1 or P2 is out of range",
    SW.BAD_PARAMETERS: "P1 or P2 is wrong",
    SW.NO_SUCH_KEY: "no such key",
    SW.WRONG_LE: "wrong expected length, the last byte says the right one",
    SW.UNKNOWN_INSTRUCTION: "unknown instruction",
    SW.UNKNOWN_CLASS: "unknown class",
    SW.NO_DIAGNOSIS: "no precise diagnosis",
}


def meaning(sw: int) -> str:
    """A sentence part for any status word: its own, or what its first byte says of the class (ISO 7816-4, 5.6)."""
    counted = sw & 0xFFF0 if sw & 0xFFF0 == SW.TRIES_LEFT else sw & 0xFF00
    for word in (sw, counted):
        if word in _MEANINGS:
            return SW(word).meaning
    return _CLASSES.get(sw >> 8, "unknown status")


_CLASSES: Final = {
    0x62: "a warning, nothing was changed",
    0x63: "a warning, something was changed",
    0x64: "execution error, nothing was changed",
    0x65: "execution error, something was changed",
    0x66: "a security fault",
    0x68: "the class is not supported",
    0x69: "not allowed",
    0x6A: "wrong parameters",
}


@dataclass(frozen=True, slots=True)
class CommandApdu:
    """One command. `le` is the number of answer bytes wanted, `None` for none. `data`, maybe a PIN, is not in `repr`.

    Data over 255 bytes is chained by `exchange`; it never goes on the wire in one piece.
    """

    cla: int
    ins: int
    p1: int
    p2: int
    data: Octets = field(default=b"", repr=False)
    le: int | None = None

    def encode(self) -> bytearray:
        """The short form (ISO 7816-4 5.1). A bytearray, so that the sender can wipe it.

        Raises:
            ValueError: the command needs the extended form, which contactless readers drop.
        """
        if len(self.data) > SHORT_DATA_MAX or (self.le is not None and not 0 < self.le <= SHORT_LE_MAX):
            raise ValueError("a command on the wire has at most 255 data bytes and asks for at most 256")
        frame = bytearray((self.cla, self.ins, self.p1, self.p2))
        if self.data:
            frame.append(len(self.data))
            frame += self.data
        if self.le is not None:
            frame.append(self.le % SHORT_LE_MAX)
        return frame

    @classmethod
    def decode(cls, frame: Octets) -> "CommandApdu":
        """Read a command as a card does: short and extended forms, cases 1 to 4 (ISO 7816-4 5.1).

        Raises:
            ValueError: the lengths do not add up.
        """
        if len(frame) < _HEADER_LENGTH:
            raise ValueError("a command has at least four bytes")
        cla, ins, p1, p2 = frame[:_HEADER_LENGTH]
        body = bytes(frame[_HEADER_LENGTH:])
        extended = len(body) >= _EXTENDED_LENGTH and body[0] == 0
        data, le = _decode_extended(body[1:]) if extended else _decode_short(body)
        return cls(cla, ins, p1, p2, data, le)


_HEADER_LENGTH: Final = 4
_EXTENDED_LENGTH: Final = 3  # a zero, then two bytes of length


def _decode_short(body: bytes) -> tuple[bytes, int | None]:
    if not body:
        return b"", None
    if len(body) == 1:
        return b"", body[0] or SHORT_LE_MAX
    data, rest = body[1 : 1 + body[0]], body[1 + body[0] :]
    if not data or len(data) != body[0] or len(rest) > 1:
        raise ValueError("Lc does not fit the data")
    return data, (rest[0] or SHORT_LE_MAX) if rest else None


def _decode_extended(body: bytes) -> tuple[bytes, int | None]:
    length, rest = int.from_bytes(body[:2]), body[2:]
    if not rest:
        return b"", length or EXTENDED_LE_MAX
    data, rest = rest[:length], rest[length:]
    if not length or len(data) != length or len(rest) not in (0, 2):
        raise ValueError("Lc does not fit the data")
    return data, (int.from_bytes(rest) or EXTENDED_LE_MAX) if rest else None


def within_short_limits(frame: Octets) -> None:
    """Raises: ValueError: this is no short command (ISO 7816-4 5.1). Contactless readers drop the extended ones."""
    rest = len(frame) - _HEADER_LENGTH - 1  # what follows the fifth byte, which is Le when nothing does, else Lc
    if rest < -1 or (rest > 0 and (frame[_HEADER_LENGTH] == 0 or rest - frame[_HEADER_LENGTH] not in (0, 1))):
        raise ValueError("a command on the wire has at most 255 data bytes and asks for at most 256")


def t0_frame(frame: Octets) -> Octets:
    """A short command as the protocol T=0 wants it: five bytes at least, and no Le after data (ISO 7816-3 12.2)."""
    if len(frame) == _HEADER_LENGTH:
        return frame + b"\0"
    has_data = len(frame) > _HEADER_LENGTH + 1
    return frame[:-1] if has_data and len(frame) == _HEADER_LENGTH + 1 + frame[_HEADER_LENGTH] + 1 else frame


@dataclass(frozen=True, slots=True)
class ResponseApdu:
    """One answer: data and status word."""

    data: bytes = field(repr=False)
    sw: int

    @property
    def ok(self) -> bool:
        return self.sw == SW.DONE

    @property
    def tries_left(self) -> int | None:
        """The x of 63Cx; None for any other status."""
        return self.sw & 0x0F if self.sw & 0xFFF0 == SW.TRIES_LEFT else None

    def encode(self) -> bytes:
        return self.data + self.sw.to_bytes(2)

    @classmethod
    def decode(cls, frame: Octets) -> "ResponseApdu":
        """Raises: MalformedResponse: fewer than the two bytes of a status word."""
        if len(frame) < 2:  # noqa: PLR2004 - a status word is two bytes
            raise MalformedResponse("an answer without a status word")
        return cls(bytes(frame[:-2]), int.from_bytes(frame[-2:]))
