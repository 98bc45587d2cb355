"""Reads of the cards: small frozen values. `keys_by_id` is on the way of every tap, so it is one Core statement."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, LargeBinary, Row, Select, func, select, type_coerce
from sqlalchemy.orm import Session

from cardsvc import rows
from cardsvc.cards.models import CardEventRow, CardKeyRow, CardRow
from cardsvc.cards.rules import (
    BLOCKED,
    HELD,
    CardNotFound,
    CardState,
    ManagementKeyState,
    NoCardHeld,
    OrderKind,
    PublicKey,
    RevocationReason,
    city_day,
    slot_of,
)
from crypto import keys
from crypto.pki import CardSlot

_STATES = {state.value: state for state in CardState}  # an enum's own call costs more than the rest of a row
_CHUNK = 5000  # key ids in one statement: SQLite binds at most 32,766 values
_CACHED_KEYS = 20_000  # about 20 MB: the cards that tap every day in a town


@dataclass(frozen=True, slots=True)
class Card:
    """A card as officers see it. Times are None until the step was taken; `blocked_at` is None while it may be used.

    `replaces` is the card that this one takes the place of; `terminal_id` the counter that made it.
    """

    id: UUID
    resident_id: UUID
    state: CardState
    requested_by: UUID
    requested_at: datetime
    approved_by: UUID | None
    approved_at: datetime | None
    personalised_by: UUID | None
    personalised_at: datetime | None
    handed_over_by: UUID | None
    handed_over_at: datetime | None
    product: str | None
    attempt: int
    expires_on: date | None
    revoked_reason: RevocationReason | None
    blocked_at: datetime | None
    state_since: datetime
    order_kind: OrderKind
    replaces: UUID | None
    management_key: ManagementKeyState | None
    terminal_id: UUID | None


@dataclass(frozen=True, slots=True)
class CardKey:
    """A key of a finished attempt, and what its card may do. A signature made before `blocked_at` was made in time."""

    card_id: UUID
    resident_id: UUID
    slot: CardSlot
    public_key: PublicKey
    state: CardState
    blocked_at: datetime | None
    not_after: datetime


@dataclass(frozen=True, slots=True)
class CardStep:
    """One move in a card's history. `from_state` is None for the request itself."""

    from_state: CardState | None
    to_state: CardState
    actor: UUID
    at: datetime
    reason: str | None


@dataclass(frozen=True, slots=True)
class CardPage:
    """Some cards in the order of their ids; `next` asks for those after them, None at the end."""

    cards: tuple[Card, ...]
    next: UUID | None


@dataclass(frozen=True, slots=True)
class StoppedKey:
    """A key whose certificate counts no more before it ends. `at` is None where it never counted: of an attempt that
    was begun again. `hold`: the card is suspended and may come back.
    """

    key_id: bytes
    at: datetime | None
    hold: bool


_COLUMNS = tuple(getattr(CardRow, name) for name in Card.__slots__)


def find(session: Session, card_id: UUID) -> Card:
    """Raises: CardNotFound."""
    row = session.execute(_select().where(CardRow.id == card_id)).one_or_none()
    if row is None:
        raise CardNotFound
    return _card(row)


def of_resident(session: Session, resident_id: UUID) -> tuple[Card, ...]:
    """Every card the resident ever had, newest first."""
    rows = session.execute(_select().where(CardRow.resident_id == resident_id).order_by(CardRow.requested_at.desc()))
    return tuple(_card(row) for row in rows)


def held_by(session: Session, resident_ids: Sequence[UUID]) -> dict[UUID, Card]:
    """The card in use (active or suspended) of each resident who has one."""
    found: dict[UUID, Card] = {}
    for start in range(0, len(resident_ids), _CHUNK):
        chosen = CardRow.resident_id.in_(resident_ids[start : start + _CHUNK])
        rows = session.execute(_select().where(chosen, CardRow.state.in_([state.value for state in HELD])))
        found |= {row.resident_id: _card(row) for row in rows}
    return found


def ended_for(session: Session, resident_id: UUID) -> RevocationReason | None:
    """For which reason the resident's last card was revoked; None where another was handed over since.

    Orders that were withdrawn, and cards that ended with the hand-over of the next, say nothing about the person.
    """
    plain = [RevocationReason.WITHDRAWN.value, RevocationReason.SUPERSEDED.value]
    query = (
        select(CardRow.id, CardRow.revoked_reason, CardEventRow.at)
        .join(CardEventRow, CardEventRow.card_id == CardRow.id)
        .where(
            CardRow.resident_id == resident_id,
            CardRow.revoked_reason.not_in(plain),
            CardEventRow.to_state == CardState.REVOKED.value,
        )
        .order_by(CardEventRow.at.desc(), CardRow.requested_at.desc(), CardRow.id)
        .limit(1)
    )
    last = session.execute(query).one_or_none()
    if last is None:
        return None
    since = select(CardRow.id).where(
        CardRow.resident_id == resident_id, CardRow.id != last.id, CardRow.handed_over_at >= last.at
    )
    return None if session.execute(since.limit(1)).first() else RevocationReason(last.revoked_reason)


def held(session: Session, resident_id: UUID) -> Card:
    """The card in use of a resident. Raises: NoCardHeld."""
    found = held_by(session, [resident_id]).get(resident_id)
    if found is None:
        raise NoCardHeld
    return found


def listed(
    session: Session,
    *,
    state: CardState | None = None,
    since_before: datetime | None = None,
    of: Select[UUID] | None = None,
    after: UUID | None = None,
    limit: int = 100,
) -> CardPage:
    """Cards, of one state or of all; `after` is the `next` of the page before.

    `since_before` leaves out those that came to their state at that time or later; `of` all but these.
    """
    query = _select().order_by(CardRow.id).limit(limit + 1)
    if state is not None:
        query = query.where(CardRow.state == state.value)
    if since_before is not None:
        query = query.where(CardRow.state_since < since_before)
    if of is not None:
        query = query.where(CardRow.id.in_(of))
    if after is not None:
        query = query.where(CardRow.id > after)
    rows = session.execute(query).all()
    shown = tuple(_card(row) for row in rows[:limit])
    return CardPage(shown, shown[-1].id if len(rows) > limit else None)


def history(session: Session, card_id: UUID) -> tuple[CardStep, ...]:
    """Every move of the card, oldest first."""
    query = select(CardEventRow).where(CardEventRow.card_id == card_id).order_by(CardEventRow.number)
    return tuple(
        CardStep(
            CardState(event.from_state) if event.from_state else None,
            CardState(event.to_state),
            event.actor,
            event.at,
            event.reason,
        )
        for event in session.scalars(query)
    )


def keys_by_id(session: Session, key_ids: Sequence[bytes]) -> dict[bytes, CardKey]:
    """The keys that these COSE key ids name, whatever the state of their cards; unknown ids are left out."""
    key, card = CardKeyRow.__table__.c, CardRow.__table__.c
    query = (
        select(
            key.key_id,
            key.card_id,
            card.resident_id,
            key.slot,
            key.public_key,
            card.state,
            card.blocked_at,
            key.not_after,
        )
        .join_from(CardKeyRow.__table__, CardRow.__table__, card.id == key.card_id)
        .where(key.active)
    )
    return {
        key_id: CardKey(card_id, resident_id, slot_of(slot), _loaded(spki), _STATES[state], blocked_at, not_after)
        for key_id, card_id, resident_id, slot, spki, state, blocked_at, not_after in rows.matching(
            session, query, key.key_id, set(key_ids)
        )
    }


def active_keys(session: Session, card_id: UUID) -> dict[CardSlot, tuple[PublicKey, bytes]]:
    """The card's present keys, each with its certificate (DER); empty before it was certified."""
    query = select(CardKeyRow.slot, CardKeyRow.public_key, CardKeyRow.certificate).where(
        CardKeyRow.card_id == card_id, CardKeyRow.active
    )
    return {slot_of(row.slot): (_loaded(row.public_key), row.certificate) for row in session.execute(query)}


def key_ids(session: Session, card_id: UUID) -> tuple[bytes, ...]:
    """The ids of the card's present keys."""
    return tuple(session.scalars(select(CardKeyRow.key_id).where(CardKeyRow.card_id == card_id, CardKeyRow.active)))


def denied_cards(session: Session, now: datetime) -> tuple[UUID, ...]:
    """Cards no terminal may accept, in the order of their ids: stopped, and not yet expired by date.

    Destroyed ones too: that a card was cut up is somebody's word, and its certificates are good to its last day.
    """
    return tuple(UUID(bytes=card_id) for card_id in denied_ids(session, now))


def denied_ids(session: Session, now: datetime) -> list[bytes]:
    """The same as the sixteen bytes of each: as terminals hold them, with no value made in between."""
    query = select(_id_bytes(session)).where(
        CardRow.state.in_([state.value for state in BLOCKED]),
        CardRow.chuid.is_not(None),  # an order withdrawn before it had keys can meet no terminal
        CardRow.expires_on >= city_day(now),
    )
    return sorted(session.scalars(query))


def active_ids(session: Session, resident_ids: Collection[UUID], now: datetime) -> list[bytes]:
    """The sixteen bytes of each good card of these residents, however many those are; in no order."""
    query = select(_id_bytes(session)).where(
        CardRow.state == CardState.ACTIVE.value, CardRow.expires_on >= city_day(now)
    )
    return [card_id for (card_id,) in rows.matching(session, query, CardRow.__table__.c.resident_id, resident_ids)]


def _id_bytes(session: Session) -> ColumnElement[bytes]:
    native = session.get_bind().dialect.name == "postgresql"
    return func.uuid_send(CardRow.id, type_=LargeBinary) if native else type_coerce(CardRow.id, LargeBinary)


def denied_key_ids(session: Session, now: datetime) -> tuple[bytes, ...]:
    """Key ids no terminal may accept, in order: of attempts that were begun again, until their certificates end.

    Such a key has a certificate of this city for a card that may be in good use, so the card's id cannot be denied.
    """
    query = select(CardKeyRow.key_id).where(~CardKeyRow.active, CardKeyRow.not_after >= now)
    return tuple(sorted(session.scalars(query)))


def count_in_use(session: Session) -> int:
    """How many cards are in their holders' hands."""
    query = select(func.count()).select_from(CardRow).where(CardRow.state.in_([state.value for state in HELD]))
    return session.execute(query).scalar_one()


def stopped_keys(session: Session, now: datetime) -> tuple[StoppedKey, ...]:
    """Every one, in the order of the key ids: what the card authority's revocation list is made of."""
    query = (
        select(CardKeyRow.key_id, CardKeyRow.active, CardRow.state, CardRow.blocked_at)
        .join(CardRow, CardRow.id == CardKeyRow.card_id)
        .where(
            CardKeyRow.not_after >= now,
            ~CardKeyRow.active | CardRow.state.in_([state.value for state in BLOCKED]),
        )
        .order_by(CardKeyRow.key_id)
    )
    return tuple(
        StoppedKey(
            row.key_id,
            row.blocked_at if row.active else None,
            row.active and row.state == CardState.SUSPENDED,
        )
        for row in session.execute(query)
    )


def certificates(session: Session, key_ids: Sequence[bytes]) -> dict[bytes, bytes]:
    """The certificates (DER) of these keys, of finished attempts or others; unknown ids are left out."""
    found: dict[bytes, bytes] = {}
    for start in range(0, len(key_ids), _CHUNK):
        chosen = CardKeyRow.key_id.in_(key_ids[start : start + _CHUNK])
        found |= {
            row.key_id: row.certificate
            for row in session.execute(select(CardKeyRow.key_id, CardKeyRow.certificate).where(chosen))
        }
    return found


@lru_cache(maxsize=_CACHED_KEYS)
def _loaded(spki: bytes) -> PublicKey:
    """Loading a key costs a quarter of a verification, and the same cards come back every day."""
    key = keys.load_spki(spki)
    assert isinstance(key, PublicKey)
    return key


def _select() -> Select[*tuple[Any, ...]]:
    return select(*_COLUMNS)


def _card(row: Row[*tuple[Any, ...]]) -> Card:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name begins so
    reason = row.revoked_reason
    return Card(
        **{
            **values,
            "state": CardState(row.state),
            "revoked_reason": RevocationReason(reason) if reason else None,
            "order_kind": OrderKind(row.order_kind),
            "management_key": ManagementKeyState(row.management_key) if row.management_key else None,
        }
    )
