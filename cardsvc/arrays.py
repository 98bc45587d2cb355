"""Whole sets on their way into PostgreSQL, in its own encoding: arrays, and the rows of a binary COPY.

What the driver encodes value by value costs more than what the server does with it.
"""

import struct
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np
import psycopg
from psycopg.adapt import Buffer, Dumper
from psycopg.pq import Format
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session


class BigintArray(bytes):
    """A `bigint[]` parameter, already encoded."""


class UuidArray(bytes):
    """A `uuid[]` parameter, already encoded."""


class TextArray(bytes):
    """A `text[]` parameter, already encoded."""


class ByteaArray(bytes):
    """A `bytea[]` parameter, already encoded."""


_Cells: TypeAlias = np.ndarray[Any, Any]
_INT8, _UUID, _TEXT, _BYTEA = 20, 2950, 25, 17  # what pg_type calls them
_ARRAYS: dict[type[bytes], int] = {BigintArray: 1016, UuidArray: 2951, TextArray: 1009, ByteaArray: 1001}
_INT8_CELL = np.dtype([("length", ">i4"), ("value", ">i8")])
_UUID_CELL = np.dtype([("length", ">i4"), ("value", "V16")])


class _Encoded(Dumper):
    format = Format.BINARY

    def dump(self, obj: bytes) -> Buffer:
        return obj


for _array, _oid in _ARRAYS.items():
    psycopg.adapters.register_dumper(_array, type(_array.__name__, (_Encoded,), {"oid": _oid}))


def bigint_array(values: Iterable[int]) -> BigintArray:
    return BigintArray(_array_header(_INT8, cells := _int8_cells(values)) + cells.tobytes())


def uuid_array(values: Iterable[uuid.UUID]) -> UuidArray:
    joined = b"".join([value.bytes for value in values])
    cells = np.empty(len(joined) // 16, _UUID_CELL)
    cells["length"] = 16
    cells["value"] = np.frombuffer(joined, "V16")
    return UuidArray(_array_header(_UUID, cells) + cells.tobytes())


def text_array(values: Iterable[str]) -> TextArray:
    cells = _cells(map(str.encode, values))
    return TextArray(_array_header(_TEXT, cells) + b"".join(cells))


def bytea_array(values: Iterable[bytes]) -> ByteaArray:
    cells = _cells(values)
    return ByteaArray(_array_header(_BYTEA, cells) + b"".join(cells))


def _cells(values: Iterable[bytes]) -> list[bytes]:
    return [struct.pack(">i", len(value)) + value for value in values]


def _int8_cells(values: Iterable[int]) -> _Cells:
    listed = np.fromiter(values, np.int64)
    cells = np.empty(len(listed), _INT8_CELL)
    cells["length"] = 8
    cells["value"] = listed
    return cells


def _array_header(element: int, cells: "Sequence[bytes] | np.ndarray[Any, Any]") -> bytes:
    # dimensions, no nulls, the elements' type, how many, the number of the first
    return struct.pack(">iiIii", 1, 0, element, len(cells), 1)


def bigint_rows(*columns: Iterable[int]) -> bytes:
    """Rows for `copying`, all of whose columns are BIGINT."""
    cells = [_int8_cells(column) for column in columns]
    fields = [("fields", ">i2"), *((f"c{number}", _INT8_CELL) for number in range(len(cells)))]
    rows = np.empty(len(cells[0]), np.dtype(fields))
    rows["fields"] = len(cells)
    for number, column in enumerate(cells):
        rows[f"c{number}"] = column
    return rows.tobytes()


@contextmanager
def copying(session: Session, table: str, columns: Sequence[str]) -> Iterator[Callable[[bytes], None]]:
    """COPY rows into a table of PostgreSQL: hand what is yielded the rows as they come, encoded (COPY, binary format).

    The server takes them while the caller makes the next. Indexes, checks and statement triggers work as for INSERT.
    """
    connection = session.connection()
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"
    try:
        with driver.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            copy.write(_COPY_HEADER)
            yield copy.write
            copy.write(_COPY_END)
    except psycopg.Error as error:
        # as SQLAlchemy would have it, so that `run` knows what may be tried again
        raise DBAPIError.instance(statement, None, error, psycopg.Error, dialect=connection.dialect) from error


_COPY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_END = b"\xff\xff"
