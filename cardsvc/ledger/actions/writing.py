"""Writing a batch into the ledger's tables, piece by piece: the database takes one while the caller makes the next."""

import json
import struct
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import TypeAlias
from uuid import UUID

from sqlalchemy.orm import Session

from cardsvc.arrays import bigint_array, bigint_rows, copying
from cardsvc.db import to_ms
from cardsvc.ledger.rules import Draft, KnownAccount, PostedLine

Decided: TypeAlias = tuple[Draft, int, tuple[PostedLine, ...]]
"""A draft that becomes an entry, its place in the log, and the lines it is posted with."""
Piece: TypeAlias = list[Decided]

_ENTRY = ("id", "seq", "happened_at", "recorded_at", "kind", "currency", "rule", "reverses", "booked_on", "notes")
_POSTING = ("account_id", "entry_seq", "line", "amount_cents")


def write_entries(session: Session, pieces: Iterable[Piece], recorded_at_ms: int) -> Iterator[Piece]:
    """Write the entries of each piece, then hand it on."""
    if session.get_bind().dialect.name == "postgresql":
        with copying(session, "entry", _ENTRY) as send:
            for piece in pieces:
                send(_entry_rows(piece, recorded_at_ms))
                yield piece
        return
    insert = f"INSERT INTO entry ({', '.join(_ENTRY)}) VALUES ({', '.join('?' * len(_ENTRY))})"  # noqa: S608 - own names
    for piece in pieces:
        if piece:
            session.connection().exec_driver_sql(insert, [_entry_values(*one, recorded_at_ms) for one in piece])
        yield piece


def write_postings(session: Session, pieces: Iterable[Piece], accounts: Mapping[str, KnownAccount]) -> Iterator[Piece]:
    """Write the lines of each piece, then hand it on."""
    if session.get_bind().dialect.name == "postgresql":
        with copying(session, "posting", _POSTING) as send:
            for piece in pieces:
                send(bigint_rows(*_posting_columns(piece, accounts)))
                yield piece
        return
    insert = f"INSERT INTO posting ({', '.join(_POSTING)}) VALUES (?, ?, ?, ?)"  # noqa: S608 - own names
    for piece in pieces:
        if piece:
            rows = list(zip(*_posting_columns(piece, accounts), strict=True))
            session.connection().exec_driver_sql(insert, rows)
        yield piece


def write_balances(session: Session, after: Mapping[str, int], accounts: Mapping[str, KnownAccount]) -> None:
    """Set the natural balances of checked accounts. In the order of their ids, as they lie in the table."""
    if not after:
        return
    connection = session.connection()
    now = sorted((accounts[code].account_id, cents) for code, cents in after.items())
    if connection.dialect.name == "postgresql":
        ids, cents = zip(*now, strict=True)
        connection.exec_driver_sql("SELECT ledger_set_balances(%b, %b)", (bigint_array(ids), bigint_array(cents)))
    else:
        connection.exec_driver_sql(
            "UPDATE balance SET balance_cents = now.cents FROM"
            " (SELECT value ->> 0 AS id, value ->> 1 AS cents FROM json_each(?)) AS now"
            " WHERE balance.account_id = now.id",
            (json.dumps(now),),
        )


# --------------------------------------------------------------------------------------------------------------- rows


def _posting_columns(
    piece: Piece, accounts: Mapping[str, KnownAccount]
) -> tuple[list[int], list[int], list[int], list[int]]:
    return (
        [accounts[line.account].account_id for _, _, lines in piece for line in lines],
        [seq for _, seq, lines in piece for _ in lines],
        [number for _, _, lines in piece for number in range(len(lines))],
        [line.amount_cents for _, _, lines in piece for line in lines],
    )


def _entry_values(draft: Draft, seq: int, _lines: tuple[PostedLine, ...], recorded_at_ms: int) -> tuple[object, ...]:
    return (
        draft.entry_id.bytes,
        seq,
        to_ms(draft.happened_at),
        recorded_at_ms,
        draft.kind.value,
        draft.currency,
        draft.rule,
        draft.reverses.bytes if draft.reverses else None,
        draft.booked_on.isoformat() if draft.booked_on else None,
        _notes(draft.metadata),
    )


# The columns of fixed width and their lengths; before them how many columns there are.
_FIXED = struct.Struct(">hi16siqiqiqiq")
_LENGTH = struct.Struct(">i")
_DAY_ZERO = date(2000, 1, 1)  # PostgreSQL's


def _entry_rows(piece: Piece, recorded_at_ms: int) -> bytes:
    columns, pack = len(_ENTRY), _FIXED.pack
    return b"".join(
        [
            pack(
                columns, 16, draft.entry_id.bytes, 8, seq, 8, to_ms(draft.happened_at), 8, recorded_at_ms, 8, draft.kind
            )
            + _tail(draft.currency, draft.rule, draft.reverses, draft.booked_on, draft.metadata)
            for draft, seq, _ in piece
        ]
    )


@lru_cache(maxsize=256)  # most entries of a batch share it
def _tail(
    currency: str, rule: str, reverses: UUID | None, booked_on: date | None, metadata: tuple[tuple[str, str], ...]
) -> bytes:
    days = None if booked_on is None else _LENGTH.pack((booked_on - _DAY_ZERO).days)
    notes = _notes(metadata)
    cells = (
        currency.encode(),
        rule.encode(),
        None if reverses is None else reverses.bytes,
        days,
        None if notes is None else notes.encode(),
    )
    return b"".join([_LENGTH.pack(-1) if cell is None else _LENGTH.pack(len(cell)) + cell for cell in cells])


def _notes(metadata: tuple[tuple[str, str], ...]) -> str | None:
    return json.dumps(metadata) if metadata else None
