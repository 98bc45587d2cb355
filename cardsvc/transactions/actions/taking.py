"""The terminals' way in under load: what must be durable is committed in groups.

1. A batch is read and its terminal's signature verified, in the caller's own thread. Of a large batch the items are
   verified there too, and what their kinds can foresee is worked out, so that this is done for one batch while
   another is committed.
2. Then one of those who wait does the rest for all of them: what the database knows of the batches is read and their
   items' signatures are verified, without a lock; all of it is accepted in one database transaction under the ledger's
   lock. If we stop here the work is done and no checkpoint covers it yet: the next publication, or the same batch
   again, makes up for it.
3. A checkpoint is published over it, and the receipts' proofs are read, once for all; and for gates what the holders of
   the cards have left, which their riders are shown at the next tap. That is news, no part of the answer: it is kept
   nowhere, and who sends the same again is told nothing.
4. Each caller signs its own receipts.

The steps are not groups each: then a group of few would be in each, and what a group costs is mostly not its batches.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from cardsvc import audit, db
from cardsvc.committing import Group
from cardsvc.transactions import queries
from cardsvc.transactions.actions.accepting import BatchAnswer, Refusal, accept_opened
from cardsvc.transactions.actions.opening import (
    Desk,
    Opened,
    Signed,
    foresee,
    judge,
    look_up,
    read_signed,
    terminal_key,
)
from cardsvc.transactions.handler import Spendable
from crypto.keys import PublicKey
from crypto.wire import batch as wire_batch
from crypto.wire.batch import ITEMS_MAX
from crypto.wire.receipt import Receipt

_KEYS_MAX: Final = 10_000
_SMALL_MAX: Final = 64
"""Batches of more items are opened by their own callers."""


@dataclass(frozen=True, slots=True)
class _Arrived:
    """`opened` where the caller did that already; `receipts`: whether they are wanted."""

    signed: Signed
    opened: Opened | None
    now: datetime
    receipts: bool


@dataclass(frozen=True, slots=True)
class _Taken:
    answer: BatchAnswer
    receipts: dict[UUID, Receipt]  # unsigned
    left: Mapping[UUID, int]
    at: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a batch, and the receipts of what is in the log, by record. `left_cents` is what the holders of
    the cards can pay with at `at`, by record, where a gate sent something new; nothing for other terminals.
    """

    answer: BatchAnswer
    receipts: dict[UUID, bytes]
    left_cents: Mapping[UUID, int]
    at: datetime


class Taking:
    """Takes batches from any number of threads. One for each process and log shard."""

    def __init__(
        self, engine: Engine, desk: Desk, *, kept: Path | None = None, spendable: Spendable | None = None
    ) -> None:
        """`kept`: the file outside the database that keeps the log's last head. Without `spendable` gates are not told
        what riders have left.
        """
        self._spendable = spendable
        self._engine = engine
        self._desk = desk
        self._kept = kept
        self._keys: dict[UUID, PublicKey] = {}
        # a group is at most as much work as the largest batch, so that nobody waits long for others
        self._group = Group[_Arrived, _Taken](self._do, group_max=ITEMS_MAX, weigh=lambda job: len(job.signed.received))

    def take(self, raw: bytes, now: datetime) -> Taken:
        """Accept a batch: the answer to each item, and the receipts of those that are in the log.

        Raises: what `accept` raises; then nothing was written. Whatever is returned is durable.
        """
        taken = self._group.submit(self._arrived(raw, now, receipts=True))
        vault = self._desk.vault
        receipts = {key: queries.signed(content, vault) for key, content in taken.receipts.items()}
        return Taken(taken.answer, receipts, taken.left, taken.at)

    def commit(self, raw: bytes, now: datetime) -> BatchAnswer:
        """`take` without its receipts: what of it must be durable."""
        return self._group.submit(self._arrived(raw, now, receipts=False)).answer

    def _arrived(self, raw: bytes, now: datetime, *, receipts: bool) -> _Arrived:
        sealed = wire_batch.read_sealed(raw)
        signed = read_signed(raw, sealed, self._key_of(sealed.terminal_id))
        opened = None
        if len(signed.received) > _SMALL_MAX:
            [judged] = self._open([signed])
            if isinstance(judged, Exception):
                raise judged
            opened = judged
            db.run(self._engine, lambda session: foresee(session, judged, self._desk.registry, now), read_only=True)
        return _Arrived(signed, opened, now, receipts)

    def _key_of(self, terminal_id: UUID) -> PublicKey:
        """The terminal's key, kept: it never changes. Whether the terminal is in service is asked each time."""
        key = self._keys.get(terminal_id)
        if key is None:
            key = db.run(self._engine, lambda session: terminal_key(session, terminal_id), read_only=True)
            if len(self._keys) >= _KEYS_MAX:
                self._keys.clear()
            self._keys[terminal_id] = key
        return key

    def _open(self, batches: Sequence[Signed]) -> Sequence[Opened | Refusal]:
        vault = self._desk.vault
        facts = db.run(self._engine, lambda session: look_up(session, batches, vault), read_only=True)
        return judge(batches, facts, self._desk)

    def _do(self, jobs: Sequence[_Arrived]) -> list[_Taken | Exception]:
        small = [place for place, job in enumerate(jobs) if job.opened is None]
        found: list[Opened | Refusal | None] = [job.opened for job in jobs]
        if small:
            for place, judged in zip(small, self._open([jobs[place].signed for place in small]), strict=True):
                found[place] = judged
        opened = {place: one for place, one in enumerate(found) if isinstance(one, Opened)}
        now = max(job.now for job in jobs)

        def accept(session: Session) -> list[BatchAnswer | Refusal]:
            return accept_opened(session, list(opened.values()), desk=self._desk, now=now)

        answers: dict[int, BatchAnswer | Refusal] = {
            place: one for place, one in enumerate(found) if isinstance(one, Exception)
        }
        if opened:
            answers |= zip(opened, db.run(self._engine, accept), strict=True)
        logged = {
            place: _logged(answer)
            for place, answer in answers.items()
            if isinstance(answer, BatchAnswer) and jobs[place].receipts
        }
        riders = {place: _riders(opened[place], answers[place]) for place in logged} if self._spendable else {}
        holders = {resident_id for some in riders.values() for resident_id in some.values()}
        contents, left = self._published({key for keys in logged.values() for key in keys}, holders, now)
        taken: list[_Taken | Exception] = []
        for place in range(len(jobs)):
            his = {key: left[one] for key, one in riders.get(place, {}).items() if one in left}
            taken.append(_taken(answers[place], logged.get(place, []), contents, his, now))
        return taken

    def _published(
        self, wanted: set[UUID], holders: set[UUID], now: datetime
    ) -> tuple[dict[UUID, Receipt], Mapping[UUID, int]]:
        """What the receipts of these records say, under a checkpoint that covers them, and what the holders have."""
        if not wanted:
            return {}, {}

        def publish(session: Session) -> tuple[dict[UUID, Receipt], Mapping[UUID, int]]:
            audit.publish(session, self._desk.vault, now, self._kept)
            left = self._spendable(session, list(holders), now) if self._spendable and holders else {}
            return queries.unsigned(session, list(wanted)), left

        return db.run(self._engine, publish)


def _logged(answer: BatchAnswer) -> list[UUID]:
    return [r.record_id for r in answer.results if r.record_id is not None and r.leaf_index is not None]


def _riders(opened: Opened, answer: BatchAnswer | Refusal) -> dict[UUID, UUID]:
    """Whose card stands behind each record that a gate brought and that was accepted just now."""
    if isinstance(answer, Exception) or opened.device.kind != "validator":
        return {}
    found: dict[UUID, UUID] = {}
    for position, claim in opened.claims.items():
        result = answer.results[position]
        if result.outcome == "accepted" and not result.replayed and claim.item.card is not None:
            found[claim.item.record.record_id] = claim.item.card.resident_id
    return found


def _taken(
    answer: BatchAnswer | Refusal,
    logged: Sequence[UUID],
    contents: dict[UUID, Receipt],
    left: Mapping[UUID, int],
    at: datetime,
) -> _Taken | Exception:
    if isinstance(answer, Exception):
        return answer
    return _Taken(answer, {key: contents[key] for key in logged if key in contents}, left, at)
