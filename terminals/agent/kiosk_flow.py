"""A kiosk's way from screen to screen: what the card does, what the person answers. No web in here.

One person at a time: there is one present screen. Whoever takes the card out ends everything that was on its way.
"""

import base64
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final, TypeVar
from uuid import UUID

from crypto.errors import CryptoError
from crypto.wire.receipt import peek_receipt
from terminals.agent.kiosk_screens import (
    AskPin,
    Balance,
    Choose,
    Confirm,
    Done,
    Failed,
    Idle,
    Item,
    Removed,
    Screen,
    Wait,
)
from terminals.card import CardError, LastPinTry, PinBlocked, PinFormat, PinRejected, PivSession, TransportError
from terminals.client import BillView, ClientError, DueView, ServiceUnreachable
from terminals.kiosk import Kiosk, Outcome, Seen
from terminals.outbox import OutboxError, State
from terminals.station import Station, StationError, wipe

_T = TypeVar("_T")
ITEMS_A_PAGE: Final = 4
CLAIM: Final = "claim"
PAY: Final = "pay"
_CALM: Final = (Idle, Done, Failed, Removed)  # nothing is on its way: taking the card out is right
_FAILURES: Final = (CardError, ClientError, OutboxError, StationError, CryptoError)

WithCard = Callable[[Callable[[PivSession], _T]], _T]


@dataclass(frozen=True, slots=True)
class Chosen:
    deed: str
    what: DueView | BillView
    title: str
    detail: str


class KioskFlow:
    """`show` is told each new screen; `translate` gives the few words of this file in the reader's language."""

    def __init__(self, station: Station, show: Callable[[Screen], None], translate: Callable[[str], str] = str) -> None:
        self._station = station
        self._kiosk = Kiosk(station)
        self._show = show
        self._say = translate
        self._lock = threading.RLock()
        self._screen: Screen = Idle()
        self._seen: Seen | None = None
        self._chosen: Chosen | None = None

    @property
    def screen(self) -> Screen:
        with self._lock:
            return self._screen

    # --- what happens at the reader; on the reader's thread ---

    def card_inserted(self, session: PivSession) -> None:
        """Look at once: the balance needs no PIN."""
        self._go(Wait())
        try:
            seen = self._kiosk.look(session)
        except _FAILURES as error:
            self._fail(error)
            return
        with self._lock:
            self._seen, self._chosen = seen, None
        self._go(self._balance(seen))

    def card_removed(self) -> None:
        with self._lock:
            calm = isinstance(self._screen, _CALM)
            self._seen = self._chosen = None
        self._go(Idle() if calm else Removed())

    def reader_failed(self) -> None:
        with self._lock:
            self._seen = self._chosen = None
        self._go(Idle(reader_ready=False))

    # --- what the person answers ---

    def claims(self) -> None:
        self._choose(CLAIM, 1)

    def bills(self) -> None:
        self._choose(PAY, 1)

    def page(self, number: int) -> None:
        """More of the list that is shown."""
        screen = self.screen
        if isinstance(screen, Choose):
            self._choose(screen.deed, number)

    def choose(self, item_id: UUID) -> None:
        screen, seen = self.screen, self._seen
        if seen is None or not isinstance(screen, Choose):
            return
        for chosen in self._choices(seen, screen.deed):
            if _id(chosen.what) == item_id:
                self._chosen = chosen
                after = seen.look.balance_cents + (1 if chosen.deed == CLAIM else -1) * chosen.what.amount_cents
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
        asked = self.screen
        self._go(Wait())
        try:
            outcome = with_card(lambda session: self._sign(session, seen, chosen, pin))
        except (PinRejected, PinFormat, LastPinTry) as error:
            self._go(self._ask_pin(chosen, _tries_left(error, asked)))
        except TransportError:
            # Nothing was stored, or `sign` would have returned: putting the card back starts again.
            self._go(Removed())
        except _FAILURES as error:
            self._fail(error)
        else:
            self._finished(seen, chosen, outcome)
        finally:
            wipe(pin)

    def back(self) -> None:
        """One screen back; from a result to the balance as it was seen, read again when the card is still there."""
        chosen, seen = self._chosen, self._seen
        if seen is None:
            self._go(Idle())
        elif isinstance(self.screen, Confirm) and chosen:
            self._choose(chosen.deed, 1)
        else:
            self._chosen = None
            self._go(self._balance(seen))

    def finish(self) -> None:
        with self._lock:
            self._seen = self._chosen = None
        self._go(Idle())

    # --- below ---

    def _sign(self, session: PivSession, seen: Seen, chosen: Chosen, pin: bytearray) -> Outcome:
        if isinstance(chosen.what, DueView):
            return self._kiosk.claim(session, seen.card_id, chosen.what, pin)
        return self._kiosk.pay(session, seen.card_id, chosen.what, pin)

    def _go(self, screen: Screen) -> None:
        with self._lock:
            self._screen = screen
        self._show(screen)

    def _choose(self, deed: str, page: int) -> None:
        seen = self._seen
        if seen is None:
            return
        choices = self._choices(seen, deed)
        start = max(page - 1, 0) * ITEMS_A_PAGE
        shown = choices[start : start + ITEMS_A_PAGE]
        items = tuple(Item(_id(item.what), item.title, item.detail, item.what.amount_cents) for item in shown)
        more = start + ITEMS_A_PAGE < len(choices)
        self._go(Choose(deed, items, page + 1 if more else None))

    def _choices(self, seen: Seen, deed: str) -> list[Chosen]:
        if deed == CLAIM:
            return [
                Chosen(CLAIM, due, due.programme, f"{due.cycle} · {self._say('until')} {_day(due.claim_until)}")
                for due in seen.look.entitlements
            ]
        return [
            Chosen(PAY, bill, f"{self._say('Property tax')} {bill.year}", f"{bill.number} · {bill.tdn}")
            for bill in seen.look.bills
        ]

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
        )

    def _ask_pin(self, chosen: Chosen, tries_left: int | None) -> AskPin:
        return AskPin(chosen.deed, chosen.title, chosen.what.amount_cents, tries_left)

    def _finished(self, seen: Seen, chosen: Chosen, outcome: Outcome) -> None:
        if outcome.state is State.REJECTED:
            self._go(Failed(self._say("It was refused"), outcome.detail or "", can_retry=False))
        elif outcome.state is State.WAITING:
            detail = self._say("It is kept, and will be confirmed when the city's service answers. Do not do it again.")
            self._go(Failed(self._say("Not confirmed yet"), detail, can_retry=False))
        else:
            number, text = _receipt(outcome)
            self._go(Done(chosen.deed, chosen.title, outcome.amount_cents, None, number, text))

    def _fail(self, error: Exception) -> None:
        titles = {
            PinBlocked: self._say("The PIN is blocked"),
            ServiceUnreachable: self._say("There is no connection"),
        }
        title = titles.get(type(error), self._say("This did not work"))
        self._go(Failed(title, str(error), can_retry=isinstance(error, TransportError)))


def _id(what: DueView | BillView) -> UUID:
    return what.entitlement_id if isinstance(what, DueView) else what.bill_id


def _day(text: str) -> str:
    return date.fromisoformat(text).strftime("%d %b %Y")


def _tries_left(error: PinRejected | PinFormat | LastPinTry, asked: AskPin) -> int | None:
    if isinstance(error, PinRejected):
        return error.attempts_left
    return 1 if isinstance(error, LastPinTry) else asked.tries_left


def _receipt(outcome: Outcome) -> tuple[str, str]:
    """The official number, and what the QR code holds; empty while there is no receipt."""
    if outcome.receipt is None:
        return "", ""
    text = base64.urlsafe_b64encode(outcome.receipt).rstrip(b"=").decode()
    return peek_receipt(outcome.receipt).official_number or "", text
