"""Reads of riders, for whole batches at once: their taps, what rides were charged, rights and passes."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import ledger, rows
from cardsvc.db import from_ms, to_ms
from cardsvc.transit import versions
from cardsvc.transit.models import ClaimDecision, RideCharge, RideClaim, RiderPass, RiderRight, RideTap
from cardsvc.transit.rules.charging import Charged, Refunded
from cardsvc.transit.rules.pricing import HeldCategory, HeldPass, Rider
from cardsvc.transit.rules.resuming import Row
from cardsvc.transit.rules.rides import Direction, TapEvent
from cardsvc.transit.rules.tariffs import TariffVersion
from cardsvc.transit.versions import Listed

REACH = timedelta(days=40)
"""Longer than a month of fare days with what may come before it: versions that can price a ride of the window."""


@dataclass(frozen=True, slots=True)
class Tariffs:
    """The versions that price what happened around some moment, in order of theirs, and who runs each network. `known`
    are the numbers of all versions that ever were, `listed` what each is known by.
    """

    versions: tuple[TariffVersion, ...]
    agencies: Mapping[int, Mapping[str, str]]
    known: frozenset[int]
    listed: Sequence[Listed]


def tariffs(session: Session, since: datetime) -> Tariffs:
    """Those that may price a tap since that moment, or a ride that such a tap changes."""
    listed = versions.listed(session)
    earlier = [one for one in listed if one.valid_from <= since - REACH]
    used = [*earlier[-1:], *(one for one in listed if one.valid_from > since - REACH)]
    found = [versions.compile_one(session, one) for one in used]
    agencies = {one.tariff.version: one.agencies for one in found}
    return Tariffs(tuple(one.tariff for one in found), agencies, frozenset(one.version for one in listed), listed)


@dataclass(frozen=True, slots=True)
class Tapped:
    """The taps of each wallet; `shrunk` are the wallets of which some were taken back, which are not among them."""

    taps: Mapping[UUID, list[Row]]
    shrunk: Collection[UUID]


class Reading:
    """How taps stand in this session's database as plain values, and what they say.

    A tap is its moment, its sequence and one text that says all of it, made by the database: of a month of taps nearly
    all are only looked at to see that they are those whose past is remembered.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._plain = rows.plain_of(session)
        self._devices: dict[int, str] = {}

    def tapped(self, wallet_ids: Sequence[UUID], since: datetime) -> Tapped:
        """The taps of these wallets from that moment on."""
        table = RideTap.__table__.c
        wallet, tap, device = (
            rows.plain_id(self._session, column) for column in (table.wallet_id, table.record_id, table.device_id)
        )
        lengths = sa.func.length(table.network), sa.func.length(table.stop_id)
        words = tap, table.at, table.seq, device, table.direction, *lengths, table.network + table.stop_id
        query = sa.select(wallet, ledger.is_reversed(table.record_id), table.at, table.seq, _text_of(words))
        found: dict[str, list[Row]] = {self._plain(wallet_id): [] for wallet_id in wallet_ids}
        shrunk: set[str] = set()
        listed = rows.matching_plain(self._session, query.where(table.at >= since), table.wallet_id, wallet_ids)
        for wallet_id, gone, at_ms, seq, text in listed:
            if gone:
                shrunk.add(wallet_id)
            else:
                found[wallet_id].append((at_ms, seq, text))
        taps = dict(zip(wallet_ids, found.values(), strict=True))
        return Tapped(taps, {UUID(one) for one in shrunk})

    def row(self, tap: TapEvent) -> Row:
        at_ms, device, network, stop_id = to_ms(tap.at), self._device(tap.device_id), tap.network, tap.stop_id
        begin = f"{self._plain(tap.tap_id)} {at_ms} {tap.sequence} {device} {tap.direction.value}"
        # with their lengths, so that no two rows, one after the other, say the same as two others
        return at_ms, tap.sequence, f"{begin} {len(network)} {len(stop_id)} {network}{stop_id}"

    def _device(self, device_id: UUID) -> str:
        """Of few gates a batch has many taps."""
        found = self._devices.get(device_id.int)
        if found is None:
            found = self._devices[device_id.int] = self._plain(device_id)
        return found

    def event(self, row: Row) -> TapEvent:
        at_ms, seq, text = row
        tap_id, _, _, device_id, direction, length, _, names = text.split(" ", 7)
        place = names[: int(length)], names[int(length) :], _DIRECTIONS[direction]
        return TapEvent(UUID(tap_id), UUID(device_id), seq, from_ms(at_ms), *place)


def _text_of(words: Sequence[sa.ColumnElement[Any]]) -> sa.ColumnElement[str]:
    """The words with a blank between each two."""
    first, *others = (sa.cast(word, sa.Text) for word in words)
    text: sa.ColumnElement[str] = first
    for other in others:
        text = text + sa.literal_column("' '", sa.Text) + other
    return text


# an enum's own call costs more than the rest of a row
_DIRECTIONS = {direction.value: direction for direction in Direction}


def charged(session: Session, wallet_ids: Sequence[UUID], since: date) -> dict[UUID, list[Charged]]:
    """What was charged each wallet for rides of fare days from then on, without what was taken back."""
    table, id_of = RideCharge.__table__.c, rows.id_of(session)
    columns = (table.wallet_id, table.ride_id, table.fare_day, table.network, table.agency, table.paid_by)
    # a sum of bigints is a decimal to PostgreSQL, which costs more to read than all the rest
    sums = (sa.cast(sa.func.sum(cents), sa.BigInteger) for cents in (table.fare_cents, table.subsidy_cents))
    query = (
        sa.select(*columns, *sums)
        .where(table.fare_day >= since, ~ledger.is_reversed(table.entry_id))
        .group_by(*columns)
    )
    found: dict[UUID, list[Charged]] = defaultdict(list)
    for wallet, ride, day, *facts in rows.matching_plain(session, query, table.wallet_id, wallet_ids):
        found[id_of(wallet)].append(Charged(id_of(ride), rows.day_of(day), *facts))
    return found


def refunded(session: Session, wallet_ids: Sequence[UUID]) -> dict[UUID, Refunded]:
    """What was given back of these wallets' rides on claims, by ride, without what was taken back."""
    claim, decision = RideClaim.__table__.c, ClaimDecision.__table__.c
    query = (
        sa.select(claim.ride_id, decision.fare_cents, decision.subsidy_cents)
        .join_from(RideClaim.__table__, ClaimDecision.__table__)
        .where(decision.record_id.is_not(None), ~ledger.is_reversed(decision.record_id))
    )
    found: dict[UUID, Refunded] = {}
    for ride_id, fare, subsidy in rows.matching(session, query, claim.wallet_id, wallet_ids):
        before = found.get(ride_id, Refunded(0, 0))
        found[ride_id] = Refunded(before.fare_cents + fare, before.subsidy_cents + subsidy)
    return found


def taken(session: Session, wallet_ids: Sequence[UUID], since: date) -> dict[str, int]:
    """What rides of fare days from then on took from each account of these wallets, less what went back to it."""
    table = RideCharge.__table__.c
    query = sa.select(table.entry_id).where(table.fare_day >= since, ~ledger.is_reversed(table.entry_id)).distinct()
    entry_ids = {row.entry_id for row in rows.matching(session, query, table.wallet_id, wallet_ids)}
    return ledger.moved_by(session, entry_ids, "wallet:")


@dataclass(frozen=True, slots=True)
class Passes:
    """The passes of each wallet in order of their beginning; `ended` are those whose sale was taken back, which are not
    among them.
    """

    held: Mapping[UUID, Sequence[HeldPass]]
    ended: Mapping[UUID, Sequence[HeldPass]]


def passes(session: Session, wallet_ids: Sequence[UUID]) -> Passes:
    """All that these wallets ever bought."""
    table = RiderPass.__table__.c
    facts = table.holding_id, table.pass_id, table.valid_from, table.valid_to, table.rides
    query = sa.select(table.wallet_id, ledger.is_reversed(table.holding_id), *facts)
    held: dict[UUID, list[HeldPass]] = defaultdict(list)
    ended: dict[UUID, list[HeldPass]] = defaultdict(list)
    for wallet_id, gone, *bought in rows.matching(session, query, table.wallet_id, wallet_ids):
        (ended if gone else held)[wallet_id].append(HeldPass(*bought))
    for found in held.values():
        found.sort(key=lambda one: (one.valid_from, one.holding_id.bytes))
    return Passes(held, ended)


def riders(
    resident_of: Mapping[UUID, UUID], given: Sequence["Right"], held_passes: Mapping[UUID, Sequence[HeldPass]]
) -> dict[UUID, Rider]:
    """What riders have a right to; `resident_of` names the resident of each wallet, `given` are their rights."""
    rights = held(given)
    return {
        wallet_id: Rider(tuple(rights.get(resident_id, ())), tuple(held_passes.get(wallet_id, ())))
        for wallet_id, resident_id in resident_of.items()
    }


def held(given: Iterable["Right"]) -> dict[UUID, list[HeldCategory]]:
    """What these rights say of each resident."""
    found: dict[UUID, list[HeldCategory]] = defaultdict(list)
    for right in given:
        if right.valid_from <= right.valid_to:
            found[right.resident_id].append(HeldCategory(right.category, right.valid_from, right.valid_to))
    return found


@dataclass(frozen=True, slots=True)
class Right:
    """A category that a resident has over fare days, both in, as its newest row says. Ended before it began: never."""

    right_id: UUID
    resident_id: UUID
    category: str
    valid_from: date
    valid_to: date
    reason: str
    given_by: UUID
    given_at: datetime


def current_rights(session: Session, resident_ids: Iterable[UUID]) -> list[Right]:
    """Each right of these residents as it stands, in the order in which they were given."""
    table = RiderRight.__table__.c
    found: dict[UUID, Right] = {}
    listed = rows.matching(session, sa.select(RiderRight.__table__), table.resident_id, list(resident_ids))
    for row in sorted(listed, key=lambda row: int(row.id)):
        facts = row.right_id, row.resident_id, row.category, row.valid_from, row.valid_to
        found[row.right_id] = Right(*facts, row.reason, row.given_by, row.given_at)
    return list(found.values())
