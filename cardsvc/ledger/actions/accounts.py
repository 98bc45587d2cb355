"""Opening and closing accounts, and the right to be the ledger's one writer."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.db import insert_columns
from cardsvc.ledger.models import Account, Balance
from cardsvc.ledger.queries import balances, chunks, known_accounts, names_account
from cardsvc.ledger.queries.chart import chart
from cardsvc.ledger.queries.purses import awaits
from cardsvc.ledger.rules import (
    AccountAwaited,
    AccountDiffers,
    AccountHeld,
    AccountNotEmpty,
    AccountPolicy,
    AccountSpec,
    purses,
)

# One writer at a time decides and takes places in the log. Any fixed number: PostgreSQL's advisory locks have no names.
_WRITER_LOCK = 0x6C6564676572


def lock(session: Session) -> None:
    """Become the ledger's one writer until the session ends. Taking it again is harmless.

    SQLite's sessions hold the whole database's write lock from their start.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(_WRITER_LOCK)))


def open_accounts(session: Session, specs: Iterable[AccountSpec], now: datetime) -> None:
    """Open those of the accounts that are not open yet.

    Raises: AccountDiffers when a code is taken by an account with other properties; InvalidAccount for what the chart
    of accounts does not allow. Then nothing is opened.
    """
    lock(session)
    wanted: dict[str, AccountSpec] = {}
    for spec in specs:
        if wanted.setdefault(spec.code, spec) != spec:
            raise AccountDiffers(spec.code)
    for codes in chunks(wanted):
        for row in session.execute(sa.select(Account.__table__).where(Account.code.in_(codes))).mappings():
            if _properties(wanted.pop(row["code"])) != tuple(row[name] for name in _PROPERTIES):
                raise AccountDiffers(row["code"])
    new = list(wanted.values())
    if not new:
        return
    allowed = chart(session)
    if allowed is not None:
        for spec in new:
            allowed.check(spec)
    insert_columns(
        session,
        Account.__table__,
        {
            "code": [spec.code for spec in new],
            **dict(zip(_PROPERTIES, zip(*map(_properties, new), strict=True), strict=True)),
            "owner": [purses.owner_of(spec.code) for spec in new],
            "opened_at": [now] * len(new),
        },
    )
    checked = [spec.code for spec in new if spec.policy is AccountPolicy.CHECKED]
    opened = list(known_accounts(session, checked).values())
    insert_columns(
        session,
        Balance.__table__,
        {
            "account_id": [account.account_id for account in opened],
            "balance_cents": [0] * len(opened),
            "floor_cents": [account.floor_cents for account in opened],
        },
    )


_PROPERTIES = (
    "kind",
    "policy",
    "fund",
    "floor_cents",
    "currency",
    "purpose",
    "expires_at",
    "priority",
    "returns_to",
)


def _properties(spec: AccountSpec) -> tuple[str | int | datetime | None, ...]:
    purse = spec.purse
    described = (None,) * 4 if purse is None else (purse.purpose, purse.expires_at, purse.priority, purse.returns_to)
    return (spec.kind.value, spec.policy.value, spec.fund.value, spec.floor_cents, spec.currency, *described)


def close_account(session: Session, code: str, now: datetime) -> None:
    """Let nothing be posted to the account any more.

    Raises: UnknownAccount; AccountNotEmpty; AccountHeld while money that came from it is held and may have to go back;
    AccountAwaited while a purse may still return its rest there.
    """
    lock(session)
    balance_cents = balances(session, [code])[code]
    if balance_cents:
        raise AccountNotEmpty(code, balance_cents)
    if names_account(session, code):
        raise AccountHeld(code)
    purse = awaits(session, code, now)
    if purse is not None:
        raise AccountAwaited(code, purse)
    session.execute(sa.update(Account).where(Account.code == code, Account.closed_at.is_(None)).values(closed_at=now))
