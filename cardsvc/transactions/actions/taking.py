"""The terminals' way in under load: each batch is verified by itself, what must be durable is committed in groups.

1. The batch is read, and its signatures are verified in the caller's thread; what the database knows of it is read
   together with all that wait. No lock is held.
2. Together with all that wait it is accepted in one database transaction under the ledger's lock. If we stop here the
   work is done and no checkpoint covers it yet: the next publication, or the same batch again, makes up for it.
3. Together with all that wait a checkpoint is published over it, and the receipts' proofs are read.
4. Each caller signs its own receipts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from cardsvc import audit, db
from cardsvc.committing import GroupCommitter
from cardsvc.transactions import queries
from cardsvc.transactions.actions.accepting import BatchAnswer, Refusal, accept_opened
from cardsvc.transactions.actions.opening import (
    Desk,
    Facts,
    Opened,
    Signed,
    judge,
    look_up,
    read_signed,
    terminal_key,
)
from crypto.keys import PublicKey
from crypto.wire import batch as wire_batch
from crypto.wire.batch import ITEMS_MAX
from crypto.wire.receipt import Receipt

_KEYS_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Arrived:
    opened: Opened
    now: datetime


@dataclass(frozen=True, slots=True)
class _Logged:
    record_ids: tuple[UUID, ...]
    now: datetime


class Taking:
    """Takes batches from any number of threads. One for each process and log shard."""

    def __init__(self, engine: Engine, desk: Desk, *, kept: Path | None = None) -> None:
        """`kept`: the file outside the database that keeps the log's last head."""
        self._engine = engine
        self._desk = desk
        self._kept = kept
        self._keys: dict[UUID, PublicKey] = {}
        # a group is at most as much work as the largest batch, so that nobody waits long for others
        self._reading = GroupCommitter[Signed, Facts](
            engine,
            lambda session, batches: [*look_up(session, batches, desk.vault)],
            group_max=ITEMS_MAX,
            weigh=lambda signed: len(signed.received),
            read_only=True,
        )
        self._accepting = GroupCommitter[_Arrived, BatchAnswer](
            engine, self._accept, group_max=ITEMS_MAX, weigh=lambda job: len(job.opened.received)
        )
        self._publishing = GroupCommitter[_Logged, dict[UUID, Receipt]](
            engine, self._publish, group_max=ITEMS_MAX, weigh=lambda job: len(job.record_ids)
        )

    def take(self, raw: bytes, now: datetime) -> tuple[BatchAnswer, dict[UUID, bytes]]:
        """Accept a batch: the answer to each item, and the receipts of those that are in the log.

        Raises: what `accept` raises; then nothing was written. Whatever is returned is durable.
        """
        answer = self.commit(raw, now)
        logged = {r.record_id for r in answer.results if r.record_id is not None and r.leaf_index is not None}
        contents = self._publishing.submit(_Logged(tuple(logged), now)) if logged else {}
        return answer, {record_id: queries.signed(content, self._desk.vault) for record_id, content in contents.items()}

    def commit(self, raw: bytes, now: datetime) -> BatchAnswer:
        """`take` without its receipts: what of it must be durable."""
        sealed = wire_batch.read_sealed(raw)
        signed = read_signed(raw, sealed, self._key_of(sealed.terminal_id))
        opened = judge(signed, self._reading.submit(signed), self._desk)
        return self._accepting.submit(_Arrived(opened, now))

    def _key_of(self, terminal_id: UUID) -> PublicKey:
        """The terminal's key, kept: it never changes. Whether the terminal is in service is asked each time."""
        key = self._keys.get(terminal_id)
        if key is None:
            key = db.run(self._engine, lambda session: terminal_key(session, terminal_id), read_only=True)
            if len(self._keys) >= _KEYS_MAX:
                self._keys.clear()
            self._keys[terminal_id] = key
        return key

    def _accept(self, session: Session, arrived: Sequence[_Arrived]) -> list[BatchAnswer | Refusal]:
        opened = [job.opened for job in arrived]
        return accept_opened(session, opened, desk=self._desk, now=max(job.now for job in arrived))

    def _publish(self, session: Session, logged: Sequence[_Logged]) -> list[dict[UUID, Receipt]]:
        audit.publish(session, self._desk.vault, max(job.now for job in logged), self._kept)
        wanted = {record_id for job in logged for record_id in job.record_ids}
        contents = queries.unsigned(session, list(wanted))
        return [
            {record_id: contents[record_id] for record_id in job.record_ids if record_id in contents} for job in logged
        ]
