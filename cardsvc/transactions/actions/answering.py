"""Answering a terminal's signed query about the card that signed it. Never a record: nothing moves."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cardsvc import cards, devices
from cardsvc.db import from_ms
from cardsvc.errors import CityError, ErrorKind
from cardsvc.transactions.actions.opening import TerminalRevoked, UnknownTerminal
from cardsvc.transactions.handler import Sections
from cardsvc.transactions.models import SeenQuery
from cardsvc.transactions.rules import CardRef
from crypto.pki import CardSlot
from crypto.wire import query as wire_query
from crypto.wire.query import Query
from crypto.wire.transaction import verify_authorisation

QUERY_LIFE = timedelta(minutes=5)


class QueryRefused(CityError):
    """The query is not answered; the sentence says why."""

    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code  # type: ignore[misc]  # one class, as the caller does the same about each


@dataclass(frozen=True, slots=True)
class Asked:
    """A query whose signatures verified."""

    kind: int
    card: CardRef


def answer(session: Session, raw: bytes, *, sections: Sections, now: datetime) -> dict[str, Any]:
    """Answer a query signed by a card and an enrolled terminal, once.

    Raises: UnknownTerminal, TerminalRevoked, QueryRefused, MalformedMessage, InvalidSignature.
    """
    asked = _open(session, raw, now)
    parts = sections.get(asked.kind)
    if parts is None:
        raise QueryRefused("unknown_kind", "This city does not answer that query. Update the terminal.")
    return {name: part(session, asked.card, now) for name, part in parts.items()}


def _open(session: Session, raw: bytes, now: datetime) -> Asked:
    terminal_id = wire_query.peek_terminal(raw)
    device = devices.by_ids(session, [terminal_id]).get(terminal_id)
    if device is None:
        raise UnknownTerminal
    signed = wire_query.open_query(raw, device.public_key)
    if device.status != "enrolled":
        raise TerminalRevoked
    query = Query.decode(signed.query_bytes)
    if query.terminal_id != terminal_id or len(signed.authorisations) != 1:
        raise QueryRefused("missing_authorisation", "A query needs exactly one signature of the card.")
    [authorisation] = signed.authorisations
    key = cards.keys_by_id(session, [authorisation.kid]).get(authorisation.kid)
    if key is None or key.slot not in (CardSlot.CARD_AUTH, CardSlot.SIGNATURE):
        raise QueryRefused("unknown_key", "This is not a card of this city.")
    verify_authorisation(signed.query_bytes, authorisation, key.public_key)
    if abs(from_ms(query.at_ms) - now) > QUERY_LIFE:
        raise QueryRefused("stale_query", "The query is old, or the terminal's clock is wrong. Set it and tap again.")
    if key.state != "active":
        raise QueryRefused("card_not_active", f"The card is {key.state}. Its holder can ask for help at any counter.")
    try:
        # The table's key tells two that come at once apart; asking first would not.
        with session.begin_nested():
            session.execute(sa.insert(SeenQuery).values(query_id=query.query_id, seen_at=now))
    except IntegrityError as error:
        raise QueryRefused("replayed_query", "This query was answered before. Tap the card again.") from error
    return Asked(query.kind, CardRef(key.card_id, key.resident_id))


def forget_queries(session: Session, now: datetime) -> int:
    """Forget answered queries that are too old to be answered again. Returns how many."""
    result = session.execute(sa.delete(SeenQuery).where(SeenQuery.seen_at < now - 3 * QUERY_LIFE))
    return int(result.rowcount)  # type: ignore[attr-defined]
