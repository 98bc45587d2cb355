"""The usual line of the journal, judged by its places: an accepted record that one card, member of staff or the service
signed, with a plain entry.

It only ever says yes. Whatever is not exactly as expected is left to the judge who takes everything apart and says what
is wrong; so this may be quick, and has nothing to explain.
"""

import hashlib
from binascii import a2b_hex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import cbor2

from cardsvc.evidence.rules import tables
from cardsvc.evidence.rules.amounts import PRICED, TAG_OF_KIND, taken
from cardsvc.evidence.rules.batches import Batch
from cardsvc.evidence.rules.cose import head, signing_prefix
from cardsvc.evidence.rules.keybook import SLOT_OF, CardKey, KeyBook, Signing
from cardsvc.evidence.rules.lines import read_text
from cardsvc.evidence.rules.periods import OFFICE
from cardsvc.evidence.rules.signing import Permits
from crypto.keys import PublicKey
from crypto.wire import receipt
from crypto.wire.transaction import DOMAIN, Purpose

_KEPT_MAX = 50_000  # encodings held of what comes again: bodies, accounts, amounts, rules
_RECORD: Final = b"\x89" + cbor2.dumps([DOMAIN, 1])[1:]
_ENTRY: Final = b"\x8a" + cbor2.dumps(["city.entry", 1])[1:]
_COMMITTED: Final = b"\x68accepted\xf6\x58\x20"
_LEAF: Final = b"\x00" + receipt.leaf_data(bytes(32))[:-32]
# one authorisation: array of one, pair, purpose, then a COSE_Sign1 of 92 bytes with ES256, a key id, no payload
_ONE: Final = b"\x81\x82"
_SIGN1: Final = bytes.fromhex("585cd28443a10126a10450")
_DETACHED: Final = b"\xf6\x58\x40"
_AUTHORISATION_BYTES: Final = 97
_PURPOSES: Final = {int(one): one for one in (Purpose.PRESENCE, Purpose.CONSENT, Purpose.STAFF, Purpose.SERVICE)}
_PREFIX: Final = {int(purpose): signing_prefix(purpose.aad) for purpose in _PURPOSES.values()}
_WHOSE: Final = {number: purpose.name.lower() for number, purpose in _PURPOSES.items()}
_LINES_MIN: Final = 2

Lines = list[tuple[str, int]]


@dataclass(slots=True)
class Good:
    """A line that is right if this signature is."""

    leaf_hash: bytes
    lines: Lines
    currency: str
    recorded_at: int
    key: PublicKey
    message: bytes
    signature: bytes
    whose: str


class Usual:
    """Judges lines by their places; what comes again and again is encoded once."""

    def __init__(
        self, book: KeyBook, batches: Mapping[bytes, Batch], permits: Mapping[int, Permits], *, closable: bool
    ) -> None:
        """`closable`: months were closed, so that what the office writes itself is looked at closely."""
        self._book, self._batches, self._permits = book, batches, permits
        self._apart = OFFICE if closable else frozenset[int]()
        self._bodies: dict[bytes, int | None] = {}
        self._accounts: dict[bytes, tuple[str, bytes]] = {}
        self._amounts: dict[bytes, tuple[int, bytes]] = {}
        self._texts: dict[bytes, bytes] = {}
        self._allowed: set[tuple[bytes, int, str]] = set()

    def judge(self, f: list[bytes]) -> Good | None:
        """None: look closer. Raises: ValueError, TypeError, IndexError, NotTheirs, which mean the same."""
        if not _is_plain(f):
            return None
        record_id, record = a2b_hex(f[_ID]), a2b_hex(f[_RECORD_BYTES])
        happened, recorded = int(f[_HAPPENED]), int(f[_RECORDED])
        record_hash = hashlib.sha256(record).digest()
        if a2b_hex(f[_RECORD_HASH]) != record_hash or not self._is_kept(f, record, record_id, happened):
            return None
        lines: Lines = []
        entry = hashlib.sha256(self._entry(f, record_id, happened, recorded, lines)).digest()
        if a2b_hex(f[_TRANSACTION_ENTRY]) != entry or len(lines) < _LINES_MIN or _balance(lines):
            return None
        if int(f[_KIND]) in PRICED and taken(lines) != int(f[_AMOUNT]):
            return None
        salt, committed = a2b_hex(f[_SALT]), a2b_hex(f[_COMMITMENT])
        contents = salt + b"\x85\x50" + record_id + b"\x58\x20" + record_hash + _COMMITTED + entry
        leaf = hashlib.sha256(_LEAF + committed).digest()
        if len(salt) != _HASH or hashlib.sha256(contents).digest() != committed or a2b_hex(f[_LEAF_HASH]) != leaf:
            return None
        signed = self._signed(f, record, happened, recorded)
        return None if signed is None else Good(leaf, lines, f[_CURRENCY].decode(), recorded, *signed)

    def _is_kept(self, f: list[bytes], record: bytes, record_id: bytes, happened: int) -> bool:
        """The record says what it is kept as: kind, ids, sequence and time by their places, and its amount."""
        kind = int(f[_KIND])
        start = _RECORD + _number(kind) + b"\x50" + record_id + b"\x50" + a2b_hex(f[_TERMINAL])
        start += _number(int(f[_SEQUENCE])) + b"\x58\x20"
        at = len(start) + _HASH
        body = at + _TIME_BYTES
        if record[: len(start)] != start or record[at:body] != b"\x1b" + happened.to_bytes(8, "big"):
            return False
        content = record[body:]
        if content not in self._bodies:
            self._bodies[content] = _amount(kind, content)
            _keep_few(self._bodies)
        amount = self._bodies[content]
        return amount is not None and (amount < 0 or amount == int(f[_AMOUNT]))

    def _entry(self, f: list[bytes], record_id: bytes, happened: int, recorded: int, lines: Lines) -> bytes:
        """The bytes that an entry without notes hashes to; its lines into `lines`."""
        parts = [_ENTRY, b"\x50", record_id, _number(int(f[_KIND])), self._text(f[_CURRENCY])]
        parts += [_number(happened), _number(recorded), self._text(f[_RULE]), b"\xf6"]
        postings = f[_POSTINGS].split(b" ")
        if len(postings) >= _SMALL:
            raise ValueError("more lines than the usual entry has")
        parts.append(bytes((0x80 + len(postings),)))
        for posting in postings:
            code, _, cents = posting.rpartition(b"=")
            account, amount = self._accounts.get(code), self._amounts.get(cents)
            if account is None:
                account = self._accounts[code] = code.decode(), cbor2.dumps(code.decode())
                _keep_few(self._accounts)
            if amount is None:
                amount = self._amounts[cents] = _cents(cents)
                _keep_few(self._amounts)
            lines.append((account[0], amount[0]))
            parts += (b"\x82", account[1], amount[1])
        return b"".join(parts)

    def _signed(
        self, f: list[bytes], record: bytes, happened: int, recorded: int
    ) -> tuple[PublicKey, bytes, bytes, str] | None:
        """Whose key it is and what it signed, in the batch that brought it."""
        given = a2b_hex(f[_AUTHORISATIONS])
        batch = self._batches.get(f[_BATCH])
        if len(given) != _AUTHORISATION_BYTES or given[3:14] != _SIGN1 or given[:2] != _ONE or batch is None:
            return None
        number, kid, framed = given[2], given[14:30], head(len(record)) + record
        if given[30:33] != _DETACHED or not batch.holds or batch.terminal_id != f[_TERMINAL]:
            return None
        if b"\x82" + framed + given not in batch.items or not self._may(f[_KIND], number, batch.terminal_kind):
            return None
        card = self._book.cards.get(kid)
        if card is not None and _in_its_name(f, card, number, happened, recorded):
            key = self._book.card_key(kid, card)
        else:
            names = f[_CARD], f[_RESIDENT], f[_STAFF]
            signing = Signing(*names, happened, recorded, batch.terminal_kind, accepted=True)
            key = self._book.signer(_PURPOSES[number], kid, signing)
        batch.used = True
        return key, _PREFIX[number] + framed, given[33:], _WHOSE[number]

    def _may(self, kind: bytes, purpose: int, terminal_kind: str) -> bool:
        if (kind, purpose, terminal_kind) not in self._allowed:
            permit = self._permits.get(int(kind))
            if (
                permit is None
                or int(kind) in self._apart
                or purpose not in permit.purposes
                or terminal_kind not in permit.terminal_kinds
            ):
                return False
            self._allowed.add((kind, purpose, terminal_kind))
        return True

    def _text(self, field: bytes) -> bytes:
        if field not in self._texts:
            self._texts[field] = cbor2.dumps(read_text(field.decode()))
            _keep_few(self._texts)
        return self._texts[field]


def _is_plain(f: list[bytes]) -> bool:
    """An accepted record with a plain entry of the same id, kind, currency and times; no number, nothing erased."""
    if f[_OUTCOME] != _ACCEPTED or f[_REASON] or f[_OFFICIAL] or f[_BOOKED] or f[_METADATA] or f[_REVERSES]:
        return False
    if not f[_SALT] or not f[_LEAF_RECORD] == f[_ID] == f[_ENTRY_ID] or f[_ENTRY_KIND] != f[_KIND]:
        return False
    return f[_ENTRY_CURRENCY] == f[_CURRENCY] and f[_ENTRY_HAPPENED:_RULE] == f[_HAPPENED:_AMOUNT]


def _in_its_name(f: list[bytes], card: CardKey, number: int, happened: int, recorded: int) -> bool:
    """A card that is active to this day, in its holder's name, with the key for this purpose."""
    steady = card.steady_from is not None and card.steady_from <= recorded and happened < card.not_after
    named = card.card_id == f[_CARD] and card.resident_id == f[_RESIDENT] and card.active
    return steady and named and SLOT_OF.get(_PURPOSES[number]) == card.slot


def _balance(lines: Lines) -> int:
    total = 0
    for _, cents in lines:
        total += cents
    return total


def _number(value: int) -> bytes:
    """An unsigned integer in its one encoding; times of this age are eight bytes long."""
    if value >= _LONG:
        return b"\x1b" + value.to_bytes(8, "big")
    return bytes((value,)) if 0 <= value < _SMALL else cbor2.dumps(value)


def _cents(field: bytes) -> tuple[int, bytes]:
    value = int(field)
    if not value:
        raise ValueError("a line that moves nothing")
    return value, cbor2.dumps(value)


def _amount(kind: int, content: bytes) -> int | None:
    """What the body says; -1 where its kind states no amount, None where it is not a body in its one encoding."""
    body = cbor2.loads(content)
    if type(body) is not dict or cbor2.dumps(body) != content:
        return None
    tag = TAG_OF_KIND.get(kind)
    amount = -1 if tag is None else body.get(tag)
    return amount if type(amount) is int else None


def _keep_few(kept: dict[bytes, Any]) -> None:
    """What was held is worked out again: memory does not grow with the city."""
    if len(kept) > _KEPT_MAX:
        kept.clear()


_ACCEPTED: Final = b"accepted"
_HASH, _TIME_BYTES, _SMALL, _LONG = 32, 9, 24, 2**32
_at = tables.JOURNAL.place
_LEAF_RECORD, _LEAF_HASH, _COMMITMENT, _SALT = map(_at, ("leaf_record", "leaf_hash", "commitment", "salt"))
_ID, _KIND, _TERMINAL, _SEQUENCE = map(_at, ("record_id", "kind", "terminal_id", "sequence"))
_RECORD_HASH, _RECORD_BYTES, _AUTHORISATIONS, _BATCH = map(_at, ("record_hash", "record", "authorisations", "batch_id"))
_OUTCOME, _REASON, _TRANSACTION_ENTRY = map(_at, ("outcome", "reason", "transaction_entry"))
_HAPPENED, _RECORDED, _AMOUNT, _CURRENCY = map(_at, ("happened_at", "recorded_at", "amount_cents", "currency"))
_CARD, _RESIDENT, _STAFF, _OFFICIAL = map(_at, ("card_id", "resident_id", "staff_id", "official_number"))
_ENTRY_ID, _ENTRY_KIND, _ENTRY_CURRENCY = map(_at, ("entry_id", "entry_kind", "entry_currency"))
_ENTRY_HAPPENED, _RULE, _REVERSES = map(_at, ("entry_happened_at", "rule", "reverses"))
_BOOKED, _METADATA, _POSTINGS = map(_at, ("booked_on", "metadata", "postings"))
