"""Purses by their owner, those whose time is over, and what happened to several accounts as one."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from cardsvc import rows
from cardsvc.ledger.models import Account, Balance, Entry, Posting
from cardsvc.ledger.queries.knowing import known_accounts
from cardsvc.ledger.rules import Cursor, EntryKind, PostedLine, Purse, PurseAccount, UnknownAccount

_ACCOUNT, _BALANCE = Account.__table__, Balance.__table__
_COLUMNS: tuple[Any, ...] = (
    _ACCOUNT.c.owner,
    _ACCOUNT.c.code,
    _ACCOUNT.c.purpose,
    _ACCOUNT.c.expires_at,
    _ACCOUNT.c.priority,
    _ACCOUNT.c.returns_to,
    _BALANCE.c.balance_cents,
)


def purses_of(session: Session, owners: Sequence[str]) -> dict[str, tuple[PurseAccount, ...]]:
    """The open purses of each owner that has one, in no order; one statement whatever their number."""
    found: dict[str, tuple[PurseAccount, ...]] = {}
    query = sa.select(*_COLUMNS).join_from(_ACCOUNT, _BALANCE).where(_ACCOUNT.c.closed_at.is_(None))
    for row in rows.matching(session, query, _ACCOUNT.c.owner, owners):
        found[str(row.owner)] = (*found.get(str(row.owner), ()), _purse(row))
    return found


def expired_purses(session: Session, at: datetime, *, limit: int) -> tuple[PurseAccount, ...]:
    """The open purses with money in them whose time is over at that moment, the longest expired first."""
    found = session.execute(
        sa.select(*_COLUMNS)
        .join_from(_ACCOUNT, _BALANCE)
        .where(Account.expires_at <= at, Account.closed_at.is_(None), Balance.balance_cents > 0)
        .order_by(Account.expires_at, Account.id)
        .limit(limit)
    )
    return tuple(map(_purse, found))


def awaits(session: Session, code: str, at: datetime) -> str | None:
    """A purse that may still return its rest to this account: it is not over, has money, or its owner's is held."""
    holder, held = aliased(Account), aliased(Balance)
    owners_held = (
        sa.exists()
        .where(holder.code == Account.owner + ":held", held.account_id == holder.id, held.balance_cents != 0)
        .correlate(Account)
    )
    may = sa.or_(Account.expires_at.is_(None), Account.expires_at > at, Balance.balance_cents != 0, owners_held)
    query = (
        sa.select(Account.code)
        .join_from(Account, Balance)
        .where(Account.returns_to == code, Account.closed_at.is_(None), may)
    )
    return session.scalar(query.order_by(Account.id).limit(1))


def _purse(row: sa.Row[Any]) -> PurseAccount:
    return PurseAccount(row.code, Purse(row.purpose, row.expires_at, row.priority, row.returns_to), row.balance_cents)


# --------------------------------------------------------------------------------------------- several accounts as one


@dataclass(frozen=True, slots=True)
class JointLine:
    """An entry as it moved several accounts together: `amount_cents` natural, `balance_after` theirs after it; `parts`
    account by account, natural too, those beside them included.
    """

    entry_id: UUID
    seq: int
    kind: EntryKind
    happened_at: datetime
    recorded_at: datetime
    amount_cents: int
    balance_after: int
    parts: tuple[PostedLine, ...]


@dataclass(frozen=True, slots=True)
class JointPage:
    """As `StatementPage`, of several accounts as if they were one."""

    opening: int
    lines: tuple[JointLine, ...]
    closing: int
    next: str | None


def joint_statement(
    session: Session, codes: Sequence[str], *, beside: Sequence[str] = (), after: str | None = None, limit: int = 100
) -> JointPage:
    """One page of what happened to checked accounts of one kind, newest first, with the balance of `codes` together
    after each entry. Entries of the accounts `beside` stand in it too and count for nothing.

    Raises: UnknownAccount for one of `codes`; InvalidCursor when `after` is not a page's `next`.
    """
    accounts = known_accounts(session, [*codes, *beside])
    for code in codes:
        if code not in accounts:
            raise UnknownAccount(code)
    counted = {accounts[code].account_id for code in codes}
    code_of = {account.account_id: code for code, account in accounts.items()}
    sign = next(iter(accounts.values())).kind.sign
    closing = sum(accounts[code].balance_cents for code in codes)
    mine: list[sa.ColumnElement[bool]] = [Posting.account_id.in_(code_of)]
    if after is not None:
        mark = Cursor.parse(after).seq
        newer = sa.select(sa.func.sum(Posting.amount_cents)).where(
            Posting.account_id.in_(counted), Posting.entry_seq >= mark
        )
        closing -= sign * int(session.scalar(newer) or 0)
        mine.append(Posting.entry_seq < mark)
    seqs = list(
        session.scalars(
            sa.select(Posting.entry_seq).where(*mine).distinct().order_by(Posting.entry_seq.desc()).limit(limit + 1)
        )
    )
    shown = seqs[:limit]
    running = closing
    lines: list[JointLine] = []
    for entry, parts in _entries_with_parts(session, shown, code_of):
        amount = sign * sum(cents for account_id, cents in parts if account_id in counted)
        natural = tuple(PostedLine(code_of[account_id], sign * cents) for account_id, cents in parts)
        facts = entry.id, entry.seq, EntryKind(entry.kind), entry.happened_at, entry.recorded_at
        lines.append(JointLine(*facts, amount, running, natural))
        running -= amount
    more = str(Cursor(shown[-1], 0)) if len(seqs) > limit else None
    return JointPage(running, tuple(lines), closing, more)


def _entries_with_parts(
    session: Session, seqs: Sequence[int], accounts: Collection[int]
) -> list[tuple[Entry, list[tuple[int, int]]]]:
    """The entries in that order, each with its lines on these accounts."""
    parts: dict[int, list[tuple[int, int]]] = {seq: [] for seq in seqs}
    read = session.execute(
        sa.select(Posting.entry_seq, Posting.account_id, Posting.amount_cents)
        .where(Posting.entry_seq.in_(seqs), Posting.account_id.in_(accounts))
        .order_by(Posting.entry_seq, Posting.line)
    )
    for seq, account_id, cents in read:
        parts[seq].append((account_id, cents))
    entries = {entry.seq: entry for entry in session.scalars(sa.select(Entry).where(Entry.seq.in_(seqs)))}
    return [(entries[seq], parts[seq]) for seq in seqs]
