"""The life of a card: its states, and the one table of moves between them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import StrEnum
from uuid import UUID

from cardsvc.cards.rules.errors import (
    InvalidMove,
    RenewalTooEarly,
    SameApprover,
    UnknownAlgorithm,
    UnknownProduct,
    WithdrawnAlgorithm,
)

VALIDITY_YEARS = 5
CLOCK_LEEWAY = timedelta(minutes=5)
"""A terminal's clock may be this far behind ours and still find a new certificate valid."""
_CITY_ZONE = timezone(timedelta(hours=8))  # Manila knows no summer time
_LEAP_DAY = (2, 29)


class CardState(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    PERSONALISING = "personalising"
    READY = "ready"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    EXPIRED = "expired"
    DESTROYED = "destroyed"


class Move(StrEnum):
    APPROVE = "approve"
    BEGIN = "begin personalisation"
    READY = "report ready"
    HAND_OVER = "hand over"
    SUSPEND = "suspend"
    RESUME = "resume"
    REVOKE = "revoke"
    EXPIRE = "expire"
    DESTROY = "destroy"


class RevocationReason(StrEnum):
    LOST = "lost"
    STOLEN = "stolen"
    DAMAGED = "damaged"
    DECEASED = "deceased"
    MOVED = "moved"
    FRAUD = "fraud"
    WITHDRAWN = "withdrawn"  # an order that will not be carried out
    SUPERSEDED = "superseded"  # a renewed card, at the moment its successor is handed over; nobody chooses it


class OrderKind(StrEnum):
    """Why a card was ordered. What is not the first takes the place of a card that it names."""

    FIRST = "first"
    RENEWAL = "renewal"  # the old card stays good until the new one is handed over
    REPLACEMENT = "replacement"  # the old card was stopped for good when the new one was ordered


class ManagementKeyState(StrEnum):
    """What became of the card's 9B key."""

    DIVERSIFIED = "diversified"  # the card's own, derived in the vault
    KEPT = "kept"  # the product cannot replace it: never in production


STAGES = (CardState.REQUESTED, CardState.APPROVED, CardState.PERSONALISING, CardState.READY)
"""Of an order, in the order of its way."""

ORDERED = frozenset(STAGES)
"""On its way to the holder. A resident has at most one card in these states."""

HELD = frozenset({CardState.ACTIVE, CardState.SUSPENDED})
"""In the holder's hands. A resident has at most one card in these states."""

BLOCKED = frozenset({CardState.SUSPENDED, CardState.REVOKED, CardState.EXPIRED, CardState.DESTROYED})
"""A tap made after the card came to one of these is refused; one made before it is honoured."""


@dataclass(frozen=True, slots=True)
class Step:
    """From which states a move leads where."""

    from_: frozenset[CardState]
    to: CardState


# Nothing leads out of DESTROYED, and nothing but destruction out of REVOKED and EXPIRED: a stopped card stays stopped.
# BEGIN again is what follows a tear: a card pulled out midway, or an answer lost after the last step of the counter.
MOVES: dict[Move, Step] = {
    Move.APPROVE: Step(frozenset({CardState.REQUESTED}), CardState.APPROVED),
    Move.BEGIN: Step(
        frozenset({CardState.APPROVED, CardState.PERSONALISING, CardState.READY}), CardState.PERSONALISING
    ),
    Move.READY: Step(frozenset({CardState.PERSONALISING}), CardState.READY),
    Move.HAND_OVER: Step(frozenset({CardState.READY}), CardState.ACTIVE),
    Move.SUSPEND: Step(frozenset({CardState.ACTIVE}), CardState.SUSPENDED),
    Move.RESUME: Step(frozenset({CardState.SUSPENDED}), CardState.ACTIVE),
    Move.REVOKE: Step(ORDERED | HELD, CardState.REVOKED),
    Move.EXPIRE: Step(frozenset({CardState.READY}) | HELD, CardState.EXPIRED),
    Move.DESTROY: Step(frozenset({CardState.REVOKED, CardState.EXPIRED}), CardState.DESTROYED),
}


def moved(state: CardState, move: Move) -> CardState:
    """Where the move leads. Raises: InvalidMove where the table does not have it."""
    step = MOVES[move]
    if state not in step.from_:
        raise InvalidMove(move, state)
    return step.to


def check_approver(requested_by: UUID, approver: UUID) -> None:
    """Raises: SameApprover."""
    if requested_by == approver:
        raise SameApprover


# ------------------------------------------------------------------------------------------------------ products


@dataclass(frozen=True, slots=True)
class Product:
    """A card the city buys, by its management key (9B): the identifier of SP 800-78-5 table 10, and the key's size."""

    name: str
    algorithm: int
    key_bytes: int


PRODUCTS = {
    product.name: product
    for product in (
        Product("piv-aes128", 0x08, 16),
        Product("piv-aes192", 0x0A, 24),
        Product("piv-aes256", 0x0C, 32),
    )
}
DEFAULT_PRODUCT = "piv-aes128"


def product(name: str) -> Product:
    """Raises: UnknownProduct."""
    try:
        return PRODUCTS[name]
    except KeyError:
        raise UnknownProduct(", ".join(PRODUCTS)) from None


# Management key algorithms by SP 800-78-5 table 10, each with the size of its key in bytes.
TRIPLE_DES = 0x03
KEY_BYTES = {TRIPLE_DES: 24, 0x08: 16, 0x0A: 24, 0x0C: 32}


def management_algorithm(kind: Product, wanted: int | None, *, production: bool) -> int:
    """The algorithm of the card's own 9B key: the product's, or the one that the counter found the card to have.

    Raises: UnknownAlgorithm, WithdrawnAlgorithm.
    """
    algorithm = kind.algorithm if wanted is None else wanted
    if algorithm not in KEY_BYTES:
        raise UnknownAlgorithm(", ".join(map(str, KEY_BYTES)))
    if production and algorithm == TRIPLE_DES:
        raise WithdrawnAlgorithm
    return algorithm


# ------------------------------------------------------------------------------------------------------ dates


def city_day(now: datetime) -> date:
    """The calendar day in the city."""
    return now.astimezone(_CITY_ZONE).date()


def expiry(now: datetime) -> date:
    """The day printed on a card personalised now: the last day on which it is good."""
    today = city_day(now)
    if (today.month, today.day) == _LEAP_DAY:
        today -= timedelta(days=1)
    return today.replace(year=today.year + VALIDITY_YEARS)


def check_renewable(expires_on: date, now: datetime, window_days: int) -> None:
    """Raises: RenewalTooEarly, until the card's last days begin."""
    first_day = expires_on - timedelta(days=window_days)
    if city_day(now) < first_day:
        raise RenewalTooEarly(first_day)


def not_after(expires_on: date) -> datetime:
    """The last second of the printed day in the city: certificates end with the card (FIPS 201-3 2.7)."""
    return datetime.combine(expires_on, time(23, 59, 59), _CITY_ZONE).astimezone(UTC)
