"""A stretch of the log, judged: each line's leaf, transaction and entry against each other and against the signatures.

The line is taken apart once and compared as it stands: what it costs beside the signature itself decides how fast a
whole city is verified.
"""

import hashlib
from binascii import a2b_hex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

import cbor2

from cardsvc.evidence.rules import entries, periods, tables
from cardsvc.evidence.rules.amounts import PRICED, TAG_OF_KIND, taken
from cardsvc.evidence.rules.batches import read_batches
from cardsvc.evidence.rules.cose import head
from cardsvc.evidence.rules.entries import Accounts
from cardsvc.evidence.rules.files import File
from cardsvc.evidence.rules.findings import Finding, named
from cardsvc.evidence.rules.keybook import KeyBook, NotTheirs, Signing, Unknown
from cardsvc.evidence.rules.lines import BadLine, LineMoved, Reader, read_text
from cardsvc.evidence.rules.periods import Closing
from cardsvc.evidence.rules.results import Counts, Judged, Series, Undoing
from cardsvc.evidence.rules.signatures import Signatures
from cardsvc.evidence.rules.signing import Signer
from cardsvc.evidence.rules.usual import Usual
from crypto.errors import CryptoError
from crypto.tlog import leaf_hash
from crypto.verifying import Verifier
from crypto.wire import receipt
from crypto.wire.kinds import Kind
from crypto.wire.transaction import DOMAIN

_RECORD_PARTS: Final = 9
_LEAF_PREFIX: Final = receipt.leaf_data(bytes(32))[:-32]
_ACCEPTED: Final = b"\x68accepted\xf6\x58\x20"  # the outcome, no reason, the head of the entry's hash
_REJECTED: Final = b"\x68rejected"


@dataclass(frozen=True, slots=True)
class Permit:
    """What a kind of record needs to count: an authorisation for one of these purposes, one of these terminals."""

    purposes: frozenset[int]
    terminal_kinds: frozenset[str]


@dataclass(frozen=True, slots=True)
class Law:
    """What records and entries are held to beside their signatures: what each kind needs, and the months' closings."""

    permits: Mapping[int, Permit]
    closings: Sequence[Closing]


class Journal:
    """The judge of one journal file and the batches beside it."""

    def __init__(self, journal: File, batches: File, first: int, book: KeyBook, law: Law) -> None:
        self._file, self._batch_file, self._first = journal, batches, first
        self._book, self._permits, self._closings = book, law.permits, law.closings
        self._found: list[Finding] = []
        self._counts = Counts()
        self._accounts = Accounts()
        self._series: dict[str, Series] = {}
        self._undoings: list[Undoing] = []
        self._hashes: list[bytes] = []

    def judge(self, verifier: Verifier) -> Judged:
        """Read every line, verify every signature."""
        signatures = self._signatures = Signatures(verifier, self._found)
        self._batches, self._batches_unread = read_batches(self._batch_file, self._book, signatures, self._found)
        unread = self._batches_unread
        self._signer = Signer(self._book, signatures, self._permits, self._file.name)
        self._usual = Usual(self._book, self._batches, self._permits, closable=bool(self._closings))
        reader = Reader(tables.JOURNAL, self._first, self._file.sealed)
        for place, line in self._file.lines(tables.JOURNAL, self._found):
            if line is None:
                unread += 1
                continue
            try:
                self._line(place, reader.split(line))
            except LineMoved as error:
                self._say(place, "", "line_moved", str(error))
                unread += 1
            except (BadLine, ValueError, TypeError, CryptoError) as error:
                self._say(place, "", "line_changed", f"the line cannot be judged: {error}")
                unread += 1
        signatures.settle()
        for batch_id, batch in self._batches.items():
            if not batch.used and not unread:
                problem = "no leaf of this stretch came with it"
                name = f"batch {batch_id.decode()}"
                self._found.append(Finding(self._batch_file.name, batch.line, name, "extra", problem))
        self._counts.batches, self._counts.signatures = len(self._batches), signatures.count
        return Judged(
            self._file.name,
            self._first,
            self._found,
            self._counts,
            unread,
            b"".join(self._hashes),
            self._accounts.movements,
            self._series,
            tuple(self._undoings),
        )

    def _say(self, place: int, subject: str, code: str, message: str) -> None:
        self._found.append(Finding(self._file.name, place, subject, code, message))

    def _line(self, place: int, fields: list[bytes]) -> None:
        if self._usual_line(place, fields):
            return
        leaf = _Leaf(place, int(fields[0]), fields)
        self._counts.leaves += 1
        if not leaf.record_id:
            raise BadLine("there is no leaf of the log here, and something else is")
        if leaf.transaction_id:
            self._transaction(leaf)
        else:
            self._say(place, leaf.name, "missing", "there is no transaction behind this leaf")
        if fields[_ENTRY_ID]:
            self._entry(leaf)
        elif fields[_POSTINGS]:
            self._say(place, leaf.name, "extra", "there are postings and no entry")
        self._leaf(leaf)

    def _usual_line(self, place: int, fields: list[bytes]) -> bool:
        """Whether the line is right at first sight, if its signature is; then it is taken in."""
        try:
            good = self._usual.judge(fields)
        except (ValueError, TypeError, IndexError, KeyError, NotTheirs):
            good = None
        if good is None:
            return False
        counts, number = self._counts, int(fields[0])
        if self._closings and periods.backward(self._closings, number, good.recorded_at):
            return False
        other = self._accounts.post(good.lines, good.currency, number, good.recorded_at)
        if other:
            self._say(
                place, named("entry", fields[_ENTRY_ID]), "currency", f"account {other} is kept in another currency"
            )
        self._signatures.add(good.key, good.message, good.signature, (self._file.name, place, fields[_ID], good.whose))
        self._hashes.append(good.leaf_hash)
        counts.leaves += 1
        counts.transactions += 1
        counts.accepted += 1
        counts.entries += 1
        counts.postings += len(good.lines)
        return True

    # ------------------------------------------------------------------------------------------------ the transaction

    def _transaction(self, leaf: "_Leaf") -> None:
        self._counts.transactions += 1
        f = leaf.fields
        record = a2b_hex(f[_RECORD])
        leaf.record_hash = hashlib.sha256(record).digest()
        if leaf.record_hash.hex().encode() != f[_RECORD_HASH]:
            self._say(leaf.place, leaf.name, "record", "its bytes are not those that were signed")
        self._record(leaf, record)
        accepted = f[_OUTCOME] == b"accepted"
        self._counts.accepted += accepted
        if accepted == bool(f[_REASON]) or accepted != bool(f[_TRANSACTION_ENTRY]) or f[_OUTCOME] not in _OUTCOMES:
            self._say(leaf.place, leaf.name, "outcome", "its outcome, reason and entry do not fit each other")
        if f[_OFFICIAL]:
            self._number(leaf, accepted)
        batch = self._batches.get(f[_BATCH])
        if batch is None and self._batches_unread:
            return  # it may be the one that cannot be read
        if batch is None:
            self._say(leaf.place, leaf.name, "batch", "the batch that brought it is missing")
            return
        batch.used = True
        authorisations = a2b_hex(f[_AUTHORISATIONS])
        item = b"\x82" + head(len(record)) + record + authorisations
        if batch.holds and (item not in batch.items or batch.terminal_id != f[_TERMINAL]):
            self._say(leaf.place, leaf.name, "batch", "it is not in the batch that its terminal signed")
        signing = Signing(
            f[_CARD], f[_RESIDENT], f[_STAFF], int(f[_HAPPENED]), int(f[_RECORDED]), batch.terminal_kind, accepted
        )
        try:
            self._signer.check(leaf.place, f[_ID], int(f[_KIND]), record, authorisations, signing)
        except (NotTheirs, CryptoError) as error:
            if self._book.whole or not isinstance(error, Unknown):
                self._say(leaf.place, leaf.name, "authorisation", str(error))

    def _record(self, leaf: "_Leaf", record: bytes) -> None:
        """The record is kept as what it says it is."""
        f = leaf.fields
        parts = cbor2.loads(record)
        if type(parts) is not list or len(parts) != _RECORD_PARTS or cbor2.dumps(parts) != record:
            self._say(leaf.place, leaf.name, "record", "its bytes are not a record in its one encoding")
            return
        domain, version, kind, record_id, terminal, sequence, _previous, at_ms, body = parts
        says = domain, version, kind, record_id, terminal, sequence, at_ms
        kept = DOMAIN, 1, int(f[_KIND]), a2b_hex(f[_ID]), a2b_hex(f[_TERMINAL]), int(f[_SEQUENCE]), int(f[_HAPPENED])
        if says != kept:
            self._say(leaf.place, leaf.name, "record", "it is not kept as what it says it is")
        tag = TAG_OF_KIND.get(kind)
        if tag is not None and f[_OUTCOME] == b"accepted" and body.get(tag) != int(f[_AMOUNT] or -1):
            self._say(leaf.place, leaf.name, "record", f"it is kept with another amount than it says, {body.get(tag)}")

    def _number(self, leaf: "_Leaf", accepted: bool) -> None:
        """Official receipts: gapless in each series, in the order of the log."""
        series, _, digits = (read_text(leaf.fields[_OFFICIAL].decode()) or "").rpartition("-")
        number = int(digits)
        run = self._series.get(series)
        if run is None:
            self._series[series] = Series(number, number, leaf.number)
            if accepted:
                return
        if not accepted or run is None or number != run.last + 1:
            self._say(
                leaf.place, leaf.name, "official_number", f"number {number} of series {series} is not in its turn"
            )
        if run is not None:
            run.last = number

    # ------------------------------------------------------------------------------------------------------ the entry

    def _entry(self, leaf: "_Leaf") -> None:
        self._counts.entries += 1
        f = leaf.fields
        lines = entries.read_postings(f[_POSTINGS])
        self._counts.postings += len(lines)
        problem = entries.fault(lines)
        if problem:
            self._say(leaf.place, leaf.entry_name, "unbalanced", problem)
        currency, reverses = f[_ENTRY_CURRENCY].decode(), f[_REVERSES]
        happened, recorded = int(f[_ENTRY_HAPPENED]), int(f[_ENTRY_RECORDED])
        rule = read_text(f[_RULE].decode())
        undone = a2b_hex(reverses) if reverses else None
        facts = [a2b_hex(f[_ENTRY_ID]), int(f[_ENTRY_KIND]), currency, happened, recorded, rule, undone]
        leaf.entry_hash = entries.entry_hash(facts, lines, f[_BOOKED], f[_METADATA])
        if f[_OUTCOME] != b"accepted":
            self._say(leaf.place, leaf.entry_name, "extra", "it was never accepted")
        elif leaf.entry_hash.hex().encode() != f[_TRANSACTION_ENTRY]:
            self._say(leaf.place, leaf.entry_name, "entry", "it is not the entry that was accepted")
        elif int(f[_KIND]) in PRICED and taken(lines) != int(f[_AMOUNT] or -1):
            self._say(leaf.place, leaf.name, "record", "it is kept with another amount than its entry takes")
        # what a settled dispute books happened when the disputed record says
        at = f[_HAPPENED] if f[_KIND] != _DISPUTE_SETTLED else f[_ENTRY_HAPPENED]
        same = f[_ENTRY_ID], f[_ENTRY_KIND], f[_ENTRY_CURRENCY], f[_ENTRY_HAPPENED], f[_ENTRY_RECORDED]
        if same != (f[_ID], f[_KIND], f[_CURRENCY], at, f[_RECORDED]):
            self._say(
                leaf.place, leaf.entry_name, "entry", "its id, kind, currency or times are not those of its transaction"
            )
        other = self._accounts.post(lines, currency, leaf.number, recorded)
        if other:
            self._say(leaf.place, leaf.entry_name, "currency", f"account {other} is kept in another currency")
        if self._closings:
            booked = date.fromisoformat(f[_BOOKED].decode()) if f[_BOOKED] else None
            entry = periods.Booked(leaf.number, int(f[_ENTRY_KIND]), booked, happened, recorded)
            day = periods.refused(self._closings, entry)
            if day:
                self._say(leaf.place, leaf.entry_name, "period", f"the books of {day:%Y-%m} were closed for it then")
        if reverses:
            target = int(f[_REVERSES_LEAF]) if f[_REVERSES_LEAF] else None
            undoing = Undoing(leaf.number, f[_ENTRY_ID].decode(), reverses.decode(), target, f[_POSTINGS].decode())
            self._undoings.append(undoing)

    # ------------------------------------------------------------------------------------------------------- the leaf

    def _leaf(self, leaf: "_Leaf") -> None:
        f = leaf.fields
        committed = a2b_hex(f[_COMMITMENT])
        hashed = leaf_hash(_LEAF_PREFIX + committed)
        self._hashes.append(hashed)
        if hashed.hex().encode() != f[_LEAF_HASH]:
            self._say(leaf.place, f"leaf {leaf.number}", "leaf", "its hash is not that of its commitment")
        if leaf.transaction_id and leaf.transaction_id != leaf.record_id:
            self._say(leaf.place, f"leaf {leaf.number}", "leaf", "it stands for another record than is behind it")
        if f[_OUTCOME] == b"accepted" and not f[_ENTRY_ID]:
            self._say(leaf.place, leaf.name, "missing", "it was accepted and has no entry")
        if not f[_SALT]:
            self._counts.erased += 1
        elif leaf.transaction_id and committed != _commitment(leaf):
            self._say(leaf.place, leaf.name, "leaf", f"it is not what leaf {leaf.number} of the log commits to")


@dataclass(slots=True)
class _Leaf:
    """A line on its way: where it stands, and what was computed from it."""

    place: int
    number: int
    fields: list[bytes]
    record_hash: bytes = b""
    entry_hash: bytes | None = None

    @property
    def record_id(self) -> bytes:
        return self.fields[_LEAF_RECORD]

    @property
    def transaction_id(self) -> bytes:
        return self.fields[_ID]

    @property
    def name(self) -> str:
        """What a finding calls it."""
        return named("record", self.transaction_id or self.record_id)

    @property
    def entry_name(self) -> str:
        return named("entry", self.fields[_ENTRY_ID])


def _commitment(leaf: _Leaf) -> bytes:
    """SHA-256 of the salt and the outcome (FORMATS.md, 6), with the entry's own hash where there is an entry."""
    f = leaf.fields
    salt, record_id = a2b_hex(f[_SALT]), a2b_hex(f[_ID])
    if f[_OUTCOME] == b"accepted" and leaf.entry_hash is not None and len(salt) == len(leaf.record_hash):
        contents = b"\x85\x50" + record_id + b"\x58\x20" + leaf.record_hash + _ACCEPTED + leaf.entry_hash
        return hashlib.sha256(salt + contents).digest()
    reason = read_text(f[_REASON].decode())
    return receipt.commitment(
        salt, UUID(bytes=record_id), leaf.record_hash, f[_OUTCOME].decode(), reason, leaf.entry_hash
    )


_DISPUTE_SETTLED: Final = b"%d" % Kind.DISPUTE_SETTLED
_OUTCOMES: Final = (b"accepted", b"rejected")
_at = tables.JOURNAL.place
_LEAF_RECORD, _LEAF_HASH, _COMMITMENT, _SALT = map(_at, ("leaf_record", "leaf_hash", "commitment", "salt"))
_ID, _KIND, _TERMINAL, _SEQUENCE = map(_at, ("record_id", "kind", "terminal_id", "sequence"))
_RECORD_HASH, _RECORD, _AUTHORISATIONS, _BATCH = map(_at, ("record_hash", "record", "authorisations", "batch_id"))
_OUTCOME, _REASON, _TRANSACTION_ENTRY = map(_at, ("outcome", "reason", "transaction_entry"))
_HAPPENED, _RECORDED, _AMOUNT, _CURRENCY = map(_at, ("happened_at", "recorded_at", "amount_cents", "currency"))
_CARD, _RESIDENT, _STAFF, _OFFICIAL = map(_at, ("card_id", "resident_id", "staff_id", "official_number"))
_ENTRY_ID, _ENTRY_KIND, _ENTRY_CURRENCY = map(_at, ("entry_id", "entry_kind", "entry_currency"))
_ENTRY_HAPPENED, _ENTRY_RECORDED, _RULE = map(_at, ("entry_happened_at", "entry_recorded_at", "rule"))
_REVERSES, _REVERSES_LEAF, _BOOKED = map(_at, ("reverses", "reverses_leaf", "booked_on"))
_METADATA, _POSTINGS = map(_at, ("metadata", "postings"))
