"""Where a validator stands, and what it says to a tap."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from terminals.outbox import Balance

DUPLICATE_MS = 10_000
PASS_BACK_MS = 120_000
RIDE_MS = 2 * 60 * 60 * 1000
KEPT_MS = 40 * 24 * 60 * 60 * 1000  # longer than anything here looks back, or the city takes a record
BALANCE_MS = 30 * 24 * 60 * 60 * 1000  # what was told beside a tap older than this is not shown


class Mode(StrEnum):
    """What one tap here is: a whole ride, the beginning of one, or its end. The words are those of the record."""

    FLAT = "flat"
    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Place:
    """Ids as in the tariff's GTFS feed. `duplicate_ms`: the same card within this time is the same tap.

    `rider_category` is what a rider pays of whom nothing else is known; None for the one category the policy prices.
    `pass_back_ms`: so long the same card may not come in again at this stop, unless it went out. `ride_ms`: so long a
    tap counts as the ride that somebody is on. `device_day_cents_max` is this device's own limit of all fares and holds
    a day beside the policy's; 0 for none.
    """

    network_id: str
    stop_id: str
    rider_category: str | None = None
    duplicate_ms: int = DUPLICATE_MS
    mode: Mode = Mode.FLAT
    pass_back_ms: int = PASS_BACK_MS
    ride_ms: int = RIDE_MS
    device_day_cents_max: int = 0


class Outcome(StrEnum):
    ACCEPTED = "accepted"
    AGAIN = "again"  # the earlier tap of this card stands; the gate does not open a second time for one fare
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class TapResult:
    """`code` is stable: "accepted", "again", or what was wrong. `text` is one sentence for the rider.

    `record_id` is None where nothing was stored. `card_id` is None while the card is unknown. `fare_cents` is what the
    record says: the fare, the hold of a ride that begins, 0 of one that ends and where the tap was refused; of an
    earlier tap for `AGAIN`. `held_cents` is what is held for the ride that begins or ends, 0 where this line holds no
    record of it. `balance` is the last that the city told this gate of a card that it took: what its holder had left
    after an earlier tap, never computed here; None while it told nothing, and where the tap was refused.
    """

    outcome: Outcome
    code: str
    text: str
    record_id: UUID | None = None
    card_id: UUID | None = None
    fare_cents: int = 0
    currency: str = "PHP"
    mode: Mode = Mode.FLAT
    held_cents: int = 0
    balance: Balance | None = None


@dataclass(frozen=True, slots=True)
class EarlierTap:
    """A tap of this card that this validator, or another one of its line, stored."""

    record_id: UUID
    at_ms: int
    network_id: str
    stop_id: str
    mode: Mode
    fare_cents: int
    currency: str
