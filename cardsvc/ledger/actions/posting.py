"""Posting batches of drafts: whole sets, never row by row."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from cardsvc.db import insert_columns, to_ms
from cardsvc.ledger.actions import holds
from cardsvc.ledger.actions.accounts import lock
from cardsvc.ledger.models import Entry, Posting
from cardsvc.ledger.queries import known
from cardsvc.ledger.rules import AccountPolicy, Draft, KnownAccount, Posted, PostedLine, Refused, decide, entry_hash


def post(
    session: Session, drafts: Sequence[Draft], *, first_seq: int, recorded_at: datetime, dry_run: bool = False
) -> list[Posted | Refused]:
    """Post what can be posted; one answer per draft, in order, each decided against what the earlier ones left.

    Item i takes place `first_seq + i` in the log, refused ones too: the caller writes their leaves. The id of an entry
    already there is refused as a duplicate: to give the first answer again is the room `transactions`' duty.
    With `dry_run` the answers are the same and nothing is written.
    """
    lock(session)
    state = known(session, drafts, recorded_at)
    recorded_at_ms = to_ms(recorded_at)
    results: list[Posted | Refused] = []
    accepted: list[tuple[Draft, Posted]] = []
    for seq, (draft, decision) in enumerate(zip(drafts, decide(drafts, state), strict=True), start=first_seq):
        if isinstance(decision, Refused):
            results.append(decision)
            continue
        posted = Posted(draft.entry_id, seq, decision, _hash(draft, decision, recorded_at_ms))
        accepted.append((draft, posted))
        results.append(posted)
    if accepted and not dry_run:
        _write_entries(session, accepted, recorded_at)
        _write_postings(session, accepted, state.accounts)
        holds.move(session, [draft for draft, _ in accepted if draft.hold is not None], state.holds, recorded_at)
    return results


def _hash(draft: Draft, lines: Sequence[PostedLine], recorded_at_ms: int) -> bytes:
    return entry_hash(
        entry_id=draft.entry_id,
        kind=draft.kind.value,
        currency=draft.currency,
        happened_at_ms=to_ms(draft.happened_at),
        recorded_at_ms=recorded_at_ms,
        rule=draft.rule,
        reverses=draft.reverses,
        lines=lines,
        booked_on=draft.booked_on,
        metadata=draft.metadata,
    )


def _write_entries(session: Session, accepted: Sequence[tuple[Draft, Posted]], recorded_at: datetime) -> None:
    insert_columns(
        session,
        Entry.__table__,
        {
            "id": [draft.entry_id for draft, _ in accepted],
            "seq": [posted.seq for _, posted in accepted],
            "kind": [draft.kind.value for draft, _ in accepted],
            "currency": [draft.currency for draft, _ in accepted],
            "happened_at": [draft.happened_at for draft, _ in accepted],
            "recorded_at": [recorded_at] * len(accepted),
            "rule": [draft.rule for draft, _ in accepted],
            "reverses": [draft.reverses for draft, _ in accepted],
            "booked_on": [draft.booked_on for draft, _ in accepted],
            "notes": [json.dumps(draft.metadata) if draft.metadata else None for draft, _ in accepted],
        },
    )


def _write_postings(
    session: Session, accepted: Sequence[tuple[Draft, Posted]], accounts: Mapping[str, KnownAccount]
) -> None:
    account_ids: list[int] = []
    seqs: list[int] = []
    numbers: list[int] = []
    amounts: list[int] = []
    after: dict[int, int] = {}
    for _, posted in accepted:
        for number, line in enumerate(posted.lines):
            account = accounts[line.account]
            account_ids.append(account.account_id)
            seqs.append(posted.seq)
            numbers.append(number)
            amounts.append(line.amount_cents)
            if account.policy is AccountPolicy.CHECKED:
                before = after.get(account.account_id, account.balance_cents)
                after[account.account_id] = before + line.amount_cents * account.kind.sign
    columns = {"account_id": account_ids, "entry_seq": seqs, "line": numbers, "amount_cents": amounts}
    insert_columns(session, Posting.__table__, columns)
    if after:
        _write_balances(session, after)


def _write_balances(session: Session, after: dict[int, int]) -> None:
    """Balances are set, not moved: the one writer read them, and a movement of a whole batch may not fit in 64 bits."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(
            "UPDATE balance SET balance_cents = moved.cents"
            " FROM unnest(%b::bigint[], %b::bigint[]) AS moved (id, cents) WHERE balance.account_id = moved.id",
            (list(after), list(after.values())),
        )
    else:
        connection.exec_driver_sql(
            "UPDATE balance SET balance_cents = moved.cents FROM"
            " (SELECT value ->> 0 AS id, value ->> 1 AS cents FROM json_each(?)) AS moved"
            " WHERE balance.account_id = moved.id",
            (json.dumps(list(after.items())),),
        )
