"""Where a validator stands, and what it says to a tap."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

DUPLICATE_MS = 10_000


@dataclass(frozen=True, slots=True)
class Place:
    """Ids as in the tariff's GTFS feed. `duplicate_ms`: the same card within this time is the same tap.

    `rider_category` is what a rider pays of whom nothing else is known; None for the one category the policy prices.
    """

    network_id: str
    stop_id: str
    rider_category: str | None = None
    duplicate_ms: int = DUPLICATE_MS


class Outcome(StrEnum):
    ACCEPTED = "accepted"
    AGAIN = "again"  # the earlier tap of this card stands; the gate does not open a second time for one fare
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class TapResult:
    """`code` is stable: "accepted", "again", or what was wrong. `text` is one sentence for the rider.

    `record_id` is None where nothing was stored. `card_id` is None while the card is unknown. `fare_cents` is what this
    tap costs, 0 where it was refused; of an earlier tap for `AGAIN`.
    """

    outcome: Outcome
    code: str
    text: str
    record_id: UUID | None = None
    card_id: UUID | None = None
    fare_cents: int = 0
    currency: str = "PHP"


@dataclass(frozen=True, slots=True)
class EarlierTap:
    """A tap of this card that this validator stored."""

    record_id: UUID
    at_ms: int
    fare_cents: int
    currency: str
