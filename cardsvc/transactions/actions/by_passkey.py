"""Records that a resident signs in a browser, with a passkey: made by the service's portal, outside its chain."""

import hashlib
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from cardsvc import access, devices, ledger
from cardsvc.db import from_ms, to_ms
from cardsvc.transactions import queries
from cardsvc.transactions.actions.accepting import ItemResult, accept
from cardsvc.transactions.actions.opening import Desk
from cardsvc.transactions.queries import RecordIdConflict
from cardsvc.transactions.rules import PASSKEY_AGE_MAX, DraftUnusable, Reason
from crypto.errors import CryptoError
from crypto.wire.batch import Batch, sign_batch
from crypto.wire.body import Body
from crypto.wire.ids import uuid7
from crypto.wire.transaction import NO_PREVIOUS, UNCHAINED, Purpose, Record, Transaction, record_hash


def draft(session: Session, body: Body, *, desk: Desk, now: datetime) -> bytes:
    """The encoded record that a passkey is to sign within ten minutes. Nothing is kept of it: what comes back signed is
    known by its signature, and what never comes back leaves no gap.
    """
    portal = devices.portal(session, desk.vault.signer("service").public_key, now)
    record_id = uuid7(to_ms(now), desk.random_bytes(10))
    record = Record.of(
        body,
        record_id=record_id,
        terminal_id=portal.id,
        sequence=UNCHAINED,
        previous=NO_PREVIOUS,
        at_ms=to_ms(now),
    )
    return record.encode()


def act_by_passkey(
    session: Session,
    record_bytes: bytes,
    credential: str,
    *,
    resident_id: UUID,
    site: access.Site,
    desk: Desk,
    now: datetime,
) -> ItemResult:
    """A resident's record, signed with their passkey. Sent again it gives the first answer.

    Raises: DraftUnusable, access.PasskeyNotAccepted; RecordIdConflict; whatever `accept` raises.
    """
    ledger.lock(session)
    signer = desk.vault.signer("service")
    portal = devices.portal(session, signer.public_key, now)
    record = _check(record_bytes, portal.id, now)
    before = queries.stored(session, record.record_id)
    if before is not None:
        if (before.record_hash, before.resident_id) != (record_hash(record_bytes), resident_id):
            raise RecordIdConflict(record.record_id)
        reason = None if before.reason is None else Reason(before.reason)
        return ItemResult(record.record_id, before.outcome, reason, before.detail, True, before.leaf_index)
    authorisation = access.sign_with_passkey(session, site, resident_id, record_bytes, credential, now)
    assert authorisation.purpose is Purpose.PASSKEY
    item = Transaction(record_bytes, (authorisation,)).encode()
    batch_id = uuid7(to_ms(now), hashlib.sha256(item).digest()[:10])
    raw = sign_batch(Batch(batch_id, portal.id, to_ms(now), 0, (item,)), signer)
    return accept(session, raw, desk=desk, now=now).results[0]


def _check(record_bytes: bytes, portal_id: UUID, now: datetime) -> Record:
    """The record, when it is one that this portal made a while ago. Raises: DraftUnusable."""
    try:
        record = Record.decode(record_bytes)
    except CryptoError as error:
        raise DraftUnusable from error
    if (record.terminal_id, record.sequence, record.previous) != (portal_id, UNCHAINED, NO_PREVIOUS):
        raise DraftUnusable
    if not now - PASSKEY_AGE_MAX <= from_ms(record.at_ms) <= now:
        raise DraftUnusable
    return record
