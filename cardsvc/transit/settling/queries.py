"""What a day owes an operator, read from the charges of rides and held against the books."""

from collections.abc import Iterator
from datetime import date, datetime, time
from heapq import merge
from itertools import groupby
from operator import attrgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import ledger
from cardsvc.clock import MANILA, business_date
from cardsvc.transit import rules, versions
from cardsvc.transit.models import ClaimDecision, NetworkRow, RideCharge, RideClaim, RiderPass, RideTap
from cardsvc.transit.rules import explaining, settling, tides
from cardsvc.transit.rules.settling import Booked, OtherMovement, Posted, Settlement, What
from cardsvc.transit.rules.terms import Terms
from cardsvc.transit.rules.tides import FareTransaction, Tapped
from cardsvc.vault import Vault

_CHARGING = frozenset({ledger.EntryKind.TAP, ledger.EntryKind.FARE_REFUNDED, ledger.EntryKind.PASS_BOUGHT})
_TIDES = "transit-tides"
_SECRET_BYTES = 32


def settlement(session: Session, agency: str, day: date, now: datetime) -> Settlement:
    """What the day owes the operator; the whole day is compared with the books first, of all operators.

    Raises: UnknownOperator, SettlementDiffers.
    """
    _check_operator(session, agency)
    revenue = rules.revenue_account(agency)
    others = tuple(
        OtherMovement(one.entry_id, one.kind, -one.amount_cents)
        for one in settling.unexplained(
            _posted(session, day),
            _booked(session, day),
            revenue=rules.revenue_account(""),
            concession=rules.concession_account(""),
        )
        if one.account == revenue
    )
    final = day < business_date(now)
    return settling.settle(agency, day, _booked(session, day, agency), others, final=final)


def agencies(session: Session) -> list[str]:
    """The operators of all tariffs that ever were."""
    return list(session.scalars(sa.select(NetworkRow.agency_id).distinct().order_by(NetworkRow.agency_id)))


def _check_operator(session: Session, agency: str) -> None:
    """Nothing due to a name that was mistyped would look like a day without rides."""
    if agency not in (known := agencies(session)):
        raise settling.UnknownOperator(known)


def _posted(session: Session, day: date) -> Iterator[Posted]:
    """What the day moved for operators, in the order of the log."""
    prefixes = (rules.revenue_account(""), rules.concession_account(""))
    for moved in ledger.moved_on(session, day, prefixes):
        charges = moved.kind in _CHARGING and not moved.rule.startswith(settling.BEFORE_RIDES)
        yield Posted(moved.seq, moved.entry_id, moved.kind, moved.account, moved.amount_cents, charges)


def _booked(session: Session, day: date, agency: str | None = None) -> Iterator[Booked]:
    """What the day moved for rides and passes, in the order of the log: by taps, by sales, by what took them back, by
    claims.
    """
    entry = ledger.recorded_on(day)
    charge = (
        sa.select(entry, RideCharge, RideTap.at.label("began_at"))
        .join(RideTap, RideTap.record_id == RideCharge.ride_id)
        .order_by(entry.c.seq, RideCharge.id)
    )
    charged = charge.join(entry, RideCharge.entry_id == entry.c.id)
    reversed_ = charge.join(entry, RideCharge.entry_id == entry.c.reverses)
    refunded = (
        sa.select(entry, ClaimDecision, RideClaim, RideTap.at.label("began_at"))
        .join(ClaimDecision, ClaimDecision.record_id == entry.c.id)
        .join(RideClaim, RideClaim.id == ClaimDecision.claim_id)
        .join(RideTap, RideTap.record_id == RideClaim.ride_id)
        .order_by(entry.c.seq)
    )
    of_one = RiderPass.agency != ""  # what several operators share moves an account of none
    if agency is not None:
        charged, reversed_ = (query.where(RideCharge.agency == agency) for query in (charged, reversed_))
        refunded = refunded.where(ClaimDecision.agency == agency)
        of_one = RiderPass.agency == agency
    sale = sa.select(entry, RiderPass).where(of_one).order_by(entry.c.seq)
    sold = sale.join(entry, RiderPass.holding_id == entry.c.id)
    unsold = sale.join(entry, RiderPass.holding_id == entry.c.reverses)
    return merge(
        (_charge(row, What.RIDE, 1) for row in session.execute(charged)),
        (_charge(row, What.REVERSAL, -1) for row in session.execute(reversed_)),
        (_refund(row) for row in session.execute(refunded)),
        (_sale(row, What.SALE, 1) for row in session.execute(sold)),
        (_sale(row, What.REVERSAL, -1) for row in session.execute(unsold)),
        key=attrgetter("seq"),
    )


def _charge(row: Any, what: What, sign: int) -> Booked:
    charge = row.RideCharge
    facts = charge.ride_id, row.began_at, charge.wallet_id, charge.fare_day, charge.network, charge.agency
    cents = sign * charge.fare_cents, sign * charge.subsidy_cents
    told = charge.explanation
    said = explaining.product(told), explaining.capped(told)
    return Booked(
        row.seq, row.id, row.recorded_at, what, *facts, *cents, charge.paid_by, *said, explaining.pass_of(told)
    )


def _refund(row: Any) -> Booked:
    ended, claim = row.ClaimDecision, row.RideClaim
    facts = claim.ride_id, row.began_at, claim.wallet_id, ended.fare_day, ended.network, ended.agency
    cents = -ended.fare_cents, -ended.subsidy_cents
    return Booked(
        row.seq, row.id, row.recorded_at, What.REFUND, *facts, *cents, ended.paid_by, ended.product, False, ""
    )


def _sale(row: Any, what: What, sign: int) -> Booked:
    """Of the day on which the books took it: a pass is of no fare day."""
    sold = row.RiderPass
    facts = sold.holding_id, row.recorded_at, sold.wallet_id, business_date(row.recorded_at), "", sold.agency
    cents = sign * sold.amount_cents, 0
    return Booked(row.seq, row.id, row.recorded_at, what, *facts, *cents, "", "", False, sold.pass_id, sale=True)


# ---------------------------------------------------------------------------------------------------------- TIDES


def fare_transactions(session: Session, vault: Vault, agency: str, day: date) -> Iterator[FareTransaction]:
    """The operator's taps that the books took in on the day, and what else the day moved for its rides, in the order of
    the log. The amounts come to what the settlement of the day says was charged less what was refunded.

    Raises: UnknownOperator.
    """
    _check_operator(session, agency)
    secret = vault.derive(_TIDES, tides.secret_context(agency, day), _SECRET_BYTES)
    both: tuple[Iterator[Tapped | Booked], ...] = (_taps(session, day, agency), _booked(session, day, agency))
    newest = versions.in_force(session, datetime.combine(day, time.max, MANILA))
    fare_day = (Terms(MANILA) if newest is None else newest.tariff.terms).fare_day
    for _, group in groupby(merge(*both, key=attrgetter("seq")), key=attrgetter("seq")):
        yield from tides.rows(list(group), secret, fare_day)


def _taps(session: Session, day: date, agency: str) -> Iterator[Tapped]:
    """The operator's taps that the books took in on the day."""
    entry = ledger.recorded_on(day)
    query = (
        sa.select(entry.c.seq, RideTap)
        .join(entry, entry.c.id == RideTap.record_id)
        .join(NetworkRow, (NetworkRow.version == RideTap.tariff_version) & (NetworkRow.network_id == RideTap.network))
        .where(NetworkRow.agency_id == agency)
        .order_by(entry.c.seq)
    )
    for seq, tap in session.execute(query):
        facts = tap.record_id, tap.wallet_id, tap.device_id, tap.at, tap.network, tap.stop_id, tap.direction
        yield Tapped(seq, *facts)
