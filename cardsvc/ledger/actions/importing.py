"""Taking in whole books that were kept elsewhere, into a city that has none.

Nothing here proves who moved that money: signatures stay where they were made. So the entries get places below zero,
where no log is, and whoever takes them in signs for the text. If we stop anywhere: it is one unit, nothing was there.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.db import insert_columns, to_ms
from cardsvc.errors import CityError, ErrorKind
from cardsvc.ledger.actions.accounts import lock, open_accounts
from cardsvc.ledger.models import Account, Balance, ChartDocument, ChartVersion, Entry, LedgerImport, Posting
from cardsvc.ledger.queries import count_entries, known_accounts
from cardsvc.ledger.queries.moving import TABLES, moved
from cardsvc.ledger.rules import AccountPolicy, moving
from crypto.wire.action import Action

KIND = "ledger.import"
_CHUNK = 5000
_VALID_MS = 60 * 60 * 1000
Sign = Callable[[bytes], bytes]


class BooksNotEmpty(CityError):
    """A city that has begun its own log keeps its own books."""

    code = "books_not_empty"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("This city has entries or a log already. Take the books into a city that was only just made.")


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken in, or would be; `again`: this very text was taken in before, and nothing is new."""

    content_hash: bytes
    accounts: int
    entries: int
    again: bool


def import_books(
    session: Session,
    lines: Sequence[str],
    *,
    log_size: int,
    by: UUID,
    sign: Sign,
    action_id: UUID,
    now: datetime,
    dry_run: bool = False,
) -> Taken:
    """Take in the books, all of them or nothing. `sign` signs the statement of whoever does it (`by`).

    Raises: BooksRefused with the lines that are wrong; BooksNotEmpty; what opening an account raises.
    """
    lock(session)
    content_hash = hashlib.sha256("".join(lines).encode()).digest()
    before = session.get(LedgerImport, content_hash)
    if before is not None:
        return Taken(content_hash, before.accounts, before.entries, again=True)
    if log_size or count_entries(session):
        raise BooksNotEmpty
    books = moving.read(lines)
    _check_rows(books.rows)
    taken = Taken(content_hash, len(books.accounts), len(books.entries), again=False)
    statement = Action(
        action_id,
        KIND,
        {"content_hash": content_hash, "accounts": taken.accounts, "entries": taken.entries},
        f"Books of {taken.entries} entries are taken in from elsewhere. Nothing here proves them.",
        by,
        to_ms(now),
        to_ms(now) + _VALID_MS,
    ).encode()
    with session.begin_nested() as attempt:
        _write(session, books, now)
        if dry_run:
            attempt.rollback()
            return taken
    kept = {"content_hash": content_hash, "imported_by": by, "imported_at": now, "statement": statement}
    counts = {"accounts": taken.accounts, "entries": taken.entries}
    session.execute(sa.insert(LedgerImport).values(**kept, signature=sign(statement), **counts))
    return taken


def _check_rows(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    unknown = sorted(set(rows) - {model.__tablename__ for model in TABLES})
    if unknown:
        raise moving.BooksRefused([f"Rows of {', '.join(unknown)} are not known here."])


def _write(session: Session, books: moving.Books, now: datetime) -> None:
    open_accounts(session, [account.spec for account in books.accounts.values()], now)
    accounts = known_accounts(session, books.accounts)
    _write_entries(session, books, {code: account.account_id for code, account in accounts.items()})
    sums = dict.fromkeys(books.accounts, 0)
    for entry in books.entries:
        for line in entry.lines:
            sums[line.account] += line.amount_cents
    table = Balance.__table__
    assert isinstance(table, sa.Table)
    set_balance = (
        table.update().where(table.c.account_id == sa.bindparam("id")).values(balance_cents=sa.bindparam("cents"))
    )
    checked = [
        {"id": account.account_id, "cents": sums[code] * account.kind.sign}
        for code, account in accounts.items()
        if account.policy is AccountPolicy.CHECKED and sums[code]
    ]
    if checked:
        session.connection().execute(set_balance, checked)
    dates = sa.update(Account.__table__).where(Account.code == sa.bindparam("of"))  # type: ignore[arg-type]
    moments = [
        {"of": code, "opened": account.opened_at, "closed": account.closed_at}
        for code, account in books.accounts.items()
    ]
    if moments:
        when = dates.values(opened_at=sa.bindparam("opened"), closed_at=sa.bindparam("closed"))
        session.connection().execute(when, moments)
    _write_rows(session, books.rows)


def _write_entries(session: Session, books: moving.Books, ids: Mapping[str, int]) -> None:
    first = -len(books.entries)
    for start in range(0, len(books.entries), _CHUNK):
        some = list(enumerate(books.entries[start : start + _CHUNK], start=first + start))
        insert_columns(
            session,
            Entry.__table__,
            {
                "id": [entry.entry_id for _, entry in some],
                "seq": [seq for seq, _ in some],
                "kind": [entry.kind.value for _, entry in some],
                "currency": [entry.currency for _, entry in some],
                "happened_at": [entry.happened_at for _, entry in some],
                "recorded_at": [entry.recorded_at for _, entry in some],
                "rule": [entry.rule for _, entry in some],
                "reverses": [entry.reverses for _, entry in some],
                "booked_on": [entry.booked_on for _, entry in some],
                "notes": [json.dumps(entry.metadata) if entry.metadata else None for _, entry in some],
            },
        )
        postings = [(seq, place, line) for seq, entry in some for place, line in enumerate(entry.lines)]
        insert_columns(
            session,
            Posting.__table__,
            {
                "account_id": [ids[line.account] for _, _, line in postings],
                "entry_seq": [seq for seq, _, _ in postings],
                "line": [place for _, place, _ in postings],
                "amount_cents": [line.amount_cents for _, _, line in postings],
            },
        )


def _write_rows(session: Session, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """The chart in force here stays: two people of this city adopt another one. All else comes as it was."""
    for model in TABLES:
        if model in (ChartDocument, ChartVersion):
            continue
        table = model.__table__
        assert isinstance(table, sa.Table)
        made = [_row(table, values) for values in rows.get(table.name, ())]
        if made:
            session.execute(sa.insert(table), made)


def _row(table: sa.Table, values: Mapping[str, Any]) -> dict[str, Any]:
    if set(values) != set(moved(table)):
        raise moving.BooksRefused([f"A row of {table.name} has other columns than here."])
    return {name: _typed(table.c[name].type.python_type, value) for name, value in values.items()}


def _typed(python: Any, value: Any) -> Any:
    return value if value is None else _READ.get(python, lambda same: same)(value)


_READ: dict[Any, Callable[[Any], Any]] = {
    datetime: moving.moment,
    UUID: UUID,
    date: date.fromisoformat,
    bytes: lambda text: base64.b64decode(text, validate=True),
}
