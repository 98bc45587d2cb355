"""The outbox: exactly once by record id, from the card's signature to the service's receipt.

Order, and what a crash at each step leaves:
1. the record is built with the next sequence and the hash of the one before; nothing is stored yet;
2. the card signs: a crash here leaves nothing, and the signature is worthless without the terminal's own;
3. record and signature are committed to disk (synchronous=FULL): from here on the record will be uploaded;
4. `append` returns and the terminal acts (the gate opens, the screen says so): a crash before that leaves a record that
   is uploaded all the same, so a holder may have paid for a gate that stayed shut, never passed one that was not paid;
5. the upload: an answer lost in transit means sending again, and the service answers the same again.
"""

import secrets
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from crypto.wire import batch, ids
from crypto.wire.body import Body
from crypto.wire.transaction import NO_PREVIOUS, Authorisation, Record, Transaction
from terminals.outbox.errors import IntentPending, OutboxBusy, OutboxForeign, StorageFull, UnknownRecord
from terminals.outbox.identity import Identity
from terminals.outbox.values import BATCH_ITEMS_MAX, Balance, Refusal, Result, SignedBatch, State, Stored

VERSION = 1
_FREE_BYTES_MIN = 8 * 1024 * 1024  # room for the write-ahead log and thousands of records
_WAITING_MAX = 500_000  # more than a gate takes in a month, beyond which the service refuses them as too old
FORGOTTEN_MAX = 500  # in one transaction: while it lasts nobody can tap
BUSY_SECONDS = 10.0  # another process may be waiting for a slow card

_SCHEMA = """
CREATE TABLE record (
  sequence INTEGER PRIMARY KEY,
  record_id BLOB NOT NULL UNIQUE,
  record_hash BLOB NOT NULL,
  transaction_bytes BLOB NOT NULL,
  kind INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  intent TEXT,
  subject BLOB,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'accepted', 'rejected')),
  reason TEXT,
  detail TEXT,
  receipt BLOB
) STRICT;
CREATE UNIQUE INDEX one_open_intent ON record (intent) WHERE state = 'waiting';
CREATE INDEX waiting ON record (sequence) WHERE state = 'waiting';
CREATE INDEX by_subject ON record (subject, kind, at_ms);
CREATE INDEX by_intent ON record (intent, sequence);
CREATE TABLE refusal (one INTEGER PRIMARY KEY CHECK (one = 1), at_ms INTEGER NOT NULL, code TEXT NOT NULL,
  detail TEXT NOT NULL) STRICT;
CREATE TABLE owner (one INTEGER PRIMARY KEY CHECK (one = 1), device_id BLOB NOT NULL) STRICT;
"""
_BY_TIME = "CREATE INDEX IF NOT EXISTS by_time ON record (kind, at_ms)"  # files made before it get it too
_LATER_COLUMNS = ("balance_cents", "balance_at_ms")  # those of older files get them, which older programs pass over
COLUMNS = "transaction_bytes, state, intent, subject, reason, detail, receipt"


class Outbox:
    """One file, safe for several threads and processes: the chain is extended under the database's write lock."""

    def __init__(
        self,
        path: Path,
        identity: Identity,
        *,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
        free_bytes_min: int = _FREE_BYTES_MIN,
        waiting_max: int = _WAITING_MAX,
    ) -> None:
        """`waiting_max`: so many records there may be from the oldest that waits to the newest.

        Raises: OutboxForeign: the file is damaged or belongs to another terminal.
        """
        self._path = path
        self._identity = identity
        self._random_bytes = random_bytes
        self._free_bytes_min = free_bytes_min
        self._waiting_max = waiting_max
        self._lock = threading.RLock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            self._prepare()
        except BaseException:
            self._db.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def check_room(self) -> None:
        """Whether there is room for one more record: to be asked before anybody signs, and asked again by `append`.

        Raises: StorageFull.
        """
        if shutil.disk_usage(self._path.parent).free < self._free_bytes_min:
            raise StorageFull(self._path)
        ((span,),) = self._read(
            "SELECT (SELECT max(sequence) FROM record) - (SELECT min(sequence) FROM record WHERE state = 'waiting')"
        )
        if span is not None and span + 1 >= self._waiting_max:
            raise StorageFull(self._path)

    def append(
        self,
        content: Body,
        *,
        at_ms: int,
        authorise: Callable[[bytes], Sequence[Authorisation]],
        intent: str | None = None,
        subject: UUID | None = None,
    ) -> Stored:
        """Make the next record, have it signed by `authorise`, and store both. On return it is on disk.

        Whatever `authorise` raises leaves nothing behind.

        Raises:
            StorageFull: before anybody signed, or when the disk would not take it; nothing is stored.
            IntentPending: the same intent still waits for the service's answer.
        """
        self.check_room()
        with self._writing():
            self._check_intent(intent)
            sequence, previous = self._next()
            record = Record.of(
                content,
                record_id=ids.uuid7(at_ms, self._random_bytes(ids.RANDOM_BYTES)),
                terminal_id=self._identity.device_id,
                sequence=sequence,
                previous=previous,
                at_ms=at_ms,
            )
            encoded = record.encode()
            transaction = Transaction(encoded, tuple(authorise(encoded)))
            self._db.execute(
                "INSERT INTO record (sequence, record_id, record_hash, transaction_bytes, kind, at_ms, intent, subject,"
                " state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    sequence,
                    record.record_id.bytes,
                    record.hash(),
                    transaction.encode(),
                    int(record.kind),
                    at_ms,
                    intent,
                    subject.bytes if subject else None,
                    State.WAITING,
                ),
            )
        return Stored(record, State.WAITING, intent, subject, None, None, None)

    def batch(self, *, now_ms: int, policy_number: int, limit: int = BATCH_ITEMS_MAX) -> SignedBatch | None:
        """The oldest waiting records under the terminal's signature, in the order of the chain; None when all are
        answered. Building a batch changes nothing.
        """
        rows = self._read(
            "SELECT record_id, transaction_bytes FROM record WHERE state = 'waiting' ORDER BY sequence LIMIT ?",
            min(limit, BATCH_ITEMS_MAX),
        )
        if not rows:
            return None
        content = batch.Batch(
            batch_id=ids.uuid7(now_ms, self._random_bytes(ids.RANDOM_BYTES)),
            terminal_id=self._identity.device_id,
            sent_at_ms=now_ms,
            policy_number=policy_number,
            items=tuple(row[1] for row in rows),
        )
        return SignedBatch(batch.sign_batch(content, self._identity.signer), tuple(UUID(bytes=row[0]) for row in rows))

    def record_results(self, results: Sequence[Result]) -> None:
        """Keep the service's answers; the first answer for a record stands, and a receipt that came late is added.

        If we stop before this, the batch is sent again and answered the same.
        """
        with self._writing():
            for result in results:
                state = State.ACCEPTED if result.outcome == State.ACCEPTED else State.REJECTED
                told = (result.balance.cents, result.balance.at_ms) if result.balance else (None, None)
                self._db.execute(
                    "UPDATE record SET state = ?, reason = ?, detail = ?, balance_cents = ?, balance_at_ms = ?"
                    " WHERE record_id = ? AND state = 'waiting'",
                    (state, result.reason, result.detail, *told, result.record_id.bytes),
                )
                self._db.execute(
                    "UPDATE record SET receipt = ? WHERE record_id = ? AND receipt IS NULL",
                    (result.receipt, result.record_id.bytes),
                )
            self._db.execute("DELETE FROM refusal")

    def record_refusal(self, refusal: Refusal) -> None:
        """The service took nothing of a batch. Every record stays waiting; the reason is kept to be shown."""
        with self._writing():
            self._db.execute(
                "INSERT OR REPLACE INTO refusal VALUES (1, ?, ?, ?)", (refusal.at_ms, refusal.code, refusal.detail)
            )

    def refusal(self) -> Refusal | None:
        """Why the last batch was refused; None when it was taken."""
        rows = self._read("SELECT at_ms, code, detail FROM refusal")
        return Refusal(*rows[0]) if rows else None

    def waiting(self) -> int:
        """How many records the service has not answered for."""
        return int(self._read("SELECT count(*) FROM record WHERE state = 'waiting'")[0][0])

    def find(self, record_id: UUID) -> Stored:
        """Raises: UnknownRecord."""
        found = self._many("WHERE record_id = ?", record_id.bytes)
        if not found:
            raise UnknownRecord(record_id)
        return found[0]

    def receipt(self, record_id: UUID) -> bytes | None:
        """The service's receipt; None while there is none. Raises: UnknownRecord."""
        return self.find(record_id).receipt

    def by_intent(self, intent: str) -> Stored | None:
        """The newest record made for this intent; None when there is none."""
        found = self._many("WHERE intent = ? ORDER BY sequence DESC LIMIT 1", intent)
        return found[0] if found else None

    def of_subject(self, kind: int, subject: UUID, since_ms: int) -> tuple[Stored, ...]:
        """The records of this kind that the card signed here since then, oldest first, rejected ones included."""
        return self._many(
            "WHERE subject = ? AND kind = ? AND at_ms >= ? ORDER BY sequence", subject.bytes, int(kind), since_ms
        )

    def balance(self, kind: int, subject: UUID, since_ms: int) -> Balance | None:
        """The newest that the service told about this card's holder beside a record of this kind made since then."""
        rows = self._read(
            "SELECT balance_cents, balance_at_ms FROM record WHERE subject = ? AND kind = ? AND at_ms >= ?"
            " AND balance_at_ms IS NOT NULL ORDER BY balance_at_ms DESC, sequence DESC LIMIT 1",
            subject.bytes,
            int(kind),
            since_ms,
        )
        return Balance(*rows[0]) if rows else None

    def since(self, kind: int, sequence: int) -> tuple[Stored, ...]:
        """The records of this kind from that place of the chain on, oldest first."""
        return self._many("WHERE kind = ? AND sequence >= ? ORDER BY sequence", int(kind), sequence)

    def made_since(self, kind: int, at_ms: int, *, after: int = 0) -> tuple[Stored, ...]:
        """The records of this kind made at that time or later, and behind that place of the chain, oldest first."""
        return self._many("WHERE kind = ? AND at_ms >= ? AND sequence > ? ORDER BY sequence", int(kind), at_ms, after)

    def latest(self, kind: int) -> Stored | None:
        """The newest record of the kind; None when there is none."""
        found = self._many("WHERE kind = ? ORDER BY sequence DESC LIMIT 1", int(kind))
        return found[0] if found else None

    def rejected(self, limit: int = 50) -> tuple[Stored, ...]:
        """What the service refused, newest first: somebody has to look at each of them."""
        return self._many("WHERE state = 'rejected' ORDER BY sequence DESC LIMIT ?", limit)

    def forget(self, kind: int, before_ms: int) -> int:
        """Delete records of this kind that were made before then and need not be kept; how many that were, at most
        `FORGOTTEN_MAX`. Those need not be kept that were accepted, have their receipt, and stand before whatever waits
        and before the newest record, from which the chain goes on.

        The file does not shrink: its room is used again. If we stop here, nothing was deleted.
        """
        with self._writing():
            ((end,),) = self._read(
                "SELECT coalesce((SELECT min(sequence) FROM record WHERE state = 'waiting'), max(sequence)) FROM record"
            )
            deleted = self._db.execute(
                "DELETE FROM record WHERE sequence IN (SELECT sequence FROM record WHERE kind = ? AND at_ms < ?"
                " AND sequence < ? AND state = 'accepted' AND receipt IS NOT NULL ORDER BY at_ms LIMIT ?)",
                (int(kind), before_ms, end, FORGOTTEN_MAX),
            )
            return deleted.rowcount

    # --- below: the file ---

    def _prepare(self) -> None:
        try:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")  # a commit is on the disk before append returns
            self._create_or_check()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
                raise OutboxBusy(self._path) from error
            raise OutboxForeign(self._path, "it is damaged or no outbox") from error

    def _create_or_check(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            if self._version() == 0:
                for statement in _SCHEMA.split(";"):
                    self._db.execute(statement)
                self._db.execute("INSERT INTO owner VALUES (1, ?)", (self._identity.device_id.bytes,))
                self._db.execute(f"PRAGMA user_version = {VERSION}")
            self._check_owner()
            self._db.execute(_BY_TIME)
            known = {row[1] for row in self._db.execute("PRAGMA table_info(record)")}
            for column in _LATER_COLUMNS:
                if column not in known:
                    self._db.execute(f"ALTER TABLE record ADD COLUMN {column} INTEGER")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _check_owner(self) -> None:
        if self._version() != VERSION:
            raise OutboxForeign(self._path, f"it has version {self._version()}, this program knows {VERSION}")
        if self._db.execute("SELECT device_id FROM owner").fetchone()[0] != self._identity.device_id.bytes:
            raise OutboxForeign(self._path, "it belongs to another terminal")

    def _version(self) -> int:
        return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield
                self._db.execute("COMMIT")
            except sqlite3.OperationalError as error:
                self._roll_back()
                if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                    raise OutboxBusy(self._path) from error
                if error.sqlite_errorcode in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE):
                    raise StorageFull(self._path) from error
                raise
            except BaseException:
                self._roll_back()
                raise

    def _roll_back(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def _check_intent(self, intent: str | None) -> None:
        if intent is None:
            return
        found = self._read("SELECT record_id FROM record WHERE intent = ? AND state = 'waiting'", intent)
        if found:
            raise IntentPending(UUID(bytes=found[0][0]))

    def _next(self) -> tuple[int, bytes]:
        rows = self._read("SELECT sequence, record_hash FROM record ORDER BY sequence DESC LIMIT 1")
        return (rows[0][0] + 1, rows[0][1]) if rows else (1, NO_PREVIOUS)

    def _many(self, where: str, *values: object) -> tuple[Stored, ...]:
        return tuple(stored_from(row) for row in self._read(f"SELECT {COLUMNS} FROM record {where}", *values))  # noqa: S608

    def _read(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._db.execute(statement, values).fetchall()


def stored_from(row: tuple[Any, ...]) -> Stored:
    content, state, intent, subject, reason, detail, receipt = row
    record = Record.decode(Transaction.decode(content).record_bytes)
    return Stored(record, State(state), intent, UUID(bytes=subject) if subject else None, reason, detail, receipt)
