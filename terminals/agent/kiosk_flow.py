"""A kiosk's way from screen to screen: what the card does, what the person answers. No web in here.

One person at a time: there is one present screen. Whoever takes the card out ends everything that was on its way.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from crypto.errors import CryptoError
from crypto.wire.receipt import peek_receipt
from terminals.agent import receipt_code
from terminals.agent.kiosk_screens import (
    AskPin,
    Balance,
    Choose,
    Confirm,
    Done,
    Failed,
    Idle,
    Item,
    Mandate,
    Purse,
    Removed,
    Screen,
    Wait,
)
from terminals.card import CardError, LastPinTry, PinBlocked, PinFormat, PinRejected, PivSession, TransportError
from terminals.client import BillView, ClientError, DueView, Look, PassView, PurseView, ServiceUnreachable
from terminals.kiosk import Kiosk, Outcome, Seen
from terminals.outbox import OutboxError, State
from terminals.station import Station, StationError, wipe

ITEMS_A_PAGE: Final = 3
CLAIM: Final = "claim"
PAY: Final = "pay"
BUY: Final = "buy"
_PAYS: Final = {PAY: frozenset({"tax", "any"}), BUY: frozenset({"transit", "any"})}
"""Purposes of purses that may pay a part of it."""
_CALM: Final = (Idle, Done, Failed, Removed)  # nothing is on its way: taking the card out is right
_FAILURES: Final = (CardError, ClientError, OutboxError, StationError, CryptoError)


@dataclass(frozen=True, slots=True)
class Chosen:
    deed: str
    what: DueView | BillView | PassView
    title: str
    detail: str


class KioskFlow:
    """A `Listener` of the reader. `show` is told each new screen. Sentences are English; pages translate them."""

    def __init__(self, station: Station, show: Callable[[Screen], None]) -> None:
        self._station = station
        self._kiosk = Kiosk(station)
        self._show = show
        self._offline = False
        self._reader_ready = True
        self._lock = threading.RLock()
        self._screen: Screen = Idle()
        self._seen: Seen | None = None
        self._chosen: Chosen | None = None

    @property
    def screen(self) -> Screen:
        with self._lock:
            return self._screen

    # --- what happens at the reader; on the reader's thread ---

    def card_inserted(self, connect: Callable[[], PivSession]) -> None:
        """Look at once: the balance needs no PIN."""
        self._go(Wait())
        try:
            with connect() as session:
                self._look(session)
        except _FAILURES as error:
            self._fail(error)

    def card_removed(self) -> None:
        screen = self.screen
        with self._lock:
            self._seen = self._chosen = None
        if not isinstance(screen, Removed):
            self._go(self._idle() if isinstance(screen, _CALM) else Removed())

    def reader_ready(self) -> None:
        self._reader_ready = True
        self._renew_idle()

    def reader_failed(self, _reason: str) -> None:
        self._reader_ready = False
        self.finish()

    def network(self, *, offline: bool) -> None:
        """Told by the courier when the service was reached, or was not."""
        if offline != self._offline:
            self._offline = offline
            self._renew_idle()

    # --- what the person answers ---

    def claims(self) -> None:
        self._choose(CLAIM, 1)

    def bills(self) -> None:
        self._choose(PAY, 1)

    def passes(self) -> None:
        self._choose(BUY, 1)

    def page(self, number: int) -> None:
        """More of the list that is shown."""
        screen = self.screen
        if isinstance(screen, Choose):
            self._choose(screen.deed, number)

    def choose(self, item_id: str) -> None:
        screen, seen = self.screen, self._seen
        if seen is None or not isinstance(screen, Choose):
            return
        for chosen in _choices(seen, screen.deed):
            if _id(chosen.what) == item_id:
                self._chosen = chosen
                after = _after(seen.look, chosen)
                self._go(Confirm(chosen.deed, chosen.title, chosen.detail, chosen.what.amount_cents, after))

    def confirm(self) -> None:
        if self._chosen and isinstance(self.screen, Confirm):
            self._go(self._ask_pin(self._chosen, None))

    def sign(self, pin: bytearray, with_card: Callable[[Callable[[PivSession], Outcome]], Outcome]) -> None:
        """The PIN was entered. `pin` is wiped. If the network fails now, the record is kept and says so."""
        chosen, seen = self._chosen, self._seen
        if chosen is None or seen is None or not isinstance(self.screen, AskPin):
            wipe(pin)
            return
        asked, waiting = self.screen, Wait()
        self._go(waiting)
        try:
            outcome = with_card(lambda session: self._sign(session, seen, chosen, pin))
        except (PinRejected, PinFormat, LastPinTry) as error:
            self._go(self._ask_pin(chosen, _tries_left(error, asked)))
        except TransportError:
            self._torn(waiting)
        except _FAILURES as error:
            self._fail(error)
        else:
            self._finished(chosen, outcome)
        finally:
            wipe(pin)

    def back(self, with_card: Callable[[Callable[[PivSession], None]], None]) -> None:
        """One screen back. From a result to the balance, which is read again: it may have changed."""
        chosen, screen = self._chosen, self.screen
        if isinstance(screen, Confirm) and chosen:
            self._choose(chosen.deed, 1)
        elif isinstance(screen, Choose) and self._seen:
            self._go(self._balance(self._seen))
        else:
            self._go(Wait())
            try:
                with_card(self._look)
            except TransportError:
                self.finish()
            except _FAILURES as error:
                self._fail(error)

    def finish(self) -> None:
        with self._lock:
            self._seen = self._chosen = None
        self._go(self._idle())

    # --- below ---

    def _look(self, session: PivSession) -> None:
        seen = self._kiosk.look(session)
        with self._lock:
            self._seen, self._chosen = seen, None
        self._go(self._balance(seen))

    def _idle(self) -> Idle:
        return Idle(self._reader_ready, self._offline)

    def _renew_idle(self) -> None:
        if isinstance(self.screen, Idle):
            self._go(self._idle())

    def _torn(self, waiting: Screen) -> None:
        """Nothing was stored, or `sign` would have returned: putting the card back starts again.

        If that was done already, the reader's thread has gone on to the next screen.
        """
        if self.screen is waiting:
            self._go(Removed())

    def _sign(self, session: PivSession, seen: Seen, chosen: Chosen, pin: bytearray) -> Outcome:
        if isinstance(chosen.what, DueView):
            return self._kiosk.claim(session, seen.card_id, chosen.what, pin)
        if isinstance(chosen.what, PassView):
            return self._kiosk.buy(session, seen.card_id, chosen.what, pin)
        return self._kiosk.pay(session, seen.card_id, chosen.what, pin)

    def _go(self, screen: Screen) -> None:
        with self._lock:
            self._screen = screen
        self._show(screen)

    def _choose(self, deed: str, page: int) -> None:
        seen = self._seen
        if seen is None:
            return
        choices = _choices(seen, deed)
        start = max(page - 1, 0) * ITEMS_A_PAGE
        shown = choices[start : start + ITEMS_A_PAGE]
        items = tuple(Item(_id(item.what), item.title, item.detail, item.what.amount_cents) for item in shown)
        more = start + ITEMS_A_PAGE < len(choices)
        self._go(Choose(deed, items, page + 1 if more else None))

    def _balance(self, seen: Seen) -> Balance:
        look = seen.look
        return Balance(
            initials=look.initials,
            balance_cents=look.balance_cents,
            owed_cents=look.owed_cents,
            as_of=datetime.fromtimestamp(self._station.now_ms() / 1000, UTC),
            due_count=len(look.entitlements),
            due_cents=sum(due.amount_cents for due in look.entitlements),
            bill_count=len(look.bills),
            pass_count=len(look.passes),
            held_cents=look.held_cents,
            purses=tuple(_purse(purse) for purse in look.purses),
            reference=look.top_up_reference,
            mandates=tuple(
                Mandate(one.source, one.threshold_cents, one.amount_cents, one.day_max) for one in look.top_up_mandates
            ),
        )

    def _ask_pin(self, chosen: Chosen, tries_left: int | None) -> AskPin:
        return AskPin(chosen.deed, chosen.title, chosen.what.amount_cents, tries_left)

    def _finished(self, chosen: Chosen, outcome: Outcome) -> None:
        if outcome.state is State.REJECTED:
            self._go(Failed("It was refused", outcome.detail or "", can_retry=False))
        elif outcome.state is State.WAITING:
            detail = "It is kept, and will be confirmed when the city's service answers. Do not do it again."
            self._go(Failed("Not confirmed yet", detail, can_retry=False))
        else:
            number, text = _receipt(outcome, self._station.settings.service_url)
            self._go(Done(chosen.deed, chosen.title, outcome.amount_cents, None, number, text))

    def _fail(self, error: Exception) -> None:
        titles = {
            PinBlocked: "The PIN is blocked",
            ServiceUnreachable: "There is no connection",
        }
        title = titles.get(type(error), "This did not work")
        self._go(Failed(title, str(error), can_retry=isinstance(error, TransportError)))


def _after(look: Look, chosen: Chosen) -> int | None:
    """The balance once it is done; None where purses may pay a part, which the service decides."""
    if chosen.deed == CLAIM:
        return look.balance_cents + chosen.what.amount_cents
    if any(purse.purpose in _PAYS[chosen.deed] for purse in look.purses):
        return None
    return look.balance_cents - chosen.what.amount_cents


def _purse(purse: PurseView) -> Purse:
    until = None if purse.use_by is None else datetime.fromisoformat(purse.use_by) - timedelta(milliseconds=1)
    return Purse(purse.purpose, purse.balance_cents, until)


def _choices(seen: Seen, deed: str) -> list[Chosen]:
    if deed == CLAIM:
        return [
            Chosen(CLAIM, due, due.programme, f"{due.cycle} · {_day(due.claim_until)}")
            for due in seen.look.entitlements
        ]
    if deed == BUY:
        return [Chosen(BUY, offer, offer.name, _days(offer)) for offer in seen.look.passes]
    return [
        Chosen(PAY, bill, f"{bill.tdn} · {bill.year}", f"{bill.number} · {_day(bill.due_on)}")
        for bill in seen.look.bills
    ]


def _id(what: DueView | BillView | PassView) -> str:
    if isinstance(what, PassView):
        return what.pass_id
    return str(what.entitlement_id if isinstance(what, DueView) else what.bill_id)


def _days(offer: PassView) -> str:
    """Its first day and its last, where it has one."""
    begins = date.fromisoformat(offer.begins)
    last = "" if offer.days is None else (begins + timedelta(days=offer.days - 1)).isoformat()
    return f"{_day(offer.begins)} - {_day(last)}" if last else _day(offer.begins)


def _day(text: str) -> str:
    return date.fromisoformat(text).strftime("%d %b %Y")


def _tries_left(error: PinRejected | PinFormat | LastPinTry, asked: AskPin) -> int | None:
    if isinstance(error, PinRejected):
        return error.attempts_left
    return 1 if isinstance(error, LastPinTry) else asked.tries_left


def _receipt(outcome: Outcome, service_url: str) -> tuple[str, str]:
    """The official number, and what the QR code holds; empty while there is no receipt."""
    if outcome.receipt is None:
        return "", ""
    text = receipt_code.text(outcome.receipt, service_url)
    return peek_receipt(outcome.receipt).official_number or "", text
