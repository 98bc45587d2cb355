"""Records made here: a staff member's at a page, and the service's own. They take the same way in as any other."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from cardsvc import access, devices, ledger
from cardsvc.db import to_ms
from cardsvc.transactions import queries
from cardsvc.transactions.actions.accepting import ItemResult, accept
from cardsvc.transactions.actions.opening import Desk
from cardsvc.transactions.queries import RecordIdConflict
from cardsvc.transactions.rules import Reason
from crypto.wire.batch import Batch, sign_batch
from crypto.wire.body import Body
from crypto.wire.ids import uuid7
from crypto.wire.transaction import NO_PREVIOUS, Authorisation, Purpose, Record, Transaction, authorise


def act(
    session: Session, body: Body, *, record_id: UUID, staff_id: UUID, password: str, desk: Desk, now: datetime
) -> ItemResult:
    """A staff member's record, made at a page or the API: signed with their key, sent through the city's own portal.

    The same id again with the same content gives the first answer.
    Raises: RecordIdConflict; access.WrongPassword; whatever `accept` raises.
    """

    def sign(record_bytes: bytes) -> Authorisation:
        return Authorisation(Purpose.STAFF, access.sign_as(session, staff_id, password, record_bytes))

    return _through_portal(session, body, record_id=record_id, staff_id=staff_id, sign=sign, desk=desk, now=now)


def act_as_service(session: Session, body: Body, *, record_id: UUID, desk: Desk, now: datetime) -> ItemResult:
    """A record that a rule computed from signed records, signed by the service's own key."""

    def sign(record_bytes: bytes) -> Authorisation:
        return authorise(record_bytes, Purpose.SERVICE, desk.vault.signer("service"))

    return _through_portal(session, body, record_id=record_id, staff_id=None, sign=sign, desk=desk, now=now)


def _through_portal(
    session: Session,
    body: Body,
    *,
    record_id: UUID,
    staff_id: UUID | None,
    sign: Callable[[bytes], Authorisation],
    desk: Desk,
    now: datetime,
) -> ItemResult:
    ledger.lock(session)
    before = queries.stored(session, record_id)
    if before is not None:
        if before.kind != body.KIND or before.staff_id != staff_id or before.record.body != body.to_bytes():
            raise RecordIdConflict(record_id)
        reason = None if before.reason is None else Reason(before.reason)
        return ItemResult(record_id, before.outcome, reason, before.detail, True, before.leaf_index)
    signer = desk.vault.signer("service")
    portal = devices.portal(session, signer.public_key, now)
    now_ms = to_ms(now)
    record = Record.of(
        body,
        record_id=record_id,
        terminal_id=portal.id,
        sequence=portal.last_sequence + 1,
        previous=portal.last_hash or NO_PREVIOUS,
        at_ms=now_ms,
    )
    record_bytes = record.encode()
    item = Transaction(record_bytes, (sign(record_bytes),)).encode()
    batch_id = uuid7(now_ms, hashlib.sha256(item).digest()[:10])
    raw = sign_batch(Batch(batch_id, portal.id, now_ms, 0, (item,)), signer)
    return accept(session, raw, desk=desk, now=now).results[0]
