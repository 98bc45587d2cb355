"""Decisions about terminals: what an invite code is, when denials are too many."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from cardsvc.errors import CityError, ErrorKind
from crypto import cbor, keys
from crypto.errors import InvalidSignature, MalformedMessage

CODE_BYTES = 10
"""80 bits: nobody guesses a code in the days it lives."""
_GROUP = 4
INVITE_VALIDITY = timedelta(days=7)
CERTIFICATE_VALIDITY = timedelta(days=5 * 365)
CLOCK_LEEWAY = timedelta(minutes=5)
POLICY_VALIDITY = timedelta(days=4)
REVOCATION_VALIDITY = timedelta(hours=24)


class DeviceKind(StrEnum):
    COUNTER = "counter"
    KIOSK = "kiosk"
    VALIDATOR = "validator"
    PORTAL = "portal"  # the service itself, where staff act at a page


INVITED_KINDS = (DeviceKind.COUNTER, DeviceKind.KIOSK, DeviceKind.VALIDATOR)


class DeviceStatus(StrEnum):
    ENROLLED = "enrolled"
    REVOKED = "revoked"


class DeviceNotFound(CityError):
    code = "device_not_found"
    kind = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("No terminal of this city has this id. Look at ./city devices list.")


class InvalidInvite(CityError):
    """Also for a code that never was: whoever guesses learns nothing."""

    code = "invalid_invite"
    kind = ErrorKind.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("This enrolment code is wrong, used or too old. Ask the administrator for a new one.")


class InvalidTerminalKey(CityError):
    code = "invalid_terminal_key"
    kind = ErrorKind.UNPROCESSABLE

    def __init__(self) -> None:
        super().__init__("The terminal's key is not a P-256 key in its one encoding. Update the terminal's program.")


class InvalidEnrolmentProof(CityError):
    code = "invalid_enrolment_proof"
    kind = ErrorKind.UNPROCESSABLE

    def __init__(self) -> None:
        super().__init__("The terminal did not prove that it holds its key. Enrol it again with the same code.")


class TerminalKeyInUse(CityError):
    code = "terminal_key_in_use"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("This key belongs to another terminal. Remove the terminal's key file and enrol it again.")


class UnknownAuthority(CityError):
    code = "unknown_authority"
    kind = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("The city publishes root, card-ca, terminal-ca and content as .cer, both authorities as .crl.")


class NoDeltaFrom(CityError):
    code = "no_delta"
    kind = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("There is no shorter way from that deny list to the newest one. Take the whole list.")


class HeldChanged(CityError):
    code = "held_changed"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__(
            "Other cards are held back than the action names. Look at /v1/deny-list/held, propose it anew."
        )


class DenyListFull(CityError):
    """More than a message holds. Terminals keep the list they have, and stop when their policy ends."""

    code = "deny_list_full"
    kind = ErrorKind.UNAVAILABLE

    def __init__(self, entries_max: int) -> None:
        super().__init__(f"More than {entries_max} entries would be denied. Let another authority certify new cards.")


# ----------------------------------------------------------------------------------------------------------- deny lists


@dataclass(frozen=True, slots=True)
class Breaker:
    """How many cards may be denied within `window` without two people: `floor`, or `percent` of the cards in use.
    As many may come onto the list in that time because they owe a fare; those behind them wait.
    """

    floor: int
    percent: int
    window: timedelta

    def trips(self, new: int, lately: int, cards_in_use: int) -> bool:
        """Whether `new` denials, beside those of the last `window`, are too many."""
        return new > self.room(lately, cards_in_use)

    def room(self, lately: int, cards_in_use: int) -> int:
        """How many more may come, beside those of the last `window`."""
        return max(0, max(self.floor, cards_in_use * self.percent // 100) - lately)


BREAKER = Breaker(floor=100, percent=1, window=timedelta(hours=1))
"""A city loses a few cards an hour. More than a hundred, and more than one of a hundred, is a fault or a decision."""

OWING_KEPT = timedelta(days=31)
"""How long it is known which cards owed on a list: a terminal whose whole list is older takes a whole list again."""


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one entry of the deny list, from one list to a later one."""

    entry: bytes
    denied: bool


def net(history: Sequence[Change]) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """What changes of many lists come to: the entries added and those removed. `history` is in the order of numbers.

    An entry comes and goes in turns, so its first change tells what was before: what came and went again is nothing.
    """
    first: dict[bytes, bool] = {}
    last: dict[bytes, bool] = {}
    for change in history:
        first.setdefault(change.entry, change.denied)
        last[change.entry] = change.denied
    added = tuple(entry for entry, denied in last.items() if denied and first[entry])
    removed = tuple(entry for entry, denied in last.items() if not denied and not first[entry])
    return added, removed


# ------------------------------------------------------------------------------------------------------------ enrolment


def code_of(random: bytes) -> str:
    """The invite code as it is read out and typed: `ABCD-EFGH-...`."""
    letters = base64.b32encode(random).decode()
    return "-".join(letters[start : start + _GROUP] for start in range(0, len(letters), _GROUP))


def code_hash(code: str) -> bytes:
    """What is stored of a code; spaces, dashes and small letters do not matter."""
    typed = "".join(character for character in code.upper() if character.isalnum())
    return hashlib.sha256(b"city.invite.v1" + typed.encode()).digest()


def enrolment_statement(code: str, spki: bytes) -> bytes:
    """What a terminal's key signs to prove that the terminal holds it; `code` as it was typed there."""
    return cbor.encode(["city.enrol", 1, code, spki])


def proven_key(code: str, spki: bytes, proof: bytes) -> EllipticCurvePublicKey:
    """The terminal's key, when it signed the enrolment. Raises: InvalidTerminalKey, InvalidEnrolmentProof."""
    try:
        public_key = keys.load_spki(spki)
    except MalformedMessage as error:
        raise InvalidTerminalKey from error
    if not isinstance(public_key, EllipticCurvePublicKey):
        raise InvalidTerminalKey
    try:
        keys.verify(public_key, enrolment_statement(code, spki), proof)
    except InvalidSignature as error:
        raise InvalidEnrolmentProof from error
    return public_key
