"""Rides with what they cost now, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import ledger
from cardsvc.transit.models import RideCharge, RideTap, StopRow
from cardsvc.transit.rules import explaining

_DECIMALS_MAX = 6
_CENTS = 100
_TABLE = RideCharge.__table__.c


@dataclass(frozen=True, slots=True)
class StepView:
    """What one rule made of the amount: exact minor units as text, and `after` as money for a person."""

    step: str
    rule: str
    before: str
    after: str

    @property
    def shown(self) -> str:
        """`after` in pesos: two decimals, more only where a part of a centavo is meant."""
        exact = Fraction(self.after) / _CENTS
        digits = f"{abs(exact.numerator) * 10**_DECIMALS_MAX // exact.denominator:0{_DECIMALS_MAX + 1}d}"
        whole, rest = digits[:-_DECIMALS_MAX], digits[-_DECIMALS_MAX:]
        return f"{'-' if exact < 0 else ''}{whole}.{rest[:2]}{rest[2:].rstrip('0')}"


@dataclass(frozen=True, slots=True)
class RideView:
    """A ride, all its charges together. `ride_id` is its first tap; stops are names where they are known."""

    ride_id: UUID
    fare_day: date
    network: str
    ending: str
    from_stop: str
    to_stop: str
    began_at: datetime
    fare_cents: int
    subsidy_cents: int
    paid_by: str
    tariff_version: int
    steps: Sequence[StepView]


def rides(session: Session, wallet_id: UUID, *, before: datetime | None = None, limit: int = 50) -> list[RideView]:
    """A wallet's rides that began before the moment, the newest first. Charges that were taken back do not count; what
    was no ride after all is left out.
    """
    began = sa.select(RideCharge.ride_id, RideTap.at).join(RideTap, RideTap.record_id == RideCharge.ride_id)
    began = began.where(RideCharge.wallet_id == wallet_id, ~ledger.is_reversed(_TABLE.entry_id)).distinct()
    if before is not None:
        began = began.where(RideTap.at < before)
    moments = {row.ride_id: row.at for row in session.execute(began.order_by(RideTap.at.desc()).limit(limit))}
    query = sa.select(RideCharge).where(
        RideCharge.ride_id.in_(moments),
        RideCharge.wallet_id == wallet_id,
        ~ledger.is_reversed(_TABLE.entry_id),
    )
    charges: dict[UUID, list[RideCharge]] = {ride_id: [] for ride_id in moments}
    for charge in session.scalars(query.order_by(RideCharge.id)):
        charges[charge.ride_id].append(charge)
    told = {ride_id: explaining.read(rows[-1].explanation) for ride_id, rows in charges.items()}
    names = _stop_names(session, told.values())
    return [
        _view(rows, told[ride_id], moments[ride_id], names)
        for ride_id, rows in charges.items()
        if told[ride_id]["ending"] != explaining.GONE
    ]


def _stop_names(session: Session, told: Any) -> dict[tuple[int, str], str]:
    wanted = {int(one["tariff_version"]) for one in told if "tariff_version" in one}
    rows = session.execute(sa.select(StopRow.version, StopRow.stop_id, StopRow.name).where(StopRow.version.in_(wanted)))
    return {(row.version, row.stop_id): row.name for row in rows}


def _view(
    rows: Sequence[RideCharge], told: dict[str, Any], began_at: datetime, names: dict[tuple[int, str], str]
) -> RideView:
    version, last = int(told["tariff_version"]), rows[-1]

    def named(stop_id: str) -> str:
        return names.get((version, stop_id)) or stop_id

    return RideView(
        last.ride_id,
        last.fare_day,
        last.network,
        str(told["ending"]),
        named(told["from_stop"]),
        named(told["to_stop"]),
        began_at,
        sum(row.fare_cents for row in rows),
        sum(row.subsidy_cents for row in rows),
        str(told["paid_by"]),
        version,
        tuple(StepView(one["step"], one["rule"], one["before"], one["after"]) for one in told["steps"]),
    )
