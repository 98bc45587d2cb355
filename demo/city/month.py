"""Thirty days of the demo city: shifts, top-ups, taps, claims, bills, deposits, statements; and what goes wrong."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from crypto.wire.benefits import Claim
from crypto.wire.body import Body
from crypto.wire.finance import ShiftClosed, ShiftOpened
from crypto.wire.taxes import TaxPayment
from crypto.wire.transaction import Authorisation, Purpose
from crypto.wire.transit import Tap
from crypto.wire.wallets import CashTopUp
from demo.cast import CASHIER, FINANCE
from demo.city import bank
from demo.city.desk import Desk
from demo.city.holders import HeldCard
from demo.city.machines import Card, SoftCard, SoftTerminal
from demo.city.money import Account

FLOAT_CENTS: Final = 5_000_00
HOLDERS_DAY: Final = 2  # on this day the holders of the demo cards bring cash
HOLDER_CENTS: Final = 500_00
TAPS_A_VALIDATOR: Final = 60
TOP_UPS_A_COUNTER: Final = 24
_AMOUNTS: Final = (100_00, 200_00, 300_00, 500_00, 1_000_00)
_SHORT_BY: Final = 20_00  # what the second counter's drawer lacks on one day
_BATCH: Final = 2000


@dataclass(frozen=True, slots=True)
class Ride:
    """What a tap at a validator costs."""

    network_id: str
    stop_id: str
    fare_cents: int
    tariff_version: int


@dataclass(slots=True)
class Month:
    """The city while its history is made. `claims` and `bills` wait to be taken: (card, id, cents).

    `drawers` holds the cash taken at each counter today, `rides_taken` the accepted taps, `outcomes` how often the
    service said what.
    """

    desk: Desk
    terminals: Sequence[SoftTerminal]
    cards: Sequence[SoftCard]
    holders: Sequence[HeldCard]
    account: Account
    rides: dict[str, Ride]
    chance: random.Random
    scale: int
    claims: list[tuple[SoftCard, UUID, int]] = field(default_factory=list)
    bills: list[tuple[SoftCard, UUID, int]] = field(default_factory=list)
    loaded: list[SoftCard] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    drawers: Counter[str] = field(default_factory=Counter)
    rides_taken: list[UUID] = field(default_factory=list)

    def of_kind(self, kind: str) -> list[SoftTerminal]:
        return [terminal for terminal in self.terminals if terminal.kind == kind]


def play_day(month: Month, number: int, morning: datetime) -> None:
    """One day. Terminals upload in the evening; the last thing of the day is the deposit."""
    month.desk.new_day(morning)
    shifts = [_open_shift(month, counter, morning) for counter in month.of_kind("counter")]
    for counter, shift_id in zip(month.of_kind("counter"), shifts, strict=True):
        _top_up(month, counter, shift_id, morning)
    for validator in month.of_kind("validator"):
        _ride(month, validator, morning)
    for kiosk in month.of_kind("kiosk"):
        _visit(month, kiosk, morning)
    _holders_out(month, number, shifts[0], morning + timedelta(hours=9))
    evening = morning + timedelta(hours=10)
    month.desk.new_day(evening)
    for counter, shift_id in zip(month.of_kind("counter"), shifts, strict=True):
        _close_shift(month, counter, shift_id, evening, number)
    for terminal in (*month.of_kind("validator"), *month.of_kind("kiosk")):
        _send(month, terminal, evening)
    _deposit(month, number)
    if number % 9 == 5:  # noqa: PLR2004 - three times a month somebody at finance takes a fare back
        entry_id = month.rides_taken[-1]
        month.desk.act("/v1/finance/reversals", FINANCE, entry_id=str(entry_id), reason="The bus broke down on the way")


def _holders_out(month: Month, number: int, shift_id: UUID, at: datetime) -> None:
    """The holders of the demo cards bring cash on one day, and take the bus on every fourth day after it."""
    counter, validator = month.of_kind("counter")[0], month.of_kind("validator")[0]
    for n, holder in enumerate(month.holders):
        if number == HOLDERS_DAY:
            _take_cash(month, counter, holder, HOLDER_CENTS, shift_id, at + timedelta(minutes=n))
        elif number > HOLDERS_DAY and number % 4 == 0:
            validator.tap(_fare(month, validator), holder, at + timedelta(minutes=45, seconds=20 * n))


def _open_shift(month: Month, counter: SoftTerminal, at: datetime) -> UUID:
    _, staff_id = month.desk.office.sign_in(CASHIER)
    return _staffed(month, counter, ShiftOpened(staff_id, FLOAT_CENTS, "PHP"), at)


def _close_shift(month: Month, counter: SoftTerminal, shift_id: UUID, at: datetime, number: int) -> None:
    _, staff_id = month.desk.office.sign_in(CASHIER)
    expected = month.drawers.pop(counter.name, 0) + FLOAT_CENTS
    short = _SHORT_BY if number == 17 and counter is month.of_kind("counter")[1] else 0  # noqa: PLR2004
    _staffed(month, counter, ShiftClosed(staff_id, shift_id, expected - short, "PHP"), at)
    _send(month, counter, at)


def _staffed(month: Month, terminal: SoftTerminal, body: Body, at: datetime) -> UUID:
    record = terminal.record(body, at)
    signature = Authorisation(Purpose.STAFF, month.desk.sign(CASHIER, record.encode()))
    return terminal.keep(record, [signature])


def _top_up(month: Month, counter: SoftTerminal, shift_id: UUID, morning: datetime) -> None:
    count = TOP_UPS_A_COUNTER * month.scale
    for n in range(count):
        card = month.chance.choice(month.cards)
        at = morning + timedelta(minutes=5 + n * 500 // count, seconds=n % 60)
        _take_cash(month, counter, card, month.chance.choice(_AMOUNTS), shift_id, at)
        month.loaded.append(card)


def _take_cash(month: Month, counter: SoftTerminal, card: Card, cents: int, shift_id: UUID, at: datetime) -> None:
    counter.tap(CashTopUp(cents, "PHP", shift_id), card, at)
    month.drawers[counter.name] += cents


def _ride(month: Month, validator: SoftTerminal, morning: datetime) -> None:
    """Riders mostly have money; a few ride on and owe it, as the policy allows."""
    count = TAPS_A_VALIDATOR * month.scale
    for n in range(count):
        card = month.chance.choice(month.loaded if month.chance.random() < 0.95 else month.cards)  # noqa: PLR2004
        at = morning + timedelta(seconds=60 + n * 34_000 // count)
        validator.tap(_fare(month, validator), card, at)


def _fare(month: Month, validator: SoftTerminal) -> Tap:
    ride = month.rides[validator.name]
    return Tap(ride.network_id, ride.stop_id, "flat", ride.fare_cents, "PHP", ride.tariff_version, 1)


def _visit(month: Month, kiosk: SoftTerminal, morning: datetime) -> None:
    """Claims and bills; now and then the same claim twice, a wrong amount, or a bill the wallet cannot pay."""
    at = morning
    for card, entitlement_id, cents in _take(month.claims, len(month.claims) // 12 + 2):
        at += timedelta(seconds=90)
        kiosk.agree(Claim(entitlement_id, cents, "PHP"), card, at)
        month.loaded.append(card)
        if month.chance.random() < 0.04:  # noqa: PLR2004
            kiosk.agree(Claim(entitlement_id, cents, "PHP"), card, at + timedelta(seconds=30))
        if month.chance.random() < 0.02:  # noqa: PLR2004
            kiosk.agree(Claim(entitlement_id, cents + 100_00, "PHP"), card, at + timedelta(seconds=45))
    for card, bill_id, cents in _take(month.bills, 6 * month.scale):
        at += timedelta(seconds=90)
        kiosk.agree(TaxPayment(bill_id, cents, "PHP"), card, at)


def _take(waiting: list[Any], count: int) -> list[Any]:
    taken, waiting[:] = waiting[:count], waiting[count:]
    return taken


def _send(month: Month, terminal: SoftTerminal, at: datetime) -> None:
    waiting = terminal.waiting
    while waiting:
        terminal.waiting, waiting = waiting[:_BATCH], waiting[_BATCH:]
        for result in month.desk.send(terminal.batch(at)):
            month.outcomes[result["reason"] or "accepted"] += 1
            if terminal.kind == "validator" and result["outcome"] == "accepted":
                month.rides_taken.append(UUID(result["record_id"]))


def _deposit(month: Month, number: int) -> None:
    """The day's cash goes to the bank, but for the floats of tomorrow."""
    lines = month.desk.office.call("GET", "/v1/finance/trial-balance", FINANCE)["lines"]
    vault = next((line["debit_cents"] for line in lines if line["code"] == "cash:vault"), 0)
    cents = vault - 4 * FLOAT_CENTS
    if cents <= 0:
        return
    reference = f"DEP-{number:04d}"
    month.desk.act("/v1/finance/deposits", FINANCE, amount_cents=cents, currency="PHP", reference=reference)
    month.account.waiting.append(bank.BankLine(month.desk.today(), cents, reference, f"Cash deposit {reference}"))


def send_statement(month: Month, days: int) -> dict[str, Any]:
    """The bank's statement of the last days, imported by finance. One line of the month nobody can explain yet."""
    account, today = month.account, month.desk.today()
    account.statements += 1
    lines = list(account.waiting)
    if account.statements == 2:  # noqa: PLR2004
        lines.append(bank.BankLine(today, 1_250_00, None, "OVER THE COUNTER DEP NO REF"))
    account.waiting.clear()
    first = today - timedelta(days=days - 1)
    data = bank.statement(
        account.statements, account.opening_cents, lines, first=first, last=today, made_at=month.desk.clock.now()
    )
    account.opening_cents += sum(line.amount_cents for line in lines)
    imported: list[dict[str, Any]] = month.desk.office.call(
        "POST", "/v1/finance/statements", FINANCE, data=data, content_type="application/xml"
    )
    return imported[0]
