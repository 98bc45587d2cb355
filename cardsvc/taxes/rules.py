"""Reading a file of bills row by row, and deciding whether a bill may be paid."""

import csv
import io
from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import ClassVar
from uuid import UUID

from cardsvc.errors import CityError, ErrorKind
from cardsvc.money import AMOUNT_MAX, CURRENCY, InvalidAmount, parse_pesos
from cardsvc.transactions import Reason, Rejected

BASIC_ACCOUNT = "revenue:rpt:basic"
SEF_ACCOUNT = "revenue:rpt:sef"
COLUMNS = ("number", "tdn", "owner_name", "resident_number", "year", "quarter", "basic", "sef", "due_on")
ROWS_MAX = 200_000
ERRORS_SHOWN = 100
_YEAR_MIN, _YEAR_MAX = 1990, 2100
_QUARTERS = {"1", "2", "3", "4"}
_TEXT_MAX = {"number": 30, "tdn": 30, "owner_name": 200}


class InvalidBillFile(CityError):
    """Nothing of the file was taken; `fields` names the wrong rows (row 1 is the first under the heading)."""

    code: ClassVar[str] = "invalid_bill_file"
    kind: ClassVar[ErrorKind] = ErrorKind.UNPROCESSABLE


class UnknownBill(CityError):
    code: ClassVar[str] = "unknown_bill"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND

    def __init__(self, number: str) -> None:
        super().__init__(f"There is no bill {number}. Check the number on the bill.")


@dataclass(frozen=True, slots=True)
class BillRow:
    """One row of the file, checked in itself. `quarter` is None for a whole year's bill."""

    number: str
    tdn: str
    owner_name: str
    resident_number: str | None
    year: int
    quarter: int | None
    basic_cents: int
    sef_cents: int
    due_on: date


def read_file(data: bytes) -> list[BillRow]:
    """The rows of a CSV file in UTF-8 with exactly the columns of `COLUMNS`, amounts in pesos.

    Raises: InvalidBillFile naming every wrong row.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidBillFile(f"The file is not UTF-8 text (byte {error.start}). Save it as CSV UTF-8.") from error
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise InvalidBillFile(f"The heading must be exactly: {','.join(COLUMNS)}.")
        lines = list(reader)
    except csv.Error as error:
        raise InvalidBillFile(f"The file is not CSV: line {reader.line_num}, {error}.") from error
    if not 1 <= len(lines) <= ROWS_MAX:
        raise InvalidBillFile(f"A file has 1 to {ROWS_MAX} bills, this one has {len(lines)}.")
    times = Counter(line["number"] for line in lines)
    rows: list[BillRow] = []
    wrong: dict[str, list[str]] = {}
    for position, line in enumerate(lines, 1):
        found = _read_row(line, times)
        if isinstance(found, BillRow):
            rows.append(found)
        else:
            wrong[f"rows.{position}"] = found
    refuse_rows(wrong)
    return rows


def refuse_rows(wrong: dict[str, list[str]]) -> None:
    """Raises: InvalidBillFile when there is a wrong row; the first hundred are named, all are counted."""
    if wrong:
        shown = dict(list(wrong.items())[:ERRORS_SHOWN])
        raise InvalidBillFile(
            f"{len(wrong)} rows are wrong; nothing was taken. Correct them and send all.", fields=shown
        )


def _read_row(line: dict[str, str], times: Counter[str]) -> BillRow | list[str]:
    if None in line or None in line.values():
        return [f"The row has not {len(COLUMNS)} columns."]
    problems = [
        f"{name} is missing or too long." for name, most in _TEXT_MAX.items() if not 1 <= len(line[name]) <= most
    ]
    if times[line["number"]] > 1:
        problems.append(f"The number {line['number']} stands in the file more than once.")
    year = int(line["year"]) if line["year"].isascii() and line["year"].isdigit() else 0
    if not _YEAR_MIN <= year <= _YEAR_MAX:
        problems.append("year is not a year.")
    if line["quarter"] and line["quarter"] not in _QUARTERS:
        problems.append("quarter is 1 to 4, or empty for the whole year.")
    amounts = [_cents(line[name], name, problems) for name in ("basic", "sef")]
    due_on = date.min
    try:
        due_on = date.fromisoformat(line["due_on"])
    except ValueError:
        problems.append("due_on is not a date like 2026-03-31.")
    if not problems and not 1 <= sum(amounts) <= AMOUNT_MAX:
        problems.append("basic and sef together must be at least one centavo.")
    if problems:
        return problems
    quarter = int(line["quarter"]) if line["quarter"] else None
    texts = line["number"], line["tdn"], line["owner_name"], line["resident_number"] or None
    return BillRow(*texts, year, quarter, amounts[0], amounts[1], due_on)


def _cents(text: str, name: str, problems: list[str]) -> int:
    try:
        cents = parse_pesos(text)
    except InvalidAmount:
        problems.append(f"{name} is not an amount like 1,234.50.")
        return 0
    if cents < 0:
        problems.append(f"{name} is negative.")
        return 0
    return cents


@dataclass(frozen=True, slots=True)
class Payable:
    """What a payment needs to know of a bill."""

    bill_id: UUID
    number: str
    year: int
    basic_cents: int
    sef_cents: int
    state: str


def check_payment(payable: Payable | None, *, amount_cents: int, currency: str) -> Rejected | None:
    """May this amount pay this bill? A bill is paid whole."""
    if payable is None:
        return Rejected(Reason.UNKNOWN_REFERENCE, "There is no such bill. Look at your bills again.")
    if (amount_cents, currency) != (payable.basic_cents + payable.sef_cents, CURRENCY):
        return Rejected(Reason.WRONG_AMOUNT, "The amount is not what the bill asks for. Look at the bill again.")
    if payable.state == "paid":
        return Rejected(Reason.ALREADY_DONE, "This bill was paid before. Nothing was taken from your wallet.")
    return None
