"""Many rows at once, whatever their columns: into a table by COPY, out of it by an array of ids, where it pays."""

import struct
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Session

from cardsvc.arrays import bytea_array, copying, text_array, uuid_array
from cardsvc.db import insert_columns

_ROWS_MIN: Final = 24  # fewer are sooner inserted by one statement
_CHUNK: Final = 500  # ids in one statement of SQLite
_LENGTH = struct.Struct(">i")
_INT8 = struct.Struct(">iq")
_INT4 = struct.Struct(">ii")
_NULL: Final = _LENGTH.pack(-1)
_EPOCH: Final = date(2000, 1, 1).toordinal()  # PostgreSQL's

Cell = Callable[[Any], bytes]
K = TypeVar("K", uuid.UUID, str, bytes)


def _uuid(value: uuid.UUID) -> bytes:
    return b"\0\0\0\x10" + value.bytes


def _int8(value: int) -> bytes:
    return _INT8.pack(8, value)


def _int4(value: int) -> bytes:
    return _INT4.pack(4, value)


def _date(value: date) -> bytes:
    return _INT4.pack(4, value.toordinal() - _EPOCH)


def _bytes(value: bytes) -> bytes:
    return _LENGTH.pack(len(value)) + value


def _text(value: str) -> bytes:
    return _bytes(value.encode())


# by the name of the type without its length; a table with another kind of column is written the general way
_CELLS: Final[Mapping[str, Cell]] = {
    "UUID": _uuid,
    "BIGINT": _int8,
    "INTEGER": _int4,
    "DATE": _date,
    "BYTEA": _bytes,
    "TEXT": _text,
    "VARCHAR": _text,
}


def insert(session: Session, table: sa.FromClause, columns: Mapping[str, Sequence[Any]]) -> None:
    """`db.insert_columns`, faster for many rows."""
    assert isinstance(table, sa.Table)
    dialect = session.get_bind().dialect
    names = list(columns)
    kinds = [str(table.c[name].type.dialect_impl(dialect).compile(dialect)).partition("(")[0] for name in names]
    if dialect.name != "postgresql" or len(columns[names[0]]) < _ROWS_MIN or not _CELLS.keys() >= set(kinds):
        insert_columns(session, table, columns)
        return
    shared: list[tuple[str, bytes]] = []
    own: list[tuple[str, list[bytes]]] = []
    for name, kind in zip(names, kinds, strict=True):
        encoded = _encoder(table.c[name].type, dialect, _CELLS[kind])
        values = columns[name]
        if values.count(values[0]) == len(values):
            shared.append((name, encoded(values[0])))
        else:
            own.append((name, [encoded(value) for value in values]))
    # what all rows share is encoded once, and stands before what each has of its own
    head = struct.pack(">h", len(names)) + b"".join([cell for _, cell in shared])
    quote = dialect.identifier_preparer.quote
    with copying(session, quote(table.name), [quote(name) for name, _ in (*shared, *own)]) as send:
        send(b"".join([head + b"".join(row) for row in zip(*(cells for _, cells in own), strict=True)]))


def _encoder(kind: sa.types.TypeEngine[Any], dialect: Dialect, cell: Cell) -> Cell:
    process = kind.dialect_impl(dialect).bind_processor(dialect) if cell in (_int8, _int4) else None
    if process is None:
        return lambda value: _NULL if value is None else cell(value)

    def encoded(value: Any) -> bytes:
        bound = process(value)
        return _NULL if bound is None else cell(bound)

    return encoded


def matching(session: Session, query: sa.Select[Any], column: sa.ColumnElement[K], values: Collection[K]) -> list[Any]:
    """The query's rows in which the column is one of the values, however many those are. Give columns of the table
    itself: what stands for them in an ORM class makes each row cost twice as much.
    """
    return [row for found in _matching(session, query, column, values) for row in found.all()]


def matching_plain(
    session: Session, query: sa.Select[Any], column: sa.ColumnElement[K], values: Collection[K]
) -> list[tuple[Any, ...]]:
    """As `matching`, each row as the driver gives it, at a third of the cost: a moment is its milliseconds, and an id
    is what `id_of` reads.
    """
    return [row for found in _matching(session, query, column, values) for row in _fetched(found)]


def id_of(session: Session) -> Callable[[Any], uuid.UUID]:
    """What makes an id of what the driver gives for one."""
    return _same if session.get_bind().dialect.name == "postgresql" else _from_bytes


def day_of(value: date | str) -> date:
    """The day that the driver gives for a date."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def plain_id(session: Session, column: sa.ColumnElement[uuid.UUID]) -> sa.ColumnElement[Any]:
    """For a query of `matching_plain`: the id as `plain_of` makes it."""
    return sa.cast(column, sa.Text) if session.get_bind().dialect.name == "postgresql" else column


def plain_of(session: Session) -> Callable[[uuid.UUID], str | bytes]:
    """What makes something of an id that is looked up and compared without Python's help, in the same order; and
    `of_plain` makes the id of it again.
    """
    return str if session.get_bind().dialect.name == "postgresql" else _bytes_of


def of_plain(session: Session) -> Callable[[Any], uuid.UUID]:
    return uuid.UUID if session.get_bind().dialect.name == "postgresql" else _from_bytes


def _bytes_of(value: uuid.UUID) -> bytes:
    return value.bytes


def _same(value: uuid.UUID) -> uuid.UUID:
    return value


def _from_bytes(value: bytes) -> uuid.UUID:
    return uuid.UUID(bytes=value)


def _fetched(found: sa.CursorResult[Any]) -> Sequence[tuple[Any, ...]]:
    assert found.cursor is not None
    try:
        return list(found.cursor.fetchall())
    finally:
        found.close()


def _matching(
    session: Session, query: sa.Select[Any], column: sa.ColumnElement[K], values: Collection[K]
) -> Iterator[sa.CursorResult[Any]]:
    wanted = list(values)
    connection = session.connection()
    if not wanted:
        return
    if connection.dialect.name == "postgresql":
        array = sa.literal(_ARRAYS[type(wanted[0])](wanted), sa.types.NullType())
        yield connection.execute(query.where(column == sa.any_(array)))
        return
    for start in range(0, len(wanted), _CHUNK):
        yield connection.execute(query.where(column.in_(wanted[start : start + _CHUNK])))


_ARRAYS: Final[Mapping[type, Callable[[Iterable[Any]], bytes]]] = {
    uuid.UUID: uuid_array,
    str: text_array,
    bytes: bytea_array,
}
