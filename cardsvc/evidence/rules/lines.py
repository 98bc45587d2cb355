"""The lines of an export: tab-separated values in one encoding, each line with a check over itself.

A file begins with a line of column names; the first column numbers the lines, the last is the check: the first 16 hex
digits of SHA-256 over the line up to the tab before it. So one changed byte is found in its line and in no other.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

CHECK_DIGITS = 16
_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_PLAIN = {escaped: letter for letter, escaped in _ESCAPES.items()}
EMPTY_TEXT = "\\0"
"""A text of no letters; a field of no letters is a value that is not there."""


class BadLine(ValueError):
    """The line is not one that an export writes. The sentence says what is wrong with it."""


class LineMoved(BadLine):
    """The line is whole; it is another one than belongs here."""


@dataclass(frozen=True, slots=True)
class Table:
    """A kind of file: its name, and the columns between the number and the check."""

    name: str
    columns: tuple[str, ...]

    @property
    def header(self) -> bytes:
        return ("\t".join(("n", *self.columns, "check")) + "\n").encode()

    def place(self, column: str) -> int:
        """Where the column's field stands in a line."""
        return 1 + self.columns.index(column)

    @property
    def fields(self) -> int:
        return 1 + len(self.columns)


def write(number: int, fields: Iterable[str]) -> bytes:
    """One line. Fields come from `shown`, `text` and `hexed`."""
    body = "\t".join((str(number), *fields)).encode()
    return body + b"\t" + check(body) + b"\n"


def check(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest()[:CHECK_DIGITS].encode()


@dataclass(slots=True)
class Reader:
    """Takes the lines of a file one after the other. `sealed`: the city's seal covers the file's bytes, so that the
    lines' own checks need not be looked at again.
    """

    table: Table
    expected: int = 0
    sealed: bool = False
    _lost: bool = False

    def split(self, line: bytes) -> list[bytes]:
        """The fields of a line without its end: the number first, the check last.

        Raises: BadLine; LineMoved where the line is whole and another one belongs here.
        """
        lost, self._lost = self._lost, True
        if not self.sealed and line[-CHECK_DIGITS - 1 :] != b"\t" + check(line[: -CHECK_DIGITS - 1]):
            raise BadLine("the line's check is not that of its content: it was changed")
        fields = line.split(b"\t")
        if len(fields) != self.table.fields + 1:
            raise BadLine(f"the line has {len(fields) - 1} fields where {self.table.fields} belong")
        number = need_number(fields[0].decode())
        expected, self.expected, self._lost = self.expected, number + 1, False
        if number != expected and not lost:
            raise LineMoved(f"line {number} stands where {expected} belongs: a line is missing, extra or moved")
        return fields

    def read(self, line: bytes) -> list[str]:
        """The same as text, without the check."""
        fields = self.split(line)[:-1]
        try:
            return [field.decode() for field in fields]
        except UnicodeDecodeError as error:
            raise BadLine("the line is not UTF-8") from error


def body_lines(data: bytes, table: Table) -> tuple[list[bytes], bool, bool]:
    """The lines below the column names, without their ends; whether the names are there; whether the last line ends."""
    first, *rest = data.split(b"\n")
    ended = bool(rest) and not rest[-1]
    return (rest[:-1] if ended else rest), first + b"\n" == table.header, ended


# ---------------------------------------------------------------------------------------------- values in their fields


def shown(value: object) -> str:
    """A number or nothing."""
    return "" if value is None else str(value)


def hexed(value: bytes | None) -> str:
    return "" if value is None else value.hex()


def text(value: str | None) -> str:
    if value is None:
        return ""
    return "".join(_ESCAPES.get(letter, letter) for letter in value) or EMPTY_TEXT


def read_text(field: str) -> str | None:
    """Raises: BadLine for an escape that `text` does not write."""
    if not field or field == EMPTY_TEXT:
        return "" if field else None
    if "\\" not in field:
        return field
    plain, rest = [], iter(field)
    for letter in rest:
        if letter != "\\":
            plain.append(letter)
            continue
        escape = "\\" + next(rest, "")
        if escape not in _PLAIN:
            raise BadLine(f"{escape} is no escape")
        plain.append(_PLAIN[escape])
    return "".join(plain)


def read_number(field: str) -> int | None:
    """Raises: BadLine for anything but a whole number in its one spelling, or nothing."""
    if not field:
        return None
    try:
        value = int(field)
    except ValueError as error:
        raise BadLine(f"{field!r} is no whole number") from error
    if str(value) != field:
        raise BadLine(f"{field!r} is not the one spelling of a number")
    return value


def need_number(field: str) -> int:
    value = read_number(field)
    if value is None:
        raise BadLine("a number is missing")
    return value


def read_hex(field: str, size: int | None = None) -> bytes | None:
    """Raises: BadLine for anything but small hex digits, of `size` bytes where given, or nothing."""
    if not field:
        return None
    try:
        value = bytes.fromhex(field)
    except ValueError as error:
        raise BadLine("a field that holds bytes is not in hex digits") from error
    if value.hex() != field or (size is not None and len(value) != size):
        raise BadLine("a field that holds bytes is not in its one spelling, or of another length")
    return value


def need_hex(field: str, size: int | None = None) -> bytes:
    value = read_hex(field, size)
    if value is None:
        raise BadLine("a field that holds bytes is empty")
    return value


def write_lines(lines: Sequence[tuple[str, int]]) -> str:
    """The postings of an entry: `code=cents` with spaces between; codes have no spaces."""
    return " ".join(f"{code}={cents}" for code, cents in lines)


def read_lines(field: str) -> list[tuple[str, int]]:
    """Raises: BadLine."""
    found = []
    for part in field.split(" ") if field else []:
        code, separator, cents = part.rpartition("=")
        if not code or not separator:
            raise BadLine("a posting is not an account and its cents")
        found.append((code, need_number(cents)))
    return found
