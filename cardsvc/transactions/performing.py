"""What a request does with records: the portal's own, those of staff at a page, those of residents with a passkey."""

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from flask import current_app
from sqlalchemy.orm import Session

from cardsvc import audit, db, web
from cardsvc.access import guard
from cardsvc.transactions.actions import Desk, ItemResult, Taking, act, act_by_passkey, draft
from crypto import verifying
from crypto.wire.body import Body


def desk() -> Desk:
    """What this request's city accepts with."""
    city = web.city()
    return Desk(city.handlers.registry, city.vault, city.random_bytes, verifying.chosen().verifier)


def taking() -> Taking:
    """This process's way in for batches, made when the first one comes."""
    extensions = current_app.extensions
    if "taking" not in extensions:  # two at once make two; the first one is kept
        city = web.city()
        wiring = city.handlers
        taking_ = Taking(city.engine, desk(), kept=city.settings.log_head, spendable=wiring.spendable)
        extensions.setdefault("taking", taking_)
    return cast("Taking", extensions["taking"])


def perform(make: Callable[[Session], Body], *, record_id: UUID, staff_id: UUID, password: str) -> dict[str, Any]:
    """Let the staff member who asks sign and send what `make` returns; the answer is for `ActedSchema`.

    A unit of its own, because a rejection must stay stored although the caller is told no: do not use `web.session()`
    before it in the same request.
    """
    city, now = web.city(), web.now()

    def work(session: Session) -> ItemResult:
        body = make(session)
        return act(session, body, record_id=record_id, staff_id=staff_id, password=password, desk=desk(), now=now)

    result = db.run(city.engine, work)
    db.run(city.engine, lambda session: audit.publish(session, city.vault, now, city.settings.log_head))
    return {
        "record_id": record_id,
        "outcome": result.outcome,
        "reason": None if result.reason is None else result.reason.value,
        "detail": result.detail,
        "replayed": result.replayed,
    }


def draft_for_passkey(body: Body) -> bytes:
    """The encoded record that says `body`, for the passkey of whoever asks to sign within ten minutes."""
    city, now = web.city(), web.now()
    return db.run(city.engine, lambda session: draft(session, body, desk=desk(), now=now))


def perform_by_passkey(record_bytes: bytes, credential: str) -> ItemResult:
    """Send the record of a draft with what the passkey of the resident who asks answered. A unit of its own, like
    `perform`.

    Raises: what `act_by_passkey` raises.
    """
    city, now, by = web.city(), web.now(), guard.principal().subject_id

    def work(session: Session) -> ItemResult:
        return act_by_passkey(
            session, record_bytes, credential, resident_id=by, site=guard.site(), desk=desk(), now=now
        )

    result = db.run(city.engine, work)
    db.run(city.engine, lambda session: audit.publish(session, city.vault, now, city.settings.log_head))
    return result
