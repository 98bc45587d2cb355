"""The text form in which whole books move: one JSON object a line, described in docs/cardsvc-ledger.md. Version 1.

A reader refuses what it does not know, so a later version may add kinds of lines and fields only under a new number.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from cardsvc.errors import CityError, ErrorKind
from cardsvc.ledger.rules.chart import AccountKind, AccountPolicy, AccountSpec, Fund, Purse
from cardsvc.ledger.rules.entries import EntryKind, PostedLine, StoredEntry, entry_hash

VERSION: Final = 1
ERRORS_MAX: Final = 50
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class BooksRefused(CityError):
    """Books that cannot be taken in; `problems` name the line and what is wrong with it. Nothing was taken."""

    code = "books_refused"
    kind = ErrorKind.UNPROCESSABLE

    def __init__(self, problems: list[str]) -> None:
        shown = " ".join(problems[:ERRORS_MAX])
        super().__init__(f"The books cannot be taken in: {shown}", fields={"lines": problems[:ERRORS_MAX]})


@dataclass(frozen=True, slots=True)
class MovedAccount:
    spec: AccountSpec
    opened_at: datetime
    closed_at: datetime | None


@dataclass(slots=True)
class Books:
    """Books as they were read: accounts and entries in order, and rows of other tables by the table's name."""

    accounts: dict[str, MovedAccount] = field(default_factory=dict)
    entries: list[StoredEntry] = field(default_factory=list)
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def ms(at: datetime) -> int:
    return (at - _EPOCH) // _MILLISECOND


def moment(at_ms: int) -> datetime:
    return _EPOCH + at_ms * _MILLISECOND


def line(kind: str, value: Mapping[str, Any]) -> str:
    """One line of the form: the same value gives the same bytes."""
    return json.dumps({kind: value}, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"


def account_line(account: MovedAccount) -> str:
    spec, purse = account.spec, account.spec.purse
    value: dict[str, Any] = {
        "code": spec.code,
        "kind": spec.kind.value,
        "policy": spec.policy.value,
        "fund": spec.fund.value,
        "floor_cents": spec.floor_cents,
        "currency": spec.currency,
        "opened_at_ms": ms(account.opened_at),
        "closed_at_ms": None if account.closed_at is None else ms(account.closed_at),
        "purse": None,
    }
    if purse is not None:
        expires = None if purse.expires_at is None else ms(purse.expires_at)
        value["purse"] = [purse.purpose, expires, purse.priority, purse.returns_to]
    return line("account", value)


def entry_line(entry: StoredEntry) -> str:
    """What the hash covers, and the hash. The place in a log is not of the books: it stays behind."""
    return line(
        "entry",
        {
            "id": str(entry.entry_id),
            "kind": entry.kind.value,
            "currency": entry.currency,
            "happened_at_ms": ms(entry.happened_at),
            "recorded_at_ms": ms(entry.recorded_at),
            "rule": entry.rule,
            "reverses": None if entry.reverses is None else str(entry.reverses),
            "booked_on": None if entry.booked_on is None else entry.booked_on.isoformat(),
            "metadata": [list(pair) for pair in entry.metadata],
            "lines": [[one.account, one.amount_cents] for one in entry.lines],
            "hash": entry.entry_hash.hex(),
        },
    )


def read(lines: Iterable[str]) -> Books:
    """The books that a text holds, each line checked by itself and against those before it. Raises: BooksRefused."""
    reader = _Reader()
    problems: list[str] = []
    for number, text in enumerate(lines, start=1):
        try:
            reader.take(number, text)
        except (ValueError, KeyError, TypeError, CityError) as error:
            problems.append(f"Line {number}: {_said(error)}.")
            if len(problems) == ERRORS_MAX:
                break
    if not reader.ended and not problems:
        problems.append("The text ends before its last line, which counts the others: it was cut off.")
    if problems:
        raise BooksRefused(problems)
    return reader.books


def _said(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error.args[0]!r} is missing"
    return str(error).rstrip(".") or "it cannot be read"


class _Reader:
    def __init__(self) -> None:
        self.books = Books()
        self.ended = False
        self._seen: set[UUID] = set()
        self._balances: dict[str, int] = {}

    def take(self, number: int, text: str) -> None:
        if self.ended:
            raise ValueError("nothing may follow the line that counts the others")
        found = json.loads(text)
        if not isinstance(found, dict) or len(found) != 1:
            raise ValueError("a line is one object with one name")
        [(kind, value)] = found.items()
        if (number == 1) != (kind == "city_ledger"):
            raise ValueError("the first line, and no other, names the form and its version")
        if kind == "city_ledger":
            if value["version"] != VERSION:
                raise ValueError(f"version {value['version']} of the form is not known here; version {VERSION} is")
        elif kind == "account":
            self._take_account(value)
        elif kind == "entry":
            self._take_entry(value)
        elif kind == "row":
            self.books.rows.setdefault(value["table"], []).append(value["values"])
        elif kind == "end":
            self._take_end(value)
        else:
            raise ValueError(f"a line of kind {kind!r} is not known")

    def _take_account(self, value: Mapping[str, Any]) -> None:
        purse = None
        if value["purse"] is not None:
            purpose, expires, priority, returns_to = value["purse"]
            purse = Purse(purpose, None if expires is None else moment(expires), priority, returns_to)
        spec = AccountSpec(
            value["code"],
            AccountKind(value["kind"]),
            AccountPolicy(value["policy"]),
            Fund(value["fund"]),
            value["floor_cents"],
            value["currency"],
            purse,
        )
        if spec.code in self.books.accounts:
            raise ValueError(f"account {spec.code} comes twice")
        closed = value["closed_at_ms"]
        moved = MovedAccount(spec, moment(value["opened_at_ms"]), None if closed is None else moment(closed))
        self.books.accounts[spec.code] = moved

    def _take_entry(self, value: Mapping[str, Any]) -> None:
        entry = _entry(value)
        if entry.entry_id in self._seen:
            raise ValueError(f"entry {entry.entry_id} comes twice")
        if entry.reverses is not None and entry.reverses not in self._seen:
            raise ValueError(f"entry {entry.entry_id} reverses one that did not come before it")
        if len(entry.lines) < 2 or sum(one.amount_cents for one in entry.lines) != 0:  # noqa: PLR2004
            raise ValueError(f"entry {entry.entry_id} does not sum to zero")
        for one in entry.lines:
            account = self.books.accounts.get(one.account)
            if account is None or account.spec.currency != entry.currency or not one.amount_cents:
                raise ValueError(f"entry {entry.entry_id} has a line that account {one.account} cannot take")
        if entry.entry_hash.hex() != value["hash"]:
            raise ValueError(f"entry {entry.entry_id} is not the one that its hash was made of")
        self._seen.add(entry.entry_id)
        self.books.entries.append(entry)

    def _take_end(self, value: Mapping[str, Any]) -> None:
        counted = {"accounts": len(self.books.accounts), "entries": len(self.books.entries)}
        counted["rows"] = sum(len(rows) for rows in self.books.rows.values())
        if value != counted:
            raise ValueError(f"it counts {value}, and before it are {counted}")
        self.ended = True


def _entry(value: Mapping[str, Any]) -> StoredEntry:
    lines = tuple(PostedLine(str(code), _whole(cents)) for code, cents in value["lines"])
    reverses = None if value["reverses"] is None else UUID(value["reverses"])
    booked_on = None if value["booked_on"] is None else date.fromisoformat(value["booked_on"])
    metadata = tuple((str(key), str(said)) for key, said in value["metadata"])
    facts = UUID(value["id"]), EntryKind(value["kind"]), value["currency"]
    times = _whole(value["happened_at_ms"]), _whole(value["recorded_at_ms"])
    computed = entry_hash(
        entry_id=facts[0],
        kind=facts[1].value,
        currency=facts[2],
        happened_at_ms=times[0],
        recorded_at_ms=times[1],
        rule=value["rule"],
        reverses=reverses,
        lines=lines,
        booked_on=booked_on,
        metadata=metadata,
    )
    moments = moment(times[0]), moment(times[1])
    return StoredEntry(facts[0], 0, *facts[1:], *moments, value["rule"], reverses, lines, computed, booked_on, metadata)


def _whole(value: object) -> int:
    if type(value) is not int or abs(value) >= 2**63:
        raise ValueError(f"{value!r} is not a whole number of 64 bits")
    return value
