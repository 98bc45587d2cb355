"""What an export holds, read from the tables as they are: no room's view stands between the rows and who judges them.

Every function reads in pages, so that memory does not grow with the city. All are called in one read-only session.
"""

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import access, audit, cards, devices, ledger, transactions
from cardsvc.db import Base, UtcDateTime
from cardsvc.evidence.rules import tables
from cardsvc.evidence.rules.lines import hexed, shown, text, write, write_lines

ROOMS: Final = (access, audit, cards, devices, ledger, transactions)
"""Whose tables are read below, by their names."""

_PAGE: Final = 1000

Fields = tuple[str, ...]
Row = sa.Row[Any]


@dataclass(frozen=True, slots=True)
class Segment:
    """Leaves that follow each other, from `first` on, with the batches that brought them: lines ready to be written."""

    first: int
    journal: tuple[bytes, ...]
    batches: tuple[bytes, ...]


def segments(session: Session, size: int) -> Iterator[Segment]:
    """The first `size` places of the log. A segment ends with a batch, so that each is complete in itself."""
    lines: list[bytes] = []
    batch_ids: dict[UUID, None] = {}
    first, last_batch = 0, None
    for start in range(0, size, _PAGE):
        for place, batch_id, fields in _places(session, start, min(start + _PAGE, size)):
            if len(lines) >= tables.LEAVES_A_FILE and batch_id != last_batch:
                yield Segment(first, tuple(lines), tuple(_batches(session, list(batch_ids))))
                lines, batch_ids, first = [], {}, place
            lines.append(write(place, fields))
            last_batch = batch_id
            if batch_id is not None:
                batch_ids[batch_id] = None
    if lines:
        yield Segment(first, tuple(lines), tuple(_batches(session, list(batch_ids))))


def _places(session: Session, start: int, stop: int) -> Iterator[tuple[int, UUID | None, Fields]]:
    """What stands at each place of the log: a leaf, a transaction, an entry; one that is missing leaves its fields
    empty, and a place where nothing is has no line.
    """
    leaves = _by_place(session, "log_leaf", "leaf_index", start, stop)
    taken = _by_place(session, "transaction", "leaf_index", start, stop)
    posted = _by_place(session, "entry", "seq", start, stop)
    lines = _postings(session, start, stop)
    reversed_at = _seqs(session, [row.reverses for row in posted.values() if row.reverses is not None])
    for place in range(start, stop):
        leaf, transaction, entry = leaves.get(place), taken.get(place), posted.get(place)
        postings = lines.get(place, [])
        if leaf is None and transaction is None and entry is None and not postings:
            continue
        fields = (*_leaf(leaf), *_transaction(transaction), *_entry(entry, reversed_at, postings))
        yield place, None if transaction is None else transaction.batch_id, fields


def _by_place(session: Session, name: str, column: str, start: int, stop: int) -> dict[int, Row]:
    table = Base.metadata.tables[name]
    place = table.c[column]
    query = sa.select(*_columns(table)).where(place >= start, place < stop)
    if "shard" in table.c:
        query = query.where(table.c.shard == 0)
    return {row._mapping[column]: row for row in session.execute(query)}  # noqa: SLF001 - SQLAlchemy's public name


def _columns(table: sa.Table) -> list[sa.ColumnElement[Any]]:
    """All of them; times as the milliseconds that are stored."""
    return [
        sa.type_coerce(column, sa.BigInteger).label(column.name) if isinstance(column.type, UtcDateTime) else column
        for column in table.c
    ]


def _postings(session: Session, start: int, stop: int) -> dict[int, list[tuple[str, int]]]:
    posting, account = Base.metadata.tables["posting"], Base.metadata.tables["account"]
    query = (
        sa.select(posting.c.entry_seq, account.c.code, posting.c.account_id, posting.c.amount_cents)
        .join_from(posting, account, account.c.id == posting.c.account_id, isouter=True)
        .where(posting.c.entry_seq >= start, posting.c.entry_seq < stop)
        .order_by(posting.c.entry_seq, posting.c.line)
    )
    found: dict[int, list[tuple[str, int]]] = {}
    for seq, code, account_id, cents in session.execute(query):
        # an account that is not there is named so that no account can be called like it
        found.setdefault(seq, []).append((code or f"(missing-account-{account_id})", cents))
    return found


def _seqs(session: Session, entry_ids: Sequence[UUID]) -> dict[UUID, int]:
    if not entry_ids:
        return {}
    entry = Base.metadata.tables["entry"]
    rows = session.execute(sa.select(entry.c.id, entry.c.seq).where(entry.c.id.in_(entry_ids)))
    return {row.id: row.seq for row in rows}


def _leaf(row: Row | None) -> Fields:
    if row is None:
        return ("",) * 4
    return row.record_id.hex, row.leaf_hash.hex(), row.commitment.hex(), hexed(row.salt)


def _transaction(row: Row | None) -> Fields:
    if row is None:
        return ("",) * 20
    return (
        row.record_id.hex,
        str(row.kind),
        row.device_id.hex,
        str(row.sequence),
        row.record_hash.hex(),
        row.record_bytes.hex(),
        row.authorisations.hex(),
        row.batch_id.hex,
        row.outcome,
        text(row.reason),
        text(row.detail),
        hexed(row.entry_hash),
        str(row.happened_at),
        str(row.recorded_at),
        shown(row.amount_cents),
        text(row.currency),
        _id(row.card_id),
        _id(row.resident_id),
        _id(row.staff_id),
        text(row.official_number),
    )


def _entry(row: Row | None, reversed_at: Mapping[UUID, int], postings: Sequence[tuple[str, int]]) -> Fields:
    written = write_lines(postings)
    if row is None:
        return (*("",) * 10, written)
    return (
        row.id.hex,
        str(row.kind),
        text(row.currency),
        str(row.happened_at),
        str(row.recorded_at),
        text(row.rule),
        _id(row.reverses),
        shown(reversed_at.get(row.reverses)),
        "" if row.booked_on is None else row.booked_on.isoformat(),
        "" if row.notes is None else text(json.dumps(json.loads(row.notes))),
        written,
    )


def _batches(session: Session, batch_ids: Sequence[UUID]) -> Iterator[bytes]:
    table = Base.metadata.tables["batch"]
    number = 0
    for start in range(0, len(batch_ids), _PAGE):
        some = batch_ids[start : start + _PAGE]
        rows = {row.id: row for row in session.execute(sa.select(*_columns(table)).where(table.c.id.in_(some)))}
        for row in (rows[batch_id] for batch_id in some if batch_id in rows):
            signed = row._mapping["bytes"].hex()  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
            yield write(number, (row.id.hex, row.device_id.hex, str(row.received_at), str(row.item_count), signed))
            number += 1


# ----------------------------------------------------------------------------------------------------- the small tables


def accounts(session: Session, size: int) -> Iterator[Fields]:
    """The chart, each live balance as it was when the log had `size` leaves."""
    account, balance, posting = (Base.metadata.tables[name] for name in ("account", "balance", "posting"))
    later = (
        sa.select(posting.c.account_id, sa.func.sum(posting.c.amount_cents).label("cents"))
        .where(posting.c.entry_seq >= size)
        .group_by(posting.c.account_id)
        .subquery()
    )
    query = (
        sa.select(
            *_columns(account),
            balance.c.balance_cents,
            balance.c.floor_cents.label("balance_floor"),
            sa.func.coalesce(later.c.cents, 0).label("later"),
        )
        .join_from(account, balance, balance.c.account_id == account.c.id, isouter=True)
        .outerjoin(later, later.c.account_id == account.c.id)
        .order_by(account.c.id)
    )
    for row in session.execute(query.execution_options(yield_per=_PAGE)):
        sign = 1 if row.kind in ("asset", "expense") else -1
        live = None if row.balance_cents is None else int(row.balance_cents) - sign * int(row.later)
        yield (
            text(row.code),
            text(row.kind),
            text(row.policy),
            text(row.fund),
            text(row.currency),
            shown(row.floor_cents),
            str(row.opened_at),
            shown(row.closed_at),
            text(row.purpose),
            shown(row.expires_at),
            shown(row.priority),
            text(row.returns_to),
            shown(live),
            shown(row.balance_floor),
        )


def checkpoints(session: Session, size: int) -> Iterator[Fields]:
    table = Base.metadata.tables["checkpoint"]
    query = sa.select(*_columns(table)).where(table.c.tree_size <= size, table.c.shard == 0).order_by(table.c.tree_size)
    for row in session.execute(query.execution_options(yield_per=_PAGE)):
        yield str(row.tree_size), row.root.hex(), str(row.published_at), text(row.note)


def cosignatures(session: Session, size: int) -> Iterator[Fields]:
    """By size, then key; a database sorts text as its locale does, so the few lines of one size are sorted here."""
    table = Base.metadata.tables["cosignature"]
    query = sa.select(*_columns(table)).where(table.c.tree_size <= size, table.c.shard == 0).order_by(table.c.tree_size)
    rows = session.execute(query.execution_options(yield_per=_PAGE))
    for _, some in itertools.groupby(rows, key=lambda row: row.tree_size):
        for row in sorted(some, key=lambda row: str(row.vkey)):
            yield str(row.tree_size), text(row.vkey), str(row.signed_at), text(row.line)


def tiles(session: Session, size: int) -> Iterator[Fields]:
    """The stored roots of the tiles that are full at this size."""
    table = Base.metadata.tables["log_node"]
    query = sa.select(table).where(table.c.shard == 0).order_by(table.c.level, table.c.idx)
    for row in session.execute(query.execution_options(yield_per=_PAGE)):
        if (row.idx + 1) << 8 * row.level <= size:
            yield str(row.level), str(row.idx), row.hash.hex()


def refused(session: Session) -> Iterator[Fields]:
    table = Base.metadata.tables["refused_item"]
    order = table.c.received_at, table.c.device_id, table.c.item_hash
    for row in session.execute(sa.select(*_columns(table)).order_by(*order).execution_options(yield_per=_PAGE)):
        yield (
            row.item_hash.hex(),
            row.device_id.hex,
            row.batch_id.hex,
            _id(row.record_id),
            text(row.reason),
            str(row.received_at),
        )


def periods(session: Session) -> Iterator[Fields]:
    table = Base.metadata.tables["period_event"]
    for row in session.execute(sa.select(*_columns(table)).order_by(table.c.number)):
        days = ("" if day is None else day.isoformat() for day in (row.closed_to, row.soft_closed_to))
        yield (
            text(row.month),
            row.verb,
            *days,
            str(row.done_at),
            _id(row.action_id),
            *map(shown, (row.log_size, row.after_seq)),
        )


def card_keys(session: Session) -> Iterator[Fields]:
    """Every key of every card, with the card's whole history."""
    card, key = Base.metadata.tables["card"], Base.metadata.tables["card_key"]
    after: UUID | None = None
    while True:
        query = sa.select(*_columns(card)).order_by(card.c.id).limit(_PAGE)
        page = session.execute(query if after is None else query.where(card.c.id > after)).all()
        if not page:
            return
        ids = [row.id for row in page]
        after = ids[-1]
        histories = _histories(session, ids)
        by_card: dict[UUID, list[Row]] = {}
        chosen = sa.select(*_columns(key)).where(key.c.card_id.in_(ids)).order_by(key.c.card_id, key.c.key_id)
        for row in session.execute(chosen):
            by_card.setdefault(row.card_id, []).append(row)
        for row in page:
            for one in by_card.get(row.id, ()):
                yield _card_key(row, one, histories.get(row.id, ""))


def _card_key(card: Row, key: Row, history: str) -> Fields:
    return (
        key.key_id.hex(),
        card.id.hex,
        card.resident_id.hex,
        key.slot,
        str(int(key.active)),
        str(key.not_after),
        key.certificate.hex(),
        card.state,
        shown(card.blocked_at),
        history,
    )


def _histories(session: Session, card_ids: Sequence[UUID]) -> dict[UUID, str]:
    event = Base.metadata.tables["card_event"]
    query = sa.select(*_columns(event)).where(event.c.card_id.in_(card_ids)).order_by(event.c.card_id, event.c.number)
    found: dict[UUID, list[str]] = {}
    for row in session.execute(query):
        found.setdefault(row.card_id, []).append(f"{row.at}:{row.to_state}")
    return {card_id: " ".join(steps) for card_id, steps in found.items()}


def schema(session: Session) -> str:
    """The revision that the tables are of; nothing where they were made without a migration."""
    if not sa.inspect(session.connection()).has_table("alembic_version"):
        return ""
    return session.scalar(sa.text("SELECT version_num FROM alembic_version")) or ""


def _id(value: UUID | None) -> str:
    return "" if value is None else value.hex
