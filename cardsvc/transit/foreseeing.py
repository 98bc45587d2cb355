"""What taps will change, worked out before the ledger is locked, and whether that still holds once it is.

A rider's fares follow from their taps, passes and refunds, which only entries of the ledger bring, and from the
tariffs. So what was foreseen holds for a rider if none of the entries since is about their rides, if the tariffs are
the same, and if exactly the taps that were foreseen are planned. For all others it is as if nothing had been foreseen.
A right that is given in between counts as one that is given just behind these taps: from the next tap on, for all the
days that it is given for.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import ledger, rows, wallets
from cardsvc.ledger import EntryKind
from cardsvc.transactions import Item
from cardsvc.transit import answering, versions
from cardsvc.transit.answering import Answer
from cardsvc.transit.models import RideTap
from cardsvc.transit.riders import Tariffs
from cardsvc.wallets import Wallet

_ENTRIES_MAX: Final = 20_000
"""After more entries than this nothing is believed: then what was foreseen is old."""

_KNOWN: Final = frozenset(
    {
        EntryKind.TAP,
        EntryKind.CASH_TOP_UP,
        EntryKind.SHIFT_OPENED,
        EntryKind.SHIFT_CLOSED,
        EntryKind.CARD_PAID,
        EntryKind.CLAIM,
        EntryKind.TAX_PAYMENT,
        EntryKind.BANK_TRANSFER,
        EntryKind.TRANSFER_ASSIGNED,
        EntryKind.AUTO_TOP_UP,
    }
)
"""Taps, which say whose they are about, and what a day brings beside them and changes nobody's rides."""


@dataclass(frozen=True, slots=True)
class _Rider:
    """The taps of one rider in a batch, by their records, and what is answered to each."""

    wallet_id: UUID
    records: Sequence[UUID]
    answers: Sequence[Answer]


@dataclass(frozen=True, slots=True)
class Foreseen:
    """`after` is the place of the newest entry that was certainly known; the riders are by resident."""

    after: int
    tariffs: Tariffs
    riders: Mapping[UUID, _Rider]


def foresee(session: Session, items: Sequence[Item]) -> Foreseen | None:
    """Read-only, without a lock. None: there is nothing to foresee."""
    after = ledger.last_place(session)  # first of all: what is committed from here on is behind it
    taps = {resident: [items[place] for place in places] for resident, places in _by_rider(items).items()}
    wallet_of = wallets.by_residents(session, list(taps))
    taps = {resident: own for resident, own in taps.items() if resident in wallet_of and not _doubled(own)}
    if not taps:
        return None
    answered = answering.answer(session, [item for own in taps.values() for item in own], wallet_of)
    answers = iter(answered.answers)
    found: dict[UUID, _Rider] = {}
    for resident, own in taps.items():
        records = [item.record.record_id for item in own]
        found[resident] = _Rider(wallet_of[resident].id, records, [next(answers) for _ in own])
    return Foreseen(-1 if after is None else after, answered.tariffs, found)


def still_true(
    session: Session, foreseen: Sequence[Foreseen], items: Sequence[Item], wallet_of: Mapping[UUID, Wallet]
) -> list[Answer | None]:
    """What was foreseen of each item and holds; None: it is to be worked out now. Under the ledger's lock."""
    found: list[Answer | None] = [None] * len(items)
    if not foreseen:
        return found
    places = _by_rider(items)
    candidates: dict[UUID, _Rider] = {}
    listed = versions.listed(session)
    for one in foreseen:
        if one.tariffs.listed == listed:
            candidates.update((resident, rider) for resident, rider in one.riders.items() if resident in places)
    changed = _changed(session, min(one.after for one in foreseen), [one.wallet_id for one in candidates.values()])
    if changed is None:
        return found
    for resident, rider in candidates.items():
        own, wallet = places[resident], wallet_of.get(resident)
        same = wallet is not None and wallet.id == rider.wallet_id and rider.wallet_id not in changed
        if same and [items[place].record.record_id for place in own] == rider.records:
            for place, answer in zip(own, rider.answers, strict=True):
                found[place] = answer
    return found


def _changed(session: Session, after: int, wallet_ids: Sequence[UUID]) -> set[UUID] | None:
    """Those of the wallets whose rides entries behind that place are about; None: perhaps all."""
    brought = ledger.brought_since(session, after, limit=_ENTRIES_MAX + 1)
    if len(brought) > _ENTRIES_MAX or any(one.kind not in _KNOWN for one in brought):
        return None
    table = RideTap.__table__.c
    taps = [one.id for one in brought if one.kind == EntryKind.TAP]
    wanted = set(wallet_ids)
    tapped = rows.matching(session, sa.select(table.wallet_id), table.record_id, taps)
    return {wallet_id for (wallet_id,) in tapped if wallet_id in wanted}


def _by_rider(items: Iterable[Item]) -> dict[UUID, list[int]]:
    """The places of each resident's items."""
    places: dict[UUID, list[int]] = defaultdict(list)
    for place, item in enumerate(items):
        if item.card is not None:
            places[item.card.resident_id].append(place)
    return places


def _doubled(items: Sequence[Item]) -> bool:
    """Whether a card and a moment come twice: then the second is planned when the first is settled."""
    return len({(item.card.card_id, item.record.at_ms) for item in items if item.card is not None}) < len(items)
