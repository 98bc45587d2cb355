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

Column = Callable[[Sequence[Any]], list[bytes]]
K = TypeVar("K", uuid.UUID, str, bytes)


# Whole columns at once: a call for each cell costs as much as the cell.


def _uuids(values: Sequence[uuid.UUID]) -> list[bytes]:
    return [b"\0\0\0\x10" + value.int.to_bytes(16, "big") for value in values]


def _int8s(values: Sequence[int]) -> list[bytes]:
    return [_INT8.pack(8, value) for value in values]


def _int4s(values: Sequence[int]) -> list[bytes]:
    return [_INT4.pack(4, value) for value in values]


def _dates(values: Sequence[date]) -> list[bytes]:
    return [_INT4.pack(4, value.toordinal() - _EPOCH) for value in values]


def _byteas(values: Sequence[bytes]) -> list[bytes]:
    return [_LENGTH.pack(len(value)) + value for value in values]


def _texts(values: Sequence[str]) -> list[bytes]:
    return _byteas([value.encode() for value in values])


# by the name of the type without its length; a table with another kind of column is written the general way
_COLUMNS: Final[Mapping[str, Column]] = {
    "UUID": _uuids,
    "BIGINT": _int8s,
    "INTEGER": _int4s,
    "DATE": _dates,
    "BYTEA": _byteas,
    "TEXT": _texts,
    "VARCHAR": _texts,
}


def insert(session: Session, table: sa.FromClause, columns: Mapping[str, Sequence[Any]]) -> None:
    """`db.insert_columns`, faster for many rows."""
    assert isinstance(table, sa.Table)
    dialect = session.get_bind().dialect
    names = list(columns)
    kinds = [str(table.c[name].type.dialect_impl(dialect).compile(dialect)).partition("(")[0] for name in names]
    if dialect.name != "postgresql" or len(columns[names[0]]) < _ROWS_MIN or not _COLUMNS.keys() >= set(kinds):
        insert_columns(session, table, columns)
        return
    shared: list[tuple[str, bytes]] = []
    own: list[tuple[str, list[bytes]]] = []
    for name, kind in zip(names, kinds, strict=True):
        encoded = _encoder(table.c[name], dialect, _COLUMNS[kind])
        values = columns[name]
        if values[-1] == values[0] and values.count(values[0]) == len(values):
            shared.append((name, encoded(values[:1])[0]))
        else:
            own.append((name, encoded(values)))
    # what all rows share is encoded once, and stands before what each has of its own
    head = struct.pack(">h", len(names)) + b"".join([cell for _, cell in shared])
    quote = dialect.identifier_preparer.quote
    with copying(session, quote(table.name), [quote(name) for name, _ in (*shared, *own)]) as send:
        send(b"".join([head + b"".join(row) for row in zip(*(cells for _, cells in own), strict=True)]))


def _encoder(column: sa.Column[Any], dialect: Dialect, encode: Column) -> Column:
    process = column.type.dialect_impl(dialect).bind_processor(dialect) if encode in (_int8s, _int4s) else None

    def encoded(values: Sequence[Any]) -> list[bytes]:
        bound = values if process is None else [process(value) for value in values]
        if not column.nullable:
            return encode(bound)
        some = iter(encode([value for value in bound if value is not None]))
        return [_NULL if value is None else next(some) for value in bound]

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
    return sa.cast(column, sa.Text) if session.get_bind().dialect.name == "postgresql" else sa.func.hex(column)


def plain_of(session: Session) -> Callable[[uuid.UUID], str]:
    """What makes the text of an id, which is looked up and compared without Python's help, in the same order."""
    return str if session.get_bind().dialect.name == "postgresql" else _hex_of


def _hex_of(value: uuid.UUID) -> str:
    return f"{value.int:032X}"


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
