"""A register that comes as a CSV file: how it is written, and one row after another with what is wrong with it."""

import codecs
import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from cardsvc.residents.rules.register import InvalidRegistration, Registration, Sex, checked

REQUIRED: Final = ("family_name", "given_name", "birth_date", "sex", "barangay_code", "address")
FIELDS: Final = (*REQUIRED[:2], "middle_name", *REQUIRED[2:], "mobile")
DELIMITERS: Final = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
ENCODINGS: Final = ("utf-8", "windows-1252")
DATES: Final = ("YYYY-MM-DD", "DD/MM/YYYY", "MM/DD/YYYY", "DD-MM-YYYY", "DD.MM.YYYY", "YYYY/MM/DD", "YYYYMMDD")
LINE_BYTES_MAX: Final = 100_000

_SEXES: Final = {
    "f": Sex.FEMALE, "female": Sex.FEMALE, "babae": Sex.FEMALE, "m": Sex.MALE, "male": Sex.MALE, "lalaki": Sex.MALE
}  # fmt: skip
_HEADINGS: Final = {
    "surname": "family_name", "last_name": "family_name", "lastname": "family_name", "apelyido": "family_name",
    "first_name": "given_name", "firstname": "given_name", "pangalan": "given_name",
    "middlename": "middle_name", "birthdate": "birth_date", "birthday": "birth_date", "date_of_birth": "birth_date",
    "dob": "birth_date", "gender": "sex", "barangay": "barangay_code", "mobile_number": "mobile", "cellphone": "mobile",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layout:
    """How the file is written. `delimiter` None: the one that the heading has most of. `columns` says which field a
    column holds, by its heading as it stands in the file; headings that speak for themselves need no saying.
    """

    encoding: str = "utf-8"
    delimiter: str | None = None
    dates: str = "YYYY-MM-DD"
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong in one place. `line` counts from 1 as an editor does; `column` is the heading, or a field's name
    where the file has no such column, or empty where the whole line is meant. `code` is stable.
    """

    line: int
    column: str
    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row that can be registered; `line` is the one on which it begins."""

    line: int
    registration: Registration


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that cannot."""

    line: int
    errors: tuple[RowError, ...]


class UnreadableFile(Exception):
    """The file cannot be read any further; `error` says why."""

    def __init__(self, error: RowError) -> None:
        super().__init__(error.sentence)
        self.error = error


@dataclass(frozen=True, slots=True)
class Heading:
    """Which place holds which field. `ignored` are the columns that hold none."""

    places: Mapping[str, int]
    names: tuple[str, ...]
    ignored: tuple[str, ...]

    def name(self, field_name: str) -> str:
        place = self.places.get(field_name)
        return field_name if place is None else self.names[place]


def read(lines: Iterable[bytes], layout: Layout, now: datetime) -> tuple[Heading, Iterator[Row | RefusedRow]]:
    """The heading and the rows, read as they are asked for: a file of any length needs the memory of one row.

    Raises: UnreadableFile, here for the heading and from the iterator for what comes later.
    """
    texts = _decoded(lines, layout.encoding)
    first = next(texts, "")
    if not first.strip():
        raise UnreadableFile(RowError(1, "", "empty_file", "The file has no heading. Write the columns' names first."))
    delimiter = layout.delimiter or max(DELIMITERS.values(), key=first.count)
    try:
        names = next(csv.reader([first], delimiter=delimiter))
    except csv.Error as error:
        told = f"The heading is not CSV: {error}. Save the file as CSV in UTF-8, with a line for each person."
        raise UnreadableFile(RowError(1, "", "not_csv", told)) from error
    heading = _heading([name.strip() for name in names], layout.columns)
    return heading, _rows(texts, heading, delimiter, layout.dates, now)


def _decoded(lines: Iterable[bytes], encoding: str) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        if number == 1 and line.startswith((codecs.BOM_UTF16_BE, codecs.BOM_UTF16_LE)):
            raise UnreadableFile(RowError(1, "", "not_text", "The file is UTF-16. Save it as CSV in UTF-8."))
        if len(line) > LINE_BYTES_MAX:
            raise UnreadableFile(RowError(number, "", "line_too_long", "The line is too long to be one person's."))
        try:
            yield (line.removeprefix(codecs.BOM_UTF8) if number == 1 else line).decode(encoding)
        except UnicodeDecodeError as error:
            hint = "Say --encoding windows-1252 if it comes from an older Excel." if encoding == "utf-8" else ""
            told = f"The line is not {encoding}. {hint or 'Save the file as CSV in UTF-8.'}"
            raise UnreadableFile(RowError(number, "", "not_text", told)) from error


def _heading(names: list[str], said: Mapping[str, str]) -> Heading:
    wrong = sorted(set(said) - set(names))
    if wrong:
        raise UnreadableFile(RowError(1, wrong[0], "column_unknown", f"The file has no column {wrong[0]!r}."))
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        plain = re.sub(r"[\s_-]+", "_", name.casefold())
        meant = said.get(name, "" if name in said else _HEADINGS.get(plain, plain))
        if meant in FIELDS and meant in places and name not in said and names[places[meant]] in said:
            continue  # what the operator said counts for more than what a heading looks like
        if meant in FIELDS and meant in places and not (name in said and names[places[meant]] not in said):
            told = f"Two columns hold the {meant}. Say which with --map."
            raise UnreadableFile(RowError(1, name, "column_twice", told))
        if meant in FIELDS:
            places[meant] = place
    missing = [name for name in REQUIRED if name not in places]
    if missing:
        told = f"No column holds the {', '.join(missing)}. Add it, or say which one does: --map COLUMN={missing[0]}."
        raise UnreadableFile(RowError(1, missing[0], "column_missing", told))
    ignored = [name for place, name in enumerate(names) if place not in places.values()]
    return Heading(places, tuple(names), tuple(ignored))


def _rows(
    texts: Iterator[str], heading: Heading, delimiter: str, dates: str, now: datetime
) -> Iterator[Row | RefusedRow]:
    reader = csv.reader(texts, delimiter=delimiter, strict=True)
    pattern = _date_pattern(dates)
    line = 2
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            told = f"From here on this is no CSV: {error}. Look for a quotation mark that is not closed."
            raise UnreadableFile(RowError(line, "", "not_csv", told)) from error
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield _row(line, cells, heading, dates, pattern, now)
        line = reader.line_num + 2  # of the next row: the reader has not seen the heading


def _row(
    line: int, cells: list[str], heading: Heading, dates: str, pattern: re.Pattern[str], now: datetime
) -> Row | RefusedRow:
    if len(cells) != len(heading.names):
        told = f"The line has {len(cells)} columns, the heading {len(heading.names)}. Look for a missing delimiter."
        return RefusedRow(line, (RowError(line, "", "wrong_number_of_columns", told),))
    given = {name: cells[place].strip() for name, place in heading.places.items()}
    errors = [
        RowError(line, heading.name(name), "unprintable", "The cell holds a character that cannot be printed.")
        for name, text in given.items()
        if not text.isprintable() and not all(c.isprintable() or c.isspace() for c in text)
    ]
    born = _date(given["birth_date"], dates, pattern)
    sex = _SEXES.get(given["sex"].casefold())
    if born is None:
        told = f"Write the birth date as {dates}, a day that exists."
        errors.append(RowError(line, heading.name("birth_date"), "bad_date", told))
    if sex is None:
        errors.append(RowError(line, heading.name("sex"), "bad_sex", "Write F or M."))
    registration = Registration(
        family_name=given["family_name"],
        given_name=given["given_name"],
        middle_name=given.get("middle_name") or None,
        birth_date=born or now.date(),
        sex=sex or Sex.FEMALE,
        barangay_code=given["barangay_code"],
        address=given["address"],
        mobile=given.get("mobile") or None,
    )
    try:
        registration = checked(registration, now)
    except InvalidRegistration as error:
        errors += [
            RowError(line, heading.name(name), f"invalid_{name}", " ".join(told)) for name, told in error.fields.items()
        ]
    return RefusedRow(line, tuple(errors)) if errors else Row(line, registration)


def _date_pattern(style: str) -> re.Pattern[str]:
    digits = "{2}" if style == "YYYYMMDD" else "{1,2}"  # 1/2/1990 is plain where something stands between
    escaped = re.escape(style).replace("YYYY", r"(?P<year>\d{4})")
    escaped = escaped.replace("MM", rf"(?P<month>\d{digits})").replace("DD", rf"(?P<day>\d{digits})")
    return re.compile(escaped, re.ASCII)


def _date(text: str, style: str, pattern: re.Pattern[str]) -> date | None:
    if style == DATES[0] and len(text) != len(style):
        return None
    match = pattern.fullmatch(text)
    try:
        return date(int(match["year"]), int(match["month"]), int(match["day"])) if match else None
    except ValueError:
        return None
