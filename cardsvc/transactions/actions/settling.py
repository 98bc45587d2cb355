"""How a settled dispute becomes an entry: the disputed record is planned again by its own kind's handler."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import access, devices, ledger
from cardsvc.transactions import queries, rules
from cardsvc.transactions.actions.disputes import SETTLE
from cardsvc.transactions.handler import Handler, Registry
from cardsvc.transactions.models import DisputeDecision
from cardsvc.transactions.queries import DisputeView
from cardsvc.transactions.rules import CardRef, DeviceRef, Item, PasskeyRef, Plan, Reason, Rejected, UnknownDispute
from crypto.wire.disputes import DisputeSettled
from crypto.wire.transaction import Purpose


class Settling:
    """A finance officer decides that a disputed record counts. It is posted under the settlement's id, booked today, at
    the time the record says as far as that can be believed. Its card may have been blocked since, its tariff replaced,
    its month closed.

    `others` are the handlers whose records may be settled.
    """

    body: ClassVar[type[DisputeSettled]] = DisputeSettled
    purposes: ClassVar[frozenset[Purpose]] = frozenset({Purpose.STAFF})
    device_kinds: ClassVar[frozenset[str]] = frozenset({"portal"})
    roles: ClassVar[frozenset[str]] = frozenset({"finance", "treasurer"})

    def __init__(self, others: Registry) -> None:
        self._others = others

    def subject(self, item: Item, /) -> UUID:
        return item.says(DisputeSettled).disputed_id

    def plan(self, session: Session, items: Sequence[Item], now: datetime, /) -> list[Plan | Rejected]:
        return [self._plan_one(session, item, now) for item in items]

    def _plan_one(self, session: Session, item: Item, now: datetime) -> Plan | Rejected:
        body = item.says(DisputeSettled)
        try:
            found = queries.dispute(session, body.disputed_id)
        except UnknownDispute as error:
            return Rejected(Reason.UNKNOWN_REFERENCE, str(error))
        refusal = _refusal(session, item, body, found)
        handler = self._others.get(found.kind)
        if refusal is not None or handler is None:
            return refusal or _NOT_HERE
        again = _again(session, item, found, handler)
        refusal = rules.check_permission(again, device_kinds=handler.device_kinds, roles=handler.roles)
        if refusal is not None:
            return refusal
        (planned,) = handler.plan(session, [again], now)
        return planned if isinstance(planned, Rejected) else _as_settled(planned, found)

    def settle(self, session: Session, done: Sequence[tuple[Item, ledger.Posted]], now: datetime, /) -> None:
        for item, posted in done:
            body = item.says(DisputeSettled)
            found = queries.dispute(session, body.disputed_id)
            handler = self._others[found.kind]
            handler.settle(session, [(_again(session, item, found, handler), posted)], now)
            decision = {
                "record_id": body.disputed_id,
                "outcome": queries.SETTLED,
                "why": body.reason,
                "decided_by": body.staff_id,
                "decided_at": now,
                "settled_by": item.record.record_id,
                "action_id": body.action_id,
            }
            session.execute(sa.insert(DisputeDecision), decision)


_NOT_HERE = Rejected(
    Reason.NOT_PERMITTED,
    "Records of this kind cannot be settled. Refuse it, and book the difference by a journal entry.",
)


def _refusal(session: Session, item: Item, body: DisputeSettled, found: DisputeView) -> Rejected | None:
    signer = None if item.staff is None else item.staff.staff_id
    if body.staff_id != signer:
        return Rejected(Reason.NOT_PERMITTED, "The record names another staff member than the one who signed it.")
    if body.disputed_hash != found.record_hash:
        return Rejected(Reason.UNKNOWN_REFERENCE, "The disputed record is another one. Look at the dispute again.")
    if found.state != queries.OPEN:
        return Rejected(Reason.ALREADY_DONE, "This dispute was decided before. Nothing was posted again.")
    if found.twin is not None and found.twin.same_moment:
        return Rejected(Reason.ALREADY_DONE, f"It is the twin of {found.twin_of}, which counts already: refuse it.")
    if found.needs_two and not _two_agreed(session, body):
        why = f"it seems to be the twin of {found.twin_of}" if found.twin else "this amount takes two"
        return Rejected(Reason.NOT_PERMITTED, f"Two people decide, because {why}: propose dispute.decide first.")
    return None


def _two_agreed(session: Session, body: DisputeSettled) -> bool:
    """Whether two people signed for it and one of them signs now."""
    if body.action_id is None or not queries.is_approved(session, body.disputed_id, body.action_id, SETTLE):
        return False
    return body.staff_id in access.signers_of(session, body.action_id)


def _again(session: Session, item: Item, found: DisputeView, handler: Handler) -> Item:
    """The disputed record as an item again, under the settlement's id and at the time that is believed."""
    stored = queries.stored(session, found.record_id)
    assert stored is not None
    record = stored.record
    device = devices.find(session, found.device_id)
    card = passkey = None
    if stored.card_id is not None and stored.resident_id is not None:
        card = CardRef(stored.card_id, stored.resident_id)
    elif stored.resident_id is not None:
        passkey = PasskeyRef(b"", stored.resident_id, 0)
    return Item(
        record=replace(record, record_id=item.record.record_id),
        body=handler.body.decode(record),
        record_hash=stored.record_hash,
        device=DeviceRef(device.id, device.kind),
        card=card,
        staff=None,
        happened_at=found.believed_at,
        passkey=passkey,
        settled=True,
    )


def _as_settled(plan: Plan, found: DisputeView) -> Plan:
    notes = {**dict(plan.draft.metadata), "disputed": str(found.record_id), "disputed_kind": str(found.kind)}
    draft = replace(plan.draft, kind=ledger.EntryKind.DISPUTE_SETTLED, metadata=tuple(sorted(notes.items())))
    return replace(plan, draft=draft)
