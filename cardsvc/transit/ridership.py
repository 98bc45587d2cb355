"""The riders of a batch: what is known of each before its next tap, read once for all of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from cardsvc.transactions import Item
from cardsvc.transit import riders
from cardsvc.transit.riders import REACH, Passes, Reading, Tapped, Tariffs
from cardsvc.transit.rules import charging
from cardsvc.transit.rules.charging import Charged, Refunded, Window
from cardsvc.transit.rules.pricing import Rider
from cardsvc.transit.rules.resuming import Taps, quiet_time
from cardsvc.transit.rules.selling import counted_since
from cardsvc.wallets import Wallet


@dataclass(slots=True)
class Account:
    """A rider during a batch: what is known before its next tap."""

    wallet_id: UUID
    rider: Rider
    window: Window
    reading: Reading
    taps: Taps
    charged: dict[int, list[Charged]]  # by the rides' numbers
    refunded: Mapping[UUID, Refunded]
    whole: bool  # whether more changed than the taps that come: then all of the window is priced again


def first_taps(items: Iterable[Item], wallet_of: Mapping[UUID, Wallet]) -> dict[UUID, datetime]:
    """When each resident of the batch who has a wallet tapped first."""
    first: dict[UUID, datetime] = {}
    for item in items:
        if item.card is not None and item.card.resident_id in wallet_of:
            resident = item.card.resident_id
            first[resident] = min(first.get(resident, item.happened_at), item.happened_at)
    return first


def matters_since(at: datetime, passes: Passes) -> datetime:
    """From when versions of the tariff matter to taps since that moment: passes make it earlier."""
    reached = at - REACH
    held = [counted_since(some, reached) for some in passes.held.values()]
    ended = [one.valid_from for some in passes.ended.values() for one in some if one.valid_to > reached]
    return min([at, *(since for since in held if since < reached), *ended])


def accounts(
    session: Session,
    first: Mapping[UUID, datetime],
    wallet_of: Mapping[UUID, Wallet],
    passes: Passes,
    tariffs: Tariffs,
) -> dict[UUID, Account]:
    """The riders by resident; `first` says when each tapped first."""
    if not first:
        return {}
    own = {resident: wallet_of[resident].id for resident in first}
    rights = riders.current_rights(session, first)
    known = riders.riders({wallet_id: resident for resident, wallet_id in own.items()}, rights, passes.held)
    every = charging.Windows(tariffs.versions)
    windows = {resident: every.of(at) for resident, at in first.items()}
    usual = min(window.reads_from for window in windows.values())
    # rights may be given for days that are over
    whole = {right.resident_id for right in rights if right.given_at >= first[right.resident_id] - REACH}
    for resident, wallet_id in own.items():
        began = [one.valid_from for one in passes.ended.get(wallet_id, ()) if one.valid_to > first[resident] - REACH]
        if began:  # what the pass covered is charged, from its first ride on
            whole.add(resident)
            windows[resident] = every.of(min(first[resident], *began))
    reached = {own[resident]: window.reads_from for resident, window in windows.items()}
    reached = {wallet_id: counted_since(known[wallet_id].passes, since) for wallet_id, since in reached.items()}
    reading = Reading(session)
    tapped = _tapped(reading, reached, usual)
    whole |= {resident for resident, wallet_id in own.items() if wallet_id in tapped.shrunk}
    windows |= {resident: windows[resident].of_the_period() for resident in whole}
    quiet = quiet_time(tariffs.versions)
    refunded = riders.refunded(session, list(own.values()))
    charged = riders.charged(session, list(own.values()), min(window.since for window in windows.values()))
    return {
        resident: Account(
            wallet_id,
            known[wallet_id],
            windows[resident],
            reading,
            Taps(tapped.taps[wallet_id], quiet, reading.event),
            charging.by_ride([one for one in charged.get(wallet_id, ()) if one.fare_day >= windows[resident].since]),
            refunded,
            resident in whole,
        )
        for resident, wallet_id in own.items()
    }


def _tapped(reading: Reading, reached: Mapping[UUID, datetime], usual: datetime) -> Tapped:
    """The taps of these wallets since `usual`. Those whose passes reach further back are read by themselves, so that
    the others need not be.
    """
    near = [wallet_id for wallet_id, since in reached.items() if since >= usual]
    far = [wallet_id for wallet_id, since in reached.items() if since < usual]
    found = reading.tapped(near, usual)
    if not far:
        return found
    more = reading.tapped(far, min(reached.values()))
    return Tapped({**found.taps, **more.taps}, {*found.shrunk, *more.shrunk})
