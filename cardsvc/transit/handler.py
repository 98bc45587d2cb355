"""How a signed tap becomes an entry: what it changes about the rider's fares, from the wallet to the operators.

A rider's fares are a function of the set of their taps. The entry of a tap posts the difference between that function
with the tap and what was charged before: mostly a fare; for the exit of a ride the rest of what was held, back; for a
tap that came late whatever it changes, of other rides too. No entry is edited.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy.orm import Session

from cardsvc import ledger, rows, wallets
from cardsvc.money import CURRENCY
from cardsvc.transactions import Item, Plan, Rejected
from cardsvc.transit import answering, foreseeing, riders, rules
from cardsvc.transit.answering import Answer, Priced
from cardsvc.transit.foreseeing import Foreseen
from cardsvc.transit.models import RideCharge, RideTap
from cardsvc.transit.riders import Tariffs
from cardsvc.transit.rules import charging
from cardsvc.transit.rules.charging import Charged, Pockets
from cardsvc.transit.rules.tariffs import in_force
from crypto.wire.transaction import Purpose
from crypto.wire.transit import Tap

RULE = "transit/ride/1"
_PRICED = "transit.priced"


class Tapping:
    """A tap made offline within policy is honoured even when the wallet is short: the rest becomes owed."""

    body: ClassVar[type[Tap]] = Tap
    purposes: ClassVar[frozenset[Purpose]] = frozenset({Purpose.PRESENCE})
    device_kinds: ClassVar[frozenset[str]] = frozenset({"validator"})
    roles: ClassVar[frozenset[str]] = frozenset()

    def subject(self, item: Item, /) -> tuple[UUID | None, int]:
        """A card and a moment: no validator reads one card twice in a millisecond, so such a tap was made twice."""
        return None if item.card is None else item.card.card_id, item.record.at_ms

    def plan(self, session: Session, items: Sequence[Item], _now: datetime, /) -> list[Plan | Rejected]:
        return self.plan_foreseen(session, items, (), _now)

    def foresee(self, session: Session, items: Sequence[Item], /) -> Foreseen | None:
        return foreseeing.foresee(session, items)

    def plan_foreseen(
        self, session: Session, items: Sequence[Item], foreseen: Sequence[Foreseen], _now: datetime, /
    ) -> list[Plan | Rejected]:
        wallet_of = wallets.by_residents(session, [item.card.resident_id for item in items if item.card is not None])
        found = foreseeing.still_true(session, foreseen, items, wallet_of)
        rest = [item for item, answer in zip(items, found, strict=True) if answer is None]
        others = iter(answering.answer(session, rest, wallet_of).answers if rest else ())
        return _plans(session, [next(others) if answer is None else answer for answer in found])

    def settle(self, session: Session, done: Sequence[tuple[Item, ledger.Posted]], _now: datetime, /) -> None:
        """Keep the taps, and what each changed about which ride."""
        planned: dict[UUID, Priced] = session.info[_PRICED]
        priced = [planned.pop(item.record.record_id) for item, _ in done]
        items = [one.item for one in priced]
        taps = [item.says(Tap) for item in items]
        rows.insert(
            session,
            RideTap.__table__,
            {
                "record_id": [item.record.record_id for item in items],
                "wallet_id": [one.wallet_id for one in priced],
                "device_id": [item.device.id for item in items],
                "seq": [item.record.sequence for item in items],
                "at": [item.happened_at for item in items],
                "network": [tap.network_id for tap in taps],
                "stop_id": [tap.stop_id for tap in taps],
                "direction": [tap.direction for tap in taps],
                "tariff_version": [tap.tariff_version for tap in taps],
            },
        )
        changed = [(one, change.charged, change.explanation) for one in priced for change in one.changes]
        if changed:
            rows.insert(
                session,
                RideCharge.__table__,
                {
                    "entry_id": [one.item.record.record_id for one, _, _ in changed],
                    "wallet_id": [one.wallet_id for one, _, _ in changed],
                    "explanation": [explanation for _, _, explanation in changed],
                    **{name: [getattr(charged, name) for _, charged, _ in changed] for name in Charged._fields},
                },
            )


def _plans(session: Session, answers: Sequence[Answer]) -> list[Plan | Rejected]:
    priced = [answer for answer in answers if isinstance(answer, Priced)]
    session.info.setdefault(_PRICED, {}).update({one.item.record.record_id: one for one in priced})
    purses = wallets.purse_accounts(session, list({one.wallet_id for one in priced}))
    given_back = [one for one in priced if one.fare_cents < 0]
    since = min((one.period for one in given_back), default=date.max)
    pockets = _pockets(session, list({one.wallet_id for one in given_back}), purses, since)
    plans: list[Plan | Rejected] = []
    for answer in answers:
        if isinstance(answer, Rejected):
            plans.append(answer)
        else:
            lines = _lines(answer, purses[answer.wallet_id], pockets.get(answer.wallet_id))
            plans.append(_plan(answer, lines))
    return plans


def _pockets(
    session: Session, wallet_ids: Sequence[UUID], purses: dict[UUID, tuple[ledger.PurseAccount, ...]], since: date
) -> dict[UUID, Pockets]:
    """Of those to whom something goes back."""
    if not wallet_ids:
        return {}
    taken = riders.taken(session, wallet_ids, since)
    codes = [code for one in wallet_ids for code in (wallets.main_account(one), wallets.owed_account(one))]
    balances = ledger.balances(session, codes)
    found: dict[UUID, Pockets] = {}
    for wallet_id in wallet_ids:
        main, owed = wallets.main_account(wallet_id), wallets.owed_account(wallet_id)
        live = {purse.code: purse.balance_cents for purse in purses[wallet_id]} | {main: balances[main]}
        found[wallet_id] = Pockets(owed, live, {code: taken.get(code, 0) for code in live}, balances[owed])
    return found


def _lines(priced: Priced, purses: Sequence[ledger.PurseAccount], pockets: Pockets | None) -> tuple[ledger.Line, ...]:
    """The purses that could pay when the tap was made, in order, then the wallet, then as a debt. A purse that expired
    since and was emptied pays nothing any more.
    """
    item, cents = priced.item, priced.fare_cents
    first, *rest = sources = wallets.sources(priced.wallet_id, purses, wallets.TRANSIT, item.happened_at)
    lines: list[ledger.Line] = []
    if cents > 0:
        lines.append(ledger.Line(first, cents, then=(*rest, wallets.owed_account(priced.wallet_id))))
        if pockets is not None:
            pockets.pay(cents, sources)
    elif cents < 0:
        assert pockets is not None
        lines += (ledger.Line(code, -part) for code, part in pockets.give_back(-cents, sources).items())
    lines += (ledger.Line(code, moved) for code, moved in charging.to_operators(priced.changes).items())
    return tuple(lines) or _nothing_moved(item, priced.tariffs)


def _nothing_moved(item: Item, tariffs: Tariffs) -> tuple[ledger.Line, ...]:
    """A tap that changes no amount is an entry all the same: what the gate showed, to the operator and off again."""
    tap, version = item.says(Tap), in_force(tariffs.versions, item.happened_at)
    rule = version.terms.incomplete.get(tap.network_id)
    shown = tap.fare_cents or (rule.maximum_cents if rule else 0) or 1
    account = rules.revenue_account(tariffs.agencies[version.version][tap.network_id])
    return (ledger.Line(account, shown), ledger.Line(account, -shown))


def _plan(priced: Priced, lines: tuple[ledger.Line, ...]) -> Plan:
    """A receipt says no amount below zero: what goes back stands in the statement and beside the ride."""
    item = priced.item
    rule = f"{RULE}#{item.says(Tap).tariff_version}"
    draft = ledger.Draft(item.record.record_id, ledger.EntryKind.TAP, lines, item.happened_at, rule, CURRENCY)
    return Plan(draft, max(0, priced.fare_cents))
