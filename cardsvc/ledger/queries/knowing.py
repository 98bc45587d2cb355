"""What deciding on a batch needs to know, read whole sets at a time."""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import repeat
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.arrays import text_array, uuid_array
from cardsvc.db import from_ms
from cardsvc.ledger.models import Entry
from cardsvc.ledger.queries.asserting import last_asserted
from cardsvc.ledger.queries.chunking import chunks
from cardsvc.ledger.queries.holds import known_holds
from cardsvc.ledger.queries.periods import books
from cardsvc.ledger.rules import AccountKind, AccountPolicy, Draft, Known, KnownAccount, city_date


def known(session: Session, drafts: Sequence[Draft], recorded_at: datetime) -> Known:
    """Everything that deciding on the drafts needs, in as many statements whatever the batch."""
    undone = [draft.reverses for draft in drafts if draft.reverses is not None]
    accounts, entries = _known(session, _codes(drafts), {*(draft.entry_id for draft in drafts), *undone})
    taken_back: set[UUID] = set()
    for ids in chunks(undone):
        found = session.scalars(sa.select(Entry.reverses).where(Entry.reverses.in_(ids)))
        taken_back.update(reverses for reverses in found if reverses is not None)
    held = [draft.hold.hold_id for draft in drafts if draft.hold is not None]
    dated = [draft for draft in drafts if draft.booked_on is not None]
    return Known(
        accounts,
        entries,
        taken_back,
        today=city_date(recorded_at),
        books=books(session),
        asserted=last_asserted(session, _codes(dated)) if dated else {},
        holds=known_holds(session, held, recorded_at) if held else {},
    )


def known_accounts(session: Session, codes: Iterable[str]) -> dict[str, KnownAccount]:
    """Those of the accounts that exist, by code."""
    return _known(session, codes, ())[0]


def _codes(drafts: Sequence[Draft]) -> Iterator[str]:
    yield from {line.account for draft in drafts for line in draft.lines}
    yield from {code for draft in drafts for line in draft.lines if line.then for code in line.then}


def _known(
    session: Session, codes: Iterable[str], ids: Iterable[UUID]
) -> tuple[dict[str, KnownAccount], Collection[UUID]]:
    """The accounts by code, and those of the ids that are entries."""
    # sorted, so that neighbours in the index are looked up one after the other
    wanted = sorted(set(codes))
    if session.get_bind().dialect.name == "postgresql":
        return _known_to_postgresql(session, wanted, ids)
    return _known_to_sqlite(session, wanted, ids)


def _known_to_postgresql(
    session: Session, codes: list[str], ids: Iterable[UUID]
) -> tuple[dict[str, KnownAccount], Collection[UUID]]:
    found = session.connection().exec_driver_sql(
        "SELECT * FROM ledger_known(%b, %b)", (text_array(codes), uuid_array(ids))
    )
    # an aggregate over nothing is NULL
    *accounts, live_ids, live_cents, entry_ids = (column or () for column in found.one())
    balances = dict(zip(live_ids, live_cents, strict=True))
    places, account_ids, *properties, expiries = accounts
    found_codes = [codes[place - 1] for place in places]
    live = [balances.get(account_id, 0) for account_id in account_ids]
    return _by_code((found_codes, account_ids, *properties, live, expiries)), entry_ids


def _known_to_sqlite(
    session: Session, codes: list[str], ids: Iterable[UUID]
) -> tuple[dict[str, KnownAccount], Collection[UUID]]:
    connection = session.connection()
    cursor = connection.exec_driver_sql(_ACCOUNTS_IN_SQLITE, (json.dumps(codes),)).cursor
    assert cursor is not None
    columns = list(zip(*cursor.fetchall(), strict=True))
    entries: list[UUID] = []
    for some in chunks(ids):
        among = f"SELECT id FROM entry WHERE id IN ({', '.join('?' * len(some))})"  # noqa: S608 - question marks
        found = connection.exec_driver_sql(among, tuple(entry_id.bytes for entry_id in some))
        entries += [UUID(bytes=entry_id) for entry_id in found.scalars()]
    return _by_code(columns), entries


# CROSS JOIN keeps the order of the tables (sqlite.org/optoverview.html): every lookup is one in an index.
_ACCOUNTS_IN_SQLITE = """
SELECT account.code, account.id, kind, policy, currency, account.floor_cents, closed_at IS NOT NULL,
       COALESCE(balance_cents, 0), expires_at
FROM json_each(?) AS wanted CROSS JOIN account ON account.code = wanted.value
LEFT JOIN balance ON balance.account_id = account.id
"""


def _by_code(columns: Sequence[Sequence[Any]]) -> dict[str, KnownAccount]:
    """From columns of codes, ids, kinds, policies, currencies, floors, whether closed, balances, ends in milliseconds.

    Column by column: a step in Python for each cell of a row would cost more than all the rest.
    """
    if not columns:
        return {}
    codes, account_ids, kinds, policies, currencies, floors, closed, balances, expiries = columns
    fields = (
        account_ids,
        map(_KINDS.__getitem__, kinds),
        map(_POLICIES.__getitem__, policies),
        currencies,
        floors,
        map(bool, closed),
        balances,
        (None if end is None else from_ms(end) for end in expiries),
    )
    return dict(zip(codes, map(_new, repeat(KnownAccount), zip(*fields, strict=True)), strict=True))


_new = tuple.__new__  # what KnownAccount's own constructor comes to, without a call in Python for each

# an enum's own call costs more than the rest of a row
_KINDS = {kind.value: kind for kind in AccountKind}
_POLICIES = {policy.value: policy for policy in AccountPolicy}
