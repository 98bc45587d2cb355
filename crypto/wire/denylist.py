"""The deny list: which cards and which card keys no terminal may accept, and which good cards no gate lets in because a
fare is owed. Numbered snapshots, and steps between them.

Entries are packed: sixteen bytes each, ascending, nothing between. So a list of fifty thousand cards is one string of
800 kB, and looking something up is bisecting. Why a card is denied is nobody's business and is not in it.

Evolution: append only (see `crypto.wire.body`); what a terminal must not overlook is version 2.
"""

import hashlib
import operator
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, NamedTuple
from uuid import UUID

from crypto import cbor, cose, keys
from crypto.errors import CryptoError, MalformedMessage
from crypto.keys import Signer
from crypto.wire import header
from crypto.wire.body import HASH, IDENTIFIER, TIME_MS, Tag, Tagged, Type, integer
from crypto.wire.citykeys import CityKeys

LIST_DOMAIN, LIST_AAD = "city.denylist", b"city.denylist.v1"
DELTA_DOMAIN, DELTA_AAD = "city.denydelta", b"city.denydelta.v1"
ENTRY_BYTES, _START_SHIFT = 16, 64
_SHELVES, _SHELF_SHIFT = 4096, 52  # by the first twelve bits
ENTRIES_MAX = 200_000
"""Of one message, cards, keys and cards that owe together: what fits into a message of 4 MiB."""


class DeltaDoesNotFit(CryptoError):
    """The delta begins at another list, or does not lead to the list that it promises. Take a whole list."""

    code: ClassVar[str] = "delta_does_not_fit"


def pack(entries: Iterable[bytes]) -> bytes:
    """Entries of sixteen bytes as they travel: ascending, each once."""
    return b"".join(sorted(set(entries)))


def unpack(packed: bytes) -> list[bytes]:
    """The entries, ascending."""
    return [packed[start : start + ENTRY_BYTES] for start in range(0, len(packed), ENTRY_BYTES)]


def _check_packed(value: object) -> None:
    if type(value) is not bytes or len(value) % ENTRY_BYTES or len(value) > ENTRIES_MAX * ENTRY_BYTES:
        raise MalformedMessage(f"must be at most {ENTRIES_MAX} entries of {ENTRY_BYTES} bytes.")
    entries = unpack(value)
    if not all(map(operator.lt, entries, entries[1:])):
        raise MalformedMessage("must be ascending and name each entry once.")


def _same(value: Any) -> Any:
    return value


_PACKED: Type[bytes] = Type(to_wire=_same, from_wire=_same, check=_check_packed)


@dataclass(frozen=True, slots=True)
class DenyList(Tagged):
    """`number` only grows. `cards` are card ids, `keys` are key ids (of keys whose card itself may be good), packed.

    `action_id` is what two people signed, where this list came of it; else None. `owing` are ids of good cards whose
    holders owe a fare, packed: no gate lets them in, all else takes them.
    """

    number: Annotated[int, Tag(1, integer(1))]
    issued_at_ms: Annotated[int, Tag(2, TIME_MS)]
    cards: Annotated[bytes, Tag(3, _PACKED)]
    keys: Annotated[bytes, Tag(4, _PACKED)]
    action_id: Annotated[UUID | None, Tag(5, IDENTIFIER)] = None
    owing: Annotated[bytes, Tag(6, _PACKED)] = b""

    def __post_init__(self) -> None:
        super(DenyList, self).__post_init__()
        if len(self.cards) + len(self.keys) + len(self.owing) > ENTRIES_MAX * ENTRY_BYTES:
            raise MalformedMessage(f"A deny list has at most {ENTRIES_MAX} entries.")

    def denies_card(self, card_id: UUID) -> bool:
        return _holds(self.cards, card_id.int)

    def denies_key(self, key_id: bytes) -> bool:
        """`key_id` is the first sixteen bytes of SHA-256 over the key's SPKI, as everywhere."""
        return len(key_id) == ENTRY_BYTES and _holds(self.keys, int.from_bytes(key_id, "big"))

    def owes(self, card_id: UUID) -> bool:
        """For gates alone: the card itself is good."""
        return bool(self.owing) and _holds(self.owing, card_id.int)

    def hash(self) -> bytes:
        """What binds a number to its entries; when the list was issued does not matter."""
        return content_hash(self.number, self.cards, self.keys, self.owing)


@dataclass(frozen=True, slots=True)
class DenyDelta(Tagged):
    """What changed from the list `base_number` to the list `number`. Entries are packed, as in the list.

    The hashes are those of the two lists (`DenyList.hash`). `action_id` is that of the newest list on
    the way for which two people signed.
    """

    base_number: Annotated[int, Tag(1, integer(1))]
    base_hash: Annotated[bytes, Tag(2, HASH)]
    number: Annotated[int, Tag(3, integer(2))]
    result_hash: Annotated[bytes, Tag(4, HASH)]
    issued_at_ms: Annotated[int, Tag(5, TIME_MS)]
    added_cards: Annotated[bytes, Tag(6, _PACKED)] = b""
    removed_cards: Annotated[bytes, Tag(7, _PACKED)] = b""
    added_keys: Annotated[bytes, Tag(8, _PACKED)] = b""
    removed_keys: Annotated[bytes, Tag(9, _PACKED)] = b""
    action_id: Annotated[UUID | None, Tag(10, IDENTIFIER)] = None
    added_owing: Annotated[bytes, Tag(11, _PACKED)] = b""
    removed_owing: Annotated[bytes, Tag(12, _PACKED)] = b""

    def __post_init__(self) -> None:
        super(DenyDelta, self).__post_init__()
        if self.number <= self.base_number:
            raise MalformedMessage("A delta leads to a higher number.")
        for added, removed in (
            (self.added_cards, self.removed_cards),
            (self.added_keys, self.removed_keys),
            (self.added_owing, self.removed_owing),
        ):
            if not set(unpack(added)).isdisjoint(unpack(removed)):
                raise MalformedMessage("A delta does not add and remove the same entry.")

    def apply(self, base: DenyList) -> DenyList:
        """The newer list. Raises: DeltaDoesNotFit."""
        if (base.number, base.hash()) != (self.base_number, self.base_hash):
            raise DeltaDoesNotFit(f"The delta begins at another list than number {base.number}; take a whole list.")
        cards = _changed(base.cards, self.added_cards, self.removed_cards)
        key_ids = _changed(base.keys, self.added_keys, self.removed_keys)
        owing = _changed(base.owing, self.added_owing, self.removed_owing)
        if content_hash(self.number, cards, key_ids, owing) != self.result_hash:
            raise DeltaDoesNotFit(f"The delta does not lead to the list {self.number} it promises; take a whole list.")
        return DenyList(self.number, self.issued_at_ms, cards, key_ids, self.action_id, owing)


def content_hash(number: int, cards: bytes, key_ids: bytes, owing: bytes = b"") -> bytes:
    """SHA-256 over CBOR [domain, version, number, cards, keys], and `owing` behind them where it is not empty."""
    parts: list[cbor.Value] = [LIST_DOMAIN, header.VERSION, number, cards, key_ids]
    return hashlib.sha256(cbor.encode([*parts, owing] if owing else parts)).digest()


def sign_list(content: DenyList, signer: Signer) -> bytes:
    """The whole list as terminals download it."""
    return _signed(LIST_DOMAIN, content, signer, LIST_AAD)


def sign_delta(content: DenyDelta, signer: Signer) -> bytes:
    return _signed(DELTA_DOMAIN, content, signer, DELTA_AAD)


def open_list(data: bytes, city_keys: CityKeys) -> DenyList:
    """The list that the city signed, under a policy key. Whether it is the newest only a policy says.

    Raises: MalformedMessage, UnknownVersion, InvalidSignature.
    """
    return DenyList.from_map(_opened(data, LIST_DOMAIN, city_keys, LIST_AAD))


def open_delta(data: bytes, city_keys: CityKeys) -> DenyDelta:
    """Raises: MalformedMessage, UnknownVersion, InvalidSignature."""
    return DenyDelta.from_map(_opened(data, DELTA_DOMAIN, city_keys, DELTA_AAD))


def _signed(domain: str, content: Tagged, signer: Signer, aad: bytes) -> bytes:
    payload = cbor.encode([domain, header.VERSION, content.encode()])
    return cose.sign1(payload, signer, kid=keys.key_id(signer.public_key), external_aad=aad)


def _opened(data: bytes, domain: str, city_keys: CityKeys, aad: bytes) -> cbor.Value:
    key = city_keys.policy_key(cose.parse(data).kid)
    (content,) = header.read(cose.verify1(data, key, external_aad=aad), domain, 1)
    return content


def _changed(packed: bytes, added: bytes, removed: bytes) -> bytes:
    if not added and not removed:
        return packed
    gone = frozenset(unpack(removed))
    entries = [entry for entry in unpack(packed) if entry not in gone] + unpack(added)
    entries.sort()  # two runs that are in order, which costs little more than merging them
    return b"".join(entries)


class _Index(NamedTuple):
    """`starts` are the first halves of the entries as numbers: bisecting numbers needs no Python code at each step.
    `shelves` says where those begin that share their first bits: entries are spread evenly, so a dozen stand on one.
    """

    packed: bytes
    starts: "array[int]"
    shelves: "array[int]"


class _Indexes:
    """Those of the three strings that were asked for last, the parts of one list; earlier ones are let go.

    A string is known by being the same object: to compare 800 kB would cost more than all the rest.
    """

    def __init__(self) -> None:
        self._kept: tuple[_Index, ...] = ()

    def of(self, packed: bytes) -> _Index:
        for index in self._kept:
            if index.packed is packed:
                return index
        made = _index(packed)
        self._kept = (made, *self._kept[:2])
        return made


_INDEXES = _Indexes()


def _index(packed: bytes) -> _Index:
    halves = array("Q", packed)
    if sys.byteorder == "little":
        halves.byteswap()
    starts = halves[::2]
    ends = (shelf << _SHELF_SHIFT for shelf in range(1, _SHELVES))
    return _Index(packed, starts, array("I", [0, *(bisect_left(starts, end) for end in ends), len(starts)]))


def _holds(packed: bytes, entry: int) -> bool:
    """By the first half of each entry, then by the whole of those few that begin alike. The entry is a number, as an id
    has it at hand: to make bytes of it would take a fifth of the time.
    """
    _, starts, shelves = _INDEXES.of(packed)
    start = entry >> _START_SHIFT
    shelf = start >> _SHELF_SHIFT
    place = bisect_left(starts, start, shelves[shelf], shelves[shelf + 1])
    while place < len(starts) and starts[place] == start:
        if int.from_bytes(packed[place * ENTRY_BYTES : (place + 1) * ENTRY_BYTES], "big") == entry:
            return True
        place += 1
    return False
