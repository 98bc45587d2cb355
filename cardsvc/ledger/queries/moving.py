"""The whole books as text, to be taken in elsewhere: `rules.moving` says what each line is."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import access
from cardsvc.ledger.models import (
    Account,
    AssertionWithdrawal,
    BalanceAssertion,
    ChartDocument,
    ChartVersion,
    Entry,
    Hold,
    LedgerImport,
    PeriodEvent,
)
from cardsvc.ledger.queries.reading import entries
from cardsvc.ledger.rules import AccountKind, AccountPolicy, AccountSpec, BooksDoNotBalance, Fund, Purse, moving
from crypto import cose
from crypto.errors import CryptoError, InvalidSignature
from crypto.wire.action import verify_action

_PAGE = 1000
_STAYS: Final = frozenset(
    {("period_event", "after_seq"), ("period_event", "request_id"), ("assertion_withdrawal", "request_id")}
)
"""Columns that mean something here only: a place of this city's log, the key of a request."""
TABLES: Final = (Hold, ChartDocument, ChartVersion, PeriodEvent, BalanceAssertion, AssertionWithdrawal)
"""What else the books keep, beside accounts and entries, in the order in which it can be written."""


def whole_books(session: Session) -> Iterator[str]:
    """Every account, entry and other row of the books, a line each; the last line counts them."""
    yield moving.line("city_ledger", {"version": moving.VERSION})
    counted = {"accounts": 0, "entries": 0, "rows": 0}
    for row in session.scalars(sa.select(Account).order_by(Account.id)):
        counted["accounts"] += 1
        yield moving.account_line(_account(row))
    after: int | None = None
    while page := entries(session, after=after, limit=_PAGE):
        after = page[-1].seq
        counted["entries"] += len(page)
        yield from map(moving.entry_line, page)
    for model in TABLES:
        table = model.__table__
        assert isinstance(table, sa.Table)
        names = moved(table)
        for values in session.execute(sa.select(table).order_by(*table.primary_key)).mappings():
            counted["rows"] += 1
            kept = {name: plain(values[name]) for name in names}
            yield moving.line("row", {"table": table.name, "values": kept})
    yield moving.line("end", counted)


def moved(table: sa.Table) -> list[str]:
    """The columns of a table that go with the books; the others are empty where they arrive."""
    return [column.name for column in table.columns if (table.name, column.name) not in _STAYS]


def _account(row: Account) -> moving.MovedAccount:
    purse = None
    if row.purpose is not None:
        purse = Purse(row.purpose, row.expires_at, row.priority or 0, row.returns_to)
    kinds = AccountKind(row.kind), AccountPolicy(row.policy), Fund(row.fund)
    spec = AccountSpec(row.code, *kinds, row.floor_cents, row.currency, purse)
    return moving.MovedAccount(spec, row.opened_at, row.closed_at)


def plain(value: Any) -> Any:
    """A column's value as JSON has it: times as milliseconds, ids and days as text, bytes as base64."""
    if isinstance(value, datetime):
        return moving.ms(value)
    if isinstance(value, UUID | date):
        return str(value)
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


@dataclass(frozen=True, slots=True)
class ImportsChecked:
    """Entries that were taken in with older books, and by how many signed acts. Nothing here proves the entries."""

    entries: int
    imports: int


def check_imports(session: Session) -> ImportsChecked:
    """Whether every entry below the log came by an import that a member of the staff signed.

    Raises: BooksDoNotBalance.
    """
    acts = list(session.scalars(sa.select(LedgerImport)))
    for act in acts:
        try:
            kid = cose.parse(act.signature).kid
            key = access.staff_by_key(session, [kid], blocked_too=True).get(kid)
            if key is None or key.staff_id != act.imported_by:
                raise InvalidSignature("it is of another's key")
            said = dict(verify_action(act.statement, act.signature, key.public_key).payload)
        except CryptoError as error:
            raise BooksDoNotBalance(f"the import {act.content_hash.hex()} is not signed ({error})") from error
        kept = {"content_hash": act.content_hash, "accounts": act.accounts, "entries": act.entries}
        if said != kept:
            raise BooksDoNotBalance(f"the import {act.content_hash.hex()} is not what was signed")
    count = session.scalar(sa.select(sa.func.count()).select_from(Entry).where(Entry.seq < 0)) or 0
    if count != sum(act.entries for act in acts):
        raise BooksDoNotBalance(f"{count} entries stand below the log, which is not what was imported")
    return ImportsChecked(count, len(acts))
