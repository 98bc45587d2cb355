"""An operator's fares as a TIDES `fare_transactions` table (github.com/TIDES-transit/TIDES, spec/, 24 columns).

Amounts are exact decimals, in CSV and as JSON numbers. `token_id` is a pseudonym of the wallet that lives for a month
at one operator: two operators, or two months, cannot be put together by it. Who rode is nowhere in the table: no card,
no resident, no category, no balance.
"""

import csv
import hmac
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from cardsvc.money import CURRENCY
from cardsvc.transit.rules.rides import Direction
from cardsvc.transit.rules.settling import Booked, What

COLUMNS: Final = (
    "transaction_id",
    "service_date",
    "event_timestamp",
    "location_ping_id",
    "amount",
    "currency_type",
    "fare_action",
    "trip_id_performed",
    "trip_id_scheduled",
    "pattern_id",
    "trip_stop_sequence",
    "scheduled_stop_sequence",
    "vehicle_id",
    "device_id",
    "fare_id",
    "stop_id",
    "num_riders",
    "fare_media_id",
    "rider_category",
    "fare_product",
    "fare_period",
    "fare_capped",
    "token_id",
    "balance",
)
"""Of the standard, in its order; those we know nothing of, and those that would tell who rode, stay empty."""
_MEDIUM: Final = "Smart card or ticket"
_NUMBERS: Final = frozenset({"amount", "num_riders"})
_TOKEN_BYTES: Final = 16
_CENTS: Final = 100


class FareAction(StrEnum):
    """The words of the standard that we use."""

    ENTER = "Enter"  # a tap with which a ride begins, or that is the whole ride
    EXIT = "Exit"  # one with which it ends: what is given back of a hold is less than zero
    ADJUST = "Adjust"  # another ride that a tap changed, or a claim that was granted in part
    VOID = "Void"  # a tap or a ride that was taken back, or the sale of a pass
    PURCHASE = "Purchase"  # of a pass


@dataclass(frozen=True, slots=True)
class FareTransaction:
    """A row. `amount_cents` moved from the rider to the operator; `token` is a pseudonym already."""

    transaction_id: str
    service_date: date
    at: datetime
    amount_cents: int
    currency: str
    action: FareAction
    device_id: UUID | None
    stop_id: str
    product: str
    capped: bool
    token: str

    def texts(self) -> dict[str, str]:
        """What is written into the columns; those that are missing stay empty."""
        return {
            "transaction_id": self.transaction_id,
            "service_date": self.service_date.isoformat(),
            "event_timestamp": f"{self.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "amount": decimal(self.amount_cents),
            "currency_type": self.currency,
            "fare_action": self.action.value,
            "device_id": "" if self.device_id is None else str(self.device_id),
            "stop_id": self.stop_id,
            "num_riders": "1",
            "fare_media_id": _MEDIUM,
            "fare_product": self.product,
            "fare_capped": "true" if self.capped else "false",
            "token_id": self.token,
        }


class Tapped(NamedTuple):
    """A tap, at its place in the log."""

    seq: int
    tap_id: UUID
    wallet_id: UUID
    device_id: UUID
    at: datetime
    network: str
    stop_id: str
    direction: str


def rows(
    entry: Sequence[Tapped | Booked], secret: bytes, fare_day: Callable[[datetime], date]
) -> Iterator[FareTransaction]:
    """The rows of one entry: its tap with what that moved for its own ride, then each other ride that it changed; or
    the sale of a pass.
    """
    tap = next((one for one in entry if isinstance(one, Tapped)), None)
    moves = [one for one in entry if isinstance(one, Booked)]
    own = None if tap is None else _own(tap, moves)
    if tap is not None:
        exits = tap.direction == Direction.OUT
        yield FareTransaction(
            str(tap.tap_id),
            fare_day(tap.at) if own is None else own.fare_day,
            tap.at,
            0 if own is None else own.fare_cents,
            CURRENCY,
            FareAction.EXIT if exits else FareAction.ENTER,
            tap.device_id,
            tap.stop_id,
            "" if own is None else own.product or own.pass_id,
            own is not None and own.capped,
            token(secret, tap.wallet_id),
        )
    yield from (_moved(move, secret) for move in moves if move is not own)


def _own(tap: Tapped, moves: Sequence[Booked]) -> Booked | None:
    """What the tap moved for the ride that it belongs to: the one it began, else the last of its network before it."""
    theirs = [move for move in moves if move.network == tap.network and move.what is What.RIDE]
    begun = [move for move in theirs if move.ride_id == tap.tap_id]
    if begun or tap.direction != Direction.OUT:
        return begun[0] if begun else None
    return max((move for move in theirs if move.began_at <= tap.at), key=lambda move: move.began_at, default=None)


def _moved(move: Booked, secret: bytes) -> FareTransaction:
    actions = {What.REVERSAL: FareAction.VOID, What.SALE: FareAction.PURCHASE}
    return FareTransaction(
        f"{move.entry_id}:{move.ride_id}",
        move.fare_day,
        move.recorded_at,
        move.fare_cents,
        CURRENCY,
        actions.get(move.what, FareAction.ADJUST),
        None,
        "",
        move.product or move.pass_id,
        move.capped,
        token(secret, move.wallet_id),
    )


def decimal(cents: int) -> str:
    """Pesos with two decimals, exactly."""
    pesos, rest = divmod(abs(cents), _CENTS)
    return f"{'-' if cents < 0 else ''}{pesos}.{rest:02d}"


def token(secret: bytes, wallet_id: UUID) -> str:
    """The wallet's pseudonym under the operator's secret of a month."""
    return hmac.digest(secret, wallet_id.bytes, "sha256")[:_TOKEN_BYTES].hex()


def secret_context(agency: str, day: date) -> bytes:
    """What an operator's secret of the month is derived for."""
    return f"{day:%Y-%m}/{agency}".encode()


def to_csv(rows: Iterable[FareTransaction]) -> Iterator[str]:
    """The table as RFC 4180 text, line by line, its header first."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS, restval="")
    writer.writeheader()
    for row in rows:
        writer.writerow(row.texts())
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


def to_json(rows: Iterable[FareTransaction]) -> Iterator[str]:
    """The table as a JSON array of objects. Numbers are written by us: through a float they would not be exact."""
    before = "["
    for row in rows:
        pairs = (f"{json.dumps(name)}: {_value(name, text)}" for name, text in row.texts().items() if text)
        yield f"{before}\n{{{', '.join(pairs)}}}"
        before = ","
    yield "[]\n" if before == "[" else "\n]\n"


def _value(name: str, text: str) -> str:
    return text if name in _NUMBERS or name == "fare_capped" else json.dumps(text)
