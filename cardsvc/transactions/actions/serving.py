"""What the service signs itself, many records at once: one batch, one transaction."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from cardsvc import devices, ledger
from cardsvc.db import to_ms
from cardsvc.transactions import queries
from cardsvc.transactions.actions.accepting import ItemResult, accept
from cardsvc.transactions.actions.opening import Desk
from crypto.wire.batch import Batch, sign_batch
from crypto.wire.body import Body
from crypto.wire.ids import uuid7
from crypto.wire.transaction import NO_PREVIOUS, Purpose, Record, Transaction, authorise


def serve(session: Session, bodies: Sequence[tuple[UUID, Body]], *, desk: Desk, now: datetime) -> list[ItemResult]:
    """Let the service sign these bodies under these record ids, and take them in. An id that was answered before is
    passed over, so that what could not be done then is not tried again under it; at most 4,096.
    """
    ledger.lock(session)
    answered = queries.known(session, [record_id for record_id, _ in bodies])
    new = [(record_id, body) for record_id, body in bodies if record_id not in answered]
    if not new:
        return []
    signer = desk.vault.signer("service")
    portal = devices.portal(session, signer.public_key, now)
    sequence, previous, now_ms = portal.last_sequence, portal.last_hash or NO_PREVIOUS, to_ms(now)
    items: list[bytes] = []
    for record_id, body in new:
        sequence += 1
        record = Record.of(
            body, record_id=record_id, terminal_id=portal.id, sequence=sequence, previous=previous, at_ms=now_ms
        )
        encoded = record.encode()
        previous = record.hash()
        items.append(Transaction(encoded, (authorise(encoded, Purpose.SERVICE, signer),)).encode())
    batch_id = uuid7(now_ms, hashlib.sha256(items[0]).digest()[:10])
    raw = sign_batch(Batch(batch_id, portal.id, now_ms, 0, tuple(items)), signer)
    return list(accept(session, raw, desk=desk, now=now).results)
