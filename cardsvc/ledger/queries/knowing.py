"""What deciding on a batch needs to know, read whole sets at a time."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.ledger.models import Account, Balance, Entry
from cardsvc.ledger.queries.asserting import last_asserted
from cardsvc.ledger.queries.chunking import chunks
from cardsvc.ledger.queries.holds import known_holds
from cardsvc.ledger.queries.periods import books
from cardsvc.ledger.rules import AccountKind, AccountPolicy, Draft, Known, KnownAccount, city_date


def known(session: Session, drafts: Sequence[Draft], recorded_at: datetime) -> Known:
    """Everything that deciding on the drafts needs, in as many statements whatever the batch."""
    named = {draft.entry_id for draft in drafts} | {draft.reverses for draft in drafts if draft.reverses}
    entries: set[UUID] = set()
    for ids in chunks(named):
        entries.update(session.scalars(sa.select(Entry.id).where(Entry.id.in_(ids))))
    taken_back: set[UUID] = set()
    for ids in chunks(draft.reverses for draft in drafts if draft.reverses):
        found = session.scalars(sa.select(Entry.reverses).where(Entry.reverses.in_(ids)))
        taken_back.update(reverses for reverses in found if reverses is not None)
    accounts = known_accounts(session, _codes(drafts))
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


def _codes(drafts: Iterable[Draft]) -> Iterator[str]:
    return (code for draft in drafts for line in draft.lines for code in (line.account, *line.then))


def known_accounts(session: Session, codes: Iterable[str]) -> dict[str, KnownAccount]:
    """Those of the accounts that exist, by code."""
    found: dict[str, KnownAccount] = {}
    for some in chunks(codes):
        rows = session.execute(
            sa.select(
                Account.code,
                Account.id,
                Account.kind,
                Account.policy,
                Account.currency,
                Account.floor_cents,
                Account.closed_at.is_not(None),
                sa.func.coalesce(Balance.balance_cents, 0),
                Account.expires_at,
            )
            .join_from(Account, Balance, isouter=True)
            .where(Account.code.in_(some))
        )
        for code, account_id, kind, policy, currency, floor_cents, closed, balance_cents, expires_at in rows:
            found[code] = KnownAccount(
                account_id,
                _KINDS[kind],
                _POLICIES[policy],
                currency,
                floor_cents,
                bool(closed),
                balance_cents,
                expires_at,
            )
    return found


# an enum's own call costs more than the rest of a row
_KINDS = {kind.value: kind for kind in AccountKind}
_POLICIES = {policy.value: policy for policy in AccountPolicy}
