"""Decisions about terminals: what an invite code is, whether a chain of records holds, when denials are too many."""

import base64
import hashlib
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

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
NO_HASH = bytes(32)
"""What the first record of a terminal names as its previous one."""


class DeviceKind(StrEnum):
    COUNTER = "counter"
    KIOSK = "kiosk"
    VALIDATOR = "validator"
    PORTAL = "portal"  # the service itself, where staff act at a page


INVITED_KINDS = (DeviceKind.COUNTER, DeviceKind.KIOSK, DeviceKind.VALIDATOR)


class DeviceStatus(StrEnum):
    ENROLLED = "enrolled"
    REVOKED = "revoked"


class AnomalyKind(StrEnum):
    GAP = "gap"  # records between two that we have never came
    FORK = "fork"  # two records claim one place in the chain: somebody may have copied the terminal's key


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
    """How many cards may be denied within `window` without two people: `floor`, or `percent` of the cards in use."""

    floor: int
    percent: int
    window: timedelta

    def trips(self, new: int, lately: int, cards_in_use: int) -> bool:
        """Whether `new` denials, beside those of the last `window`, are too many."""
        return new > 0 and new + lately > max(self.floor, cards_in_use * self.percent // 100)


BREAKER = Breaker(floor=100, percent=1, window=timedelta(hours=1))
"""A city loses a few cards an hour. More than a hundred, and more than one of a hundred, is a fault or a decision."""


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


# ------------------------------------------------------------------------------------------------------------ the chain


Link = tuple[int, UUID, bytes, bytes]
"""A record in its terminal's chain: sequence, record id, hash of the record before, the record's own hash."""

MISSING_OVERDUE = timedelta(hours=24)
"""So long may a terminal be offline between two uploads before people are told that records are missing."""


@dataclass(frozen=True, slots=True)
class Anomaly:
    """Something wrong in a terminal's chain. A gap lasts from `sequence` to `until`; a fork is at `sequence`."""

    kind: AnomalyKind
    sequence: int
    until: int
    record_id: UUID


class ForkWhy(StrEnum):
    PLACE = "place"  # another record was at its place
    PREVIOUS = "previous"  # the record before it is another one than it names


@dataclass(frozen=True, slots=True)
class Fork:
    """Two records of which a whole chain has one: what came, and what was there. `other_id` is `NOBODY` where only the
    hash is known.
    """

    sequence: int
    why: ForkWhy
    record_id: UUID
    record_hash: bytes
    other_id: UUID
    other_hash: bytes


NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Missing:
    """Sequences that have not come though later ones did; both ends belong to it. `since`: when that was seen."""

    first: int
    last: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Chain:
    """Where a terminal's chain ends: the last record's number and hash (0 and `NO_HASH` before the first)."""

    sequence: int
    record_hash: bytes


@dataclass(frozen=True, slots=True)
class Grown:
    """What became of a chain. `gaps` name the record that showed each; `late` came at or before the chain's end."""

    chain: Chain
    gaps: tuple[Anomaly, ...]
    forks: tuple[Fork, ...]
    late: tuple[Link, ...]


def grow(chain: Chain, links: Sequence[Link]) -> Grown:
    """Where the chain ends after `links`, in any order, all of them new. Those not at its end are for `fill`."""
    gaps: list[Anomaly] = []
    forks: list[Fork] = []
    late: list[Link] = []
    last = NOBODY
    for link in sorted(links, key=lambda link: link[0]):
        sequence, record_id, previous, record_hash = link
        if sequence <= chain.sequence:
            late.append(link)
            continue
        if sequence > chain.sequence + 1:
            gaps.append(Anomaly(AnomalyKind.GAP, chain.sequence + 1, sequence - 1, record_id))
        elif previous != chain.record_hash:
            forks.append(Fork(sequence, ForkWhy.PREVIOUS, record_id, record_hash, last, chain.record_hash))
        chain, last = Chain(sequence, record_hash), record_id
    return Grown(chain, tuple(gaps), tuple(forks), tuple(late))


@dataclass(frozen=True, slots=True)
class Filled:
    """What late records did: `missing` is what is missing still, `filled` those that came into a gap, with the
    time since when they were missed; `forks` are all that is wrong with the others.
    """

    missing: tuple[Missing, ...]
    filled: tuple[tuple[Link, datetime], ...]
    forks: tuple[Fork, ...]


def fill(late: Sequence[Link], missing: Sequence[Missing], placed: Sequence[Link]) -> Filled:
    """Put late records into the gaps. `missing` are the gaps in order, `placed` the records that stand at the same
    places and beside them; the late ones may be among these.

    A record that fits neither a gap nor its neighbours is a fork: so a copied terminal shows, however late it sends.
    """
    left = list(missing)
    by_place: dict[int, list[Link]] = {}
    own = {link[1] for link in late}
    for link in placed:
        if link[1] not in own:
            by_place.setdefault(link[0], []).append(link)
    filled: list[tuple[Link, datetime]] = []
    forks: list[Fork] = []
    for link in late:
        place = bisect_right(left, link[0], key=lambda gap: gap.first) - 1
        if place >= 0 and link[0] <= left[place].last:
            filled.append((link, left[place].since))
            left[place : place + 1] = _without(left[place], link[0])
            forks += _beside(link, by_place)
        else:
            forks += _at_one_place(link, by_place)
        by_place.setdefault(link[0], []).append(link)
    return Filled(tuple(left), tuple(filled), tuple(forks))


def _without(gap: Missing, sequence: int) -> list[Missing]:
    parts = Missing(gap.first, sequence - 1, gap.since), Missing(sequence + 1, gap.last, gap.since)
    return [part for part in parts if part.first <= part.last]


def _at_one_place(link: Link, by_place: Mapping[int, Sequence[Link]]) -> list[Fork]:
    sequence, record_id, _, record_hash = link
    others = by_place.get(sequence) or [(sequence, NOBODY, NO_HASH, NO_HASH)]
    return [Fork(sequence, ForkWhy.PLACE, record_id, record_hash, other[1], other[3]) for other in others]


def _beside(link: Link, by_place: Mapping[int, Sequence[Link]]) -> list[Fork]:
    """A record that fills a gap must follow the one before it, and the one after it must name it."""
    sequence, record_id, previous, record_hash = link
    before, after = by_place.get(sequence - 1, ()), by_place.get(sequence + 1, ())
    found = []
    if before and not any(other[3] == previous for other in before):
        found += [Fork(sequence, ForkWhy.PREVIOUS, record_id, record_hash, o[1], o[3]) for o in before]
    if after and not any(other[2] == record_hash for other in after):
        found += [Fork(o[0], ForkWhy.PREVIOUS, o[1], o[3], record_id, record_hash) for o in after]
    return found
