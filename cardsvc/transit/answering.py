"""What each tap of a batch changes: what is known of its rider is read once for all of them, and then it is priced."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from cardsvc import transactions
from cardsvc.money import CURRENCY
from cardsvc.transactions import Item, Reason, Rejected
from cardsvc.transit import riders, ridership
from cardsvc.transit.riders import Tariffs
from cardsvc.transit.ridership import Account
from cardsvc.transit.rules import charging
from cardsvc.transit.rules.charging import Change
from cardsvc.transit.rules.rides import Direction, TapEvent
from cardsvc.transit.rules.tariffs import in_force
from cardsvc.wallets import Wallet
from crypto.wire.transit import Tap

_NO_FARE = "The tariff knows no fare for this ride. Look at the stop and the network that the validator is set to."


class Priced(NamedTuple):  # cheaper to make than a frozen dataclass; one for every tap
    """What a tap changes, what that takes from the rider, and by which tariffs. `period` is when what may be given back
    by it began.
    """

    item: Item
    wallet_id: UUID
    changes: Sequence[Change]
    fare_cents: int
    tariffs: Tariffs
    period: date


Answer = Priced | Rejected


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer to each item, in order, and the tariffs that they were priced by."""

    answers: Sequence[Answer]
    tariffs: Tariffs


def answer(session: Session, items: Sequence[Item], wallet_of: Mapping[UUID, Wallet]) -> Answered:
    """Writes nothing. `wallet_of` are the wallets of the residents who have one. No card and moment may come twice."""
    first = ridership.first_taps(items, wallet_of)
    passes = riders.passes(session, [wallet_of[resident].id for resident in first])
    tariffs = riders.tariffs(session, ridership.matters_since(min(item.happened_at for item in items), passes))
    moments = transactions.charged_moments(session, items)
    accounts = ridership.accounts(session, first, wallet_of, passes, tariffs) if tariffs.versions else {}
    answers: list[Answer] = []
    for item in items:
        assert item.card is not None
        account = accounts.get(item.card.resident_id)
        refusal = _refusal(item.says(Tap), item.happened_at, tariffs)
        if item.card.resident_id not in wallet_of:
            refusal = Rejected(Reason.UNKNOWN_WALLET, "This card's holder has no wallet. Ask at the counter.")
        elif refusal is None and (item.card.card_id, item.happened_at) in moments:
            refusal = Rejected(Reason.ALREADY_DONE, "This tap was charged before, under another id.")
        if refusal is None:
            assert account is not None
            answers.append(_price(item, account, tariffs))
        else:
            answers.append(refusal)
    for account in accounts.values():
        account.taps.remember(account.rider, tariffs.versions)
    return Answered(answers, tariffs)


def _refusal(tap: Tap, at: datetime, tariffs: Tariffs) -> Rejected | None:
    if tap.tariff_version not in tariffs.known:
        return Rejected(Reason.UNKNOWN_REFERENCE, f"There is no tariff {tap.tariff_version}. Update the validator.")
    version = in_force(tariffs.versions, at).version
    if tap.network_id not in tariffs.agencies[version]:
        return Rejected(Reason.UNKNOWN_REFERENCE, f"The tariff has no network {tap.network_id}.")
    if tap.currency != CURRENCY:
        return Rejected(Reason.WRONG_AMOUNT, f"The city's fares are in {CURRENCY}. Update the validator.")
    return None


def _price(item: Item, account: Account, tariffs: Tariffs) -> Priced | Rejected:
    """What the tap changes; the account then knows it."""
    tap = item.says(Tap)
    facts = item.record.record_id, item.device.id, item.record.sequence, item.happened_at
    event = TapEvent(*facts, tap.network_id, tap.stop_id, Direction(tap.direction))
    row = account.reading.row(event)
    account.taps.add(row, event)
    begin = 0 if account.whole else account.taps.begin(row)
    journeys = account.taps.price(begin, account.rider, tariffs.versions)
    now = charging.standing(journeys, tariffs.versions, tariffs.agencies, account.window.since)
    if any(not ride.known and ride.has(event.tap_id) for ride in now):
        account.taps.remove(row)
        return Rejected(Reason.UNKNOWN_REFERENCE, _NO_FARE)
    charged = before = account.charged
    if not account.whole:  # else rides that are none any more are among them: another entry had charged them
        numbers = [one.tap_id.int for one in account.taps.since(begin)]
        before = {number: charged[number] for number in numbers if number in charged}
    changes = charging.changes(now, before, event.tap_id, account.refunded)
    fare_cents = 0
    for change in changes:
        fare_cents += change.charged.fare_cents
        charged.setdefault(change.charged.ride_id.int, []).append(change.charged)
    return Priced(item, account.wallet_id, changes, fare_cents, tariffs, account.window.period)
