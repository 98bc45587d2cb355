"""How other programs write what the ledger holds: names of accounts, amounts, entries as text.

hledger and ledger-cli read one text; beancount has its own. An account stands below the program's own five, then below
its fund, so that each fund can be summed by itself. What a code may contain and a name there may not is written as %XX.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from cardsvc.ledger.rules.chart import AccountKind, Fund
from cardsvc.ledger.rules.entries import PostedLine, StoredEntry
from cardsvc.ledger.rules.funds import interfund_code, interfund_lines
from cardsvc.ledger.rules.spans import booking_day

_ZONE: Final = ZoneInfo("Asia/Manila")
_TOP: Final = {
    AccountKind.ASSET: "assets",
    AccountKind.LIABILITY: "liabilities",
    AccountKind.EQUITY: "equity",
    AccountKind.REVENUE: "revenues",
    AccountKind.EXPENSE: "expenses",
}
_BEANCOUNT_TOP: Final = {**{kind: top.capitalize() for kind, top in _TOP.items()}, AccountKind.REVENUE: "Income"}
_NAME_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.*")
# what neither program takes for a tag, a date, an amount or an end
_VALUE_LETTERS: Final = _NAME_LETTERS | frozenset(" /+#@₱áéíóúñÁÉÍÓÚÑ")


class Tool(StrEnum):
    HLEDGER = "hledger"
    LEDGER = "ledger"
    BEANCOUNT = "beancount"


@dataclass(frozen=True, slots=True)
class NamedAccount:
    """An account as an export needs it."""

    code: str
    kind: AccountKind
    fund: Fund
    currency: str
    opened_on: date | None = None  # None: computed, never opened


@dataclass(frozen=True, slots=True)
class Names:
    """The accounts of an export, and what each is called in the tool: no two the same."""

    tool: Tool
    accounts: Mapping[str, NamedAccount]
    of: Mapping[str, str]

    @classmethod
    def make(cls, tool: Tool, accounts: Iterable[NamedAccount]) -> "Names":
        """Names depend on the order: of two that would be called the same the later gets a number."""
        listed = {account.code: account for account in accounts}
        for fund, currency in sorted({(account.fund, account.currency) for account in listed.values()}):
            code = interfund_code(fund)
            listed.setdefault(code, NamedAccount(code, AccountKind.ASSET, fund, currency))
        made: dict[str, str] = {}
        taken: set[str] = set()
        for account in listed.values():
            plain = name = _beancount_name(account) if tool is Tool.BEANCOUNT else _name(account)
            number = 2
            while name in taken:
                name, number = f"{plain}-{number}", number + 1
            taken.add(name)
            made[account.code] = name
        return cls(tool, listed, made)

    def lines(self, entry: StoredEntry, fund: Fund | None) -> list[PostedLine]:
        """The entry's lines with those of what the funds owe each other; only one fund's, when one is asked for."""
        funds = {line.account: self.accounts[line.account].fund for line in entry.lines}
        every = [*entry.lines, *interfund_lines(entry.lines, funds)]
        return [line for line in every if fund is None or self.accounts[line.account].fund is fund]


def _name(account: NamedAccount) -> str:
    parts = [_escaped(part, _NAME_LETTERS) or "%" for part in account.code.split(":")]
    return ":".join((_TOP[account.kind], account.fund.value, *parts))


def _escaped(text: str, kept: frozenset[str]) -> str:
    return "".join(letter if letter in kept else "".join(f"%{byte:02X}" for byte in letter.encode()) for letter in text)


def _beancount_name(account: NamedAccount) -> str:
    """Beancount syntax: components of letters, digits and dashes that begin with a capital letter or a digit."""
    parts = []
    for part in account.code.split(":"):
        plain = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in part)
        parts.append(plain[:1].upper() + plain[1:] if plain[:1].isalnum() else f"X{plain}")
    return ":".join((_BEANCOUNT_TOP[account.kind], account.fund.value.capitalize(), *parts))


def decimal_text(cents: int) -> str:
    """Centavos as a decimal number."""
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole}.{rest:02d}"


# ------------------------------------------------------------------------------------------------------ plain text


def heading(names: Names, first: date, fund: Fund | None = None) -> Iterator[str]:
    """What stands before the entries: the currencies and the accounts. `first` is a day before which nothing is."""
    listed = [account for account in names.accounts.values() if fund is None or account.fund is fund]
    currencies = sorted({account.currency for account in listed})
    if names.tool is Tool.BEANCOUNT:
        yield from (f'option "operating_currency" "{currency}"\n' for currency in currencies)
    elif names.tool is Tool.HLEDGER:
        yield from (f"commodity {currency} 1000.00\n" for currency in currencies)
    yield "\n"
    for account in listed:
        name = names.of[account.code]
        if names.tool is Tool.BEANCOUNT:
            yield f"{first} open {name} {account.currency}\n  code: {_quoted(account.code)}\n"
            if account.opened_on is not None:
                yield f"  opened: {account.opened_on}\n"
        else:
            yield f"account {name}\n"
    yield "\n"


def transaction(names: Names, entry: StoredEntry, fund: Fund | None = None) -> str:
    """An entry; nothing where it has no line in the fund."""
    lines = names.lines(entry, fund)
    if not lines:
        return ""
    day, kind = booking_day(entry.booked_on, entry.recorded_at), entry.kind.name.lower().replace("_", " ")
    if names.tool is Tool.BEANCOUNT:
        facts = [f"  {key}: {_quoted(value)}\n" for key, value in _facts(entry)]
        notes = [
            f"  note{place}: {_quoted(f'{key}: {value}')}\n" for place, (key, value) in enumerate(entry.metadata, 1)
        ]
        head = f'{day} * "{kind}"\n'
    else:
        facts = [f"    ; {key}: {_escaped(value, _VALUE_LETTERS | {':'})}\n" for key, value in _facts(entry)]
        notes = [
            f"    ; note-{_escaped(key, _NAME_LETTERS)}: {_escaped(value, _VALUE_LETTERS)}\n"
            for key, value in entry.metadata
        ]
        head = f"{day}={_city(entry.happened_at).date()} ({entry.seq}) {kind}\n"
    body = [_posting(names, line.account, line.amount_cents, entry.currency) for line in lines]
    return "".join([head, *facts, *notes, *body, "\n"])


def opening(names: Names, day: date, balances: Mapping[str, int]) -> str:
    """What the accounts held before the first day, debit positive: of each fund it sums to zero."""
    moved = [(code, cents) for code, cents in balances.items() if cents]
    if not moved:
        return ""
    head = f'{day} * "opening balances"\n' if names.tool is Tool.BEANCOUNT else f"{day} opening balances\n"
    return "".join(
        [head, *(_posting(names, code, cents, names.accounts[code].currency) for code, cents in moved), "\n"]
    )


def closing(names: Names, last: date, following: date, balances: Mapping[str, int]) -> Iterator[str]:
    """What every account holds after the last day, for the tool to check; `following` is the day after."""
    if names.tool is not Tool.BEANCOUNT:
        yield f"{last} closing balances\n"
    for code, cents in balances.items():
        currency, name = names.accounts[code].currency, names.of[code]
        if names.tool is Tool.BEANCOUNT:
            yield f"{following} balance {name} {decimal_text(cents)} {currency}\n"
        else:
            yield f"    {name}  {currency} 0.00 = {currency} {decimal_text(cents)}\n"


def _posting(names: Names, code: str, cents: int, currency: str) -> str:
    if names.tool is Tool.BEANCOUNT:
        return f"  {names.of[code]}  {decimal_text(cents)} {currency}\n"
    return f"    {names.of[code]}  {currency} {decimal_text(cents)}\n"


def _facts(entry: StoredEntry) -> list[tuple[str, str]]:
    facts = [
        ("id", str(entry.entry_id)),
        ("seq", str(entry.seq)),
        ("happened", _city(entry.happened_at).isoformat(timespec="milliseconds")),
        ("recorded", _city(entry.recorded_at).isoformat(timespec="milliseconds")),
    ]
    if entry.rule:
        facts.append(("rule", entry.rule))
    return facts if entry.reverses is None else [*facts, ("reverses", str(entry.reverses))]


def _city(at: datetime) -> datetime:
    return at.astimezone(_ZONE)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


# ------------------------------------------------------------------------------------------------------------- CSV

_CSV_COLUMNS: Final = (
    *("seq", "entry_id", "kind", "booked_on", "happened_at", "recorded_at", "line", "account", "account_kind", "fund"),
    *("currency", "debit", "credit", "rule", "reverses", "metadata"),
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_heading() -> str:
    return csv_row(_CSV_COLUMNS)


def csv_rows(names: Names, entry: StoredEntry, fund: Fund | None = None) -> str:
    """A row for each line, debit and credit in columns of their own. A metadata column holds JSON."""
    rows = []
    for number, line in enumerate(names.lines(entry, fund)):
        account, cents = names.accounts[line.account], line.amount_cents
        rows.append(
            csv_row(
                (
                    *(str(entry.seq), str(entry.entry_id), entry.kind.name.lower()),
                    booking_day(entry.booked_on, entry.recorded_at).isoformat(),
                    *(_city(at).isoformat(timespec="milliseconds") for at in (entry.happened_at, entry.recorded_at)),
                    *(str(number), line.account, account.kind.value, account.fund.value, account.currency),
                    decimal_text(cents) if cents > 0 else "",
                    decimal_text(-cents) if cents < 0 else "",
                    *(entry.rule, str(entry.reverses or "")),
                    json.dumps(dict(entry.metadata), ensure_ascii=False) if entry.metadata else "",
                )
            )
        )
    return "".join(rows)


def csv_row(cells: Iterable[str]) -> str:
    """One line of RFC 4180. A cell that a spreadsheet would take for a formula gets an apostrophe before it."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(
        [f"'{cell}" if cell.startswith(_FORMULA) and not _is_number(cell) else cell for cell in cells]
    )
    return text.getvalue()


def _is_number(cell: str) -> bool:
    return cell.removeprefix("-").replace(".", "", 1).isdigit()
