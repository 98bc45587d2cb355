"""Many cards at once: planned, proposed by one person, approved by another, done set by set in one transaction.

If we stop before the commit of the second signature nothing was done; after it all was, with a line in each card's
history. The list is frozen when it is proposed, and its hash is what both sign.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, CursorResult, String, func, insert, literal, select, update
from sqlalchemy.orm import Session

from cardsvc import access
from cardsvc.cards import queries
from cardsvc.cards.actions.moves import RandomBytes
from cardsvc.cards.models import CardBulkItemRow, CardBulkRow, CardEventRow, CardKeyRow, CardRow
from cardsvc.cards.queries import Bulk
from cardsvc.cards.rules import (
    BLOCKED,
    ORDERED,
    BulkKind,
    BulkListChanged,
    BulkOrder,
    CardChanged,
    CardState,
    NoCardsMeant,
    bulk_move,
    cards_hash,
    forbids_new_card,
)
from cardsvc.db import Id, UtcDateTime, insert_columns

_ROWS_AT_ONCE = 10_000
_IDS_AT_ONCE = 5_000  # SQLite binds at most 32,766 values


def propose_bulk(
    session: Session, order: BulkOrder, *, by: UUID, now: datetime, random_bytes: RandomBytes
) -> tuple[Bulk, access.ActionView]:
    """Freeze the list of the cards that are meant now, as an action for two people to sign. Nothing else is done yet.

    Raises: NoCardsMeant; access.NotYourAction.
    """
    meant = queries.cards_meant(session, order)
    if not meant:
        raise NoCardsMeant
    hashed = cards_hash(meant)
    payload = {"kind": order.kind.value, "count": len(meant), "list_hash": hashed, "reason": order.reason}
    action = access.propose(
        session, BULK, payload, order.summary(len(meant)), by=by, now=now, random_bytes=random_bytes
    )
    values = {
        "id": action.id,
        "kind": order.kind.value,
        "reason": order.reason,
        "revoked_reason": order.revoked_reason.value if order.revoked_reason else None,
        "criteria": order.criteria.said(),
        "card_count": len(meant),
        "list_hash": hashed,
        "proposed_by": by,
        "proposed_at": now,
    }
    session.execute(insert(CardBulkRow).values(values))
    insert_columns(session, CardBulkItemRow.__table__, {"bulk_id": [action.id] * len(meant), "card_id": meant})
    return queries.bulk(session, action.id), action


def execute_bulk(session: Session, bulk_id: UUID, *, list_hash: bytes, approver: UUID, now: datetime) -> Bulk:
    """Do what two people decided, to each card of the list that is still as the decision needs it. Again: no change.

    Cards are resumed only where nothing was said about them since two people suspended them.
    Raises: BulkNotFound, BulkListChanged, CardChanged.
    """
    found = queries.bulk(session, bulk_id)
    if found.executed_at is not None:
        return found
    if cards_hash(session.scalars(queries.items(bulk_id))) != list_hash or found.list_hash != list_hash:
        raise BulkListChanged
    held = _hold(session, found)
    _change_all(session, found, held, by=approver, now=now)
    if found.revoked_reason is not None and forbids_new_card(found.revoked_reason):
        _change_all(session, found, _hold_orders(session, found), by=approver, now=now)
    if found.kind is not BulkKind.RESUME:
        access.block_keys(session, _keys(session, bulk_id), now, why=f"bulk {bulk_id}")
    executed = {"approved_by": approver, "executed_at": now, "changed": len(held)}
    session.execute(update(CardBulkRow).where(CardBulkRow.id == bulk_id).values(executed))
    return queries.bulk(session, bulk_id)


_NO_ROWS = {"synchronize_session": False}


def _hold(session: Session, found: Bulk) -> list[UUID]:
    """The cards of the list that the decision takes along, held until the unit ends.

    Held in the order of their ids: single moves wait for us, and two decisions about the same cards never for each
    other. (SQLite has one writer.) Their histories are looked at once they are held, since only then they stand still.
    """
    from_, _to = bulk_move(found.kind)
    meant = (CardRow.id.in_(queries.items(found.id)), CardRow.state.in_([state.value for state in from_]))
    held = session.scalars(select(CardRow.id).where(*meant).order_by(CardRow.id).with_for_update()).all()
    if found.kind is not BulkKind.RESUME:
        return list(held)
    still = queries.stopped_by_many(until=found.proposed_at)
    good = set(session.scalars(select(CardRow.id).where(*meant, still)))
    return [card_id for card_id in held if card_id in good]


def _hold_orders(session: Session, found: Bulk) -> list[UUID]:
    """What is on its way to the holders of the cards just revoked, held until the unit ends."""
    ended = select(CardRow.resident_id).where(
        CardRow.id.in_(queries.items(found.id)),
        CardRow.state == CardState.REVOKED.value,
        CardRow.revoked_reason == found.revoked_reason,
    )
    coming = (CardRow.resident_id.in_(ended), CardRow.state.in_([state.value for state in ORDERED]))
    return list(session.scalars(select(CardRow.id).where(*coming).order_by(CardRow.id).with_for_update()))


def _change_all(session: Session, found: Bulk, card_ids: Sequence[UUID], *, by: UUID, now: datetime) -> None:
    for start in range(0, len(card_ids), _IDS_AT_ONCE):
        _change(session, found, card_ids[start : start + _IDS_AT_ONCE], by=by, now=now)


def _change(session: Session, found: Bulk, card_ids: Sequence[UUID], *, by: UUID, now: datetime) -> None:
    """Move these cards, with a line in each history. Raises: CardChanged."""
    from_, to = bulk_move(found.kind)
    meant = (CardRow.id.in_(card_ids), CardRow.state.in_([state.value for state in from_]))
    written = _write_events(session, meant, to, f"bulk {found.id}: {found.reason}", by=by, now=now)
    changes: dict[str, Any] = {"state": to.value, "state_since": now, "blocked_at": None}
    if to in BLOCKED:
        changes["blocked_at"] = func.coalesce(CardRow.blocked_at, literal(now, UtcDateTime()))
    if found.revoked_reason is not None:
        changes["revoked_reason"] = found.revoked_reason.value
    done = session.execute(update(CardRow).where(*meant).values(changes), execution_options=_NO_ROWS)
    assert isinstance(done, CursorResult)
    if not done.rowcount == written == len(card_ids):
        raise CardChanged


def _write_events(
    session: Session,
    meant: tuple[ColumnElement[bool], ...],
    to: CardState,
    reason: str,
    *,
    by: UUID,
    now: datetime,
) -> int:
    last = select(func.coalesce(func.max(CardEventRow.number), 0)).where(CardEventRow.card_id == CardRow.id)
    rows = select(
        CardRow.id,
        last.scalar_subquery() + 1,
        CardRow.state,
        literal(to.value, String),
        literal(by, Id()),
        literal(now, UtcDateTime()),
        literal(reason, String),
    ).where(*meant)
    columns = ["card_id", "number", "from_state", "to_state", "actor", "at", "reason"]
    done = session.execute(
        insert(CardEventRow).from_select(columns, rows), execution_options={"preserve_rowcount": True}
    )
    assert isinstance(done, CursorResult)
    return done.rowcount


def _keys(session: Session, bulk_id: UUID) -> Iterator[bytes]:
    chosen = CardKeyRow.card_id.in_(queries.items(bulk_id))
    query = select(CardKeyRow.key_id).where(chosen, CardKeyRow.active, CardKeyRow.slot == "9A")
    return iter(session.scalars(query.execution_options(yield_per=_ROWS_AT_ONCE)))


def _run(session: Session, payload: dict[str, Any], action: access.ActionView, now: datetime) -> None:
    assert action.ended_by is not None
    execute_bulk(session, action.id, list_hash=payload["list_hash"], approver=action.ended_by, now=now)


_OFFICERS = frozenset({access.Role.CARD_OFFICER, access.Role.ADMIN})
BULK = access.ActionHandler(kind="cards.bulk", proposer_roles=_OFFICERS, approver_roles=_OFFICERS, run=_run)
"""Two people decide about many cards. Proposed through this room alone, which freezes the list."""
