"""What a counter remembers between two pages: who is signed in, whom it is about, the card that was just made."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID

from terminals.agent.events import EventLog
from terminals.card import PivSession
from terminals.client import CardView, ClientError, FeeView, PersonView, ResidentView, StaffClient
from terminals.counter import (
    HolderCard,
    HolderDesk,
    MadeCard,
    NothingDue,
    NotMade,
    Personalisation,
    Step,
    Till,
    VerifiedCard,
    verify_card,
)
from terminals.outbox import Stored
from terminals.station import Station

_ISSUERS: Final = frozenset({"clerk", "card_officer"})
_BINDERS: Final = frozenset({"admin", "card_officer"})
_HELD: Final = frozenset({"active", "suspended"})
_ORDERED: Final = frozenset({"requested", "approved", "personalising", "ready"})
_ENDED: Final = frozenset({"revoked", "expired", "destroyed"})


class Deed(StrEnum):
    """The one next thing to do for a card."""

    REQUEST = "request"
    APPROVE = "approve"
    MAKE = "make"
    PIN = "pin"


@dataclass(frozen=True, slots=True)
class Case:
    """A resident and the newest card that has not ended; `deed` is None when somebody else, or nobody, is to act. `fee`
    is what the card asks for while it is on order.
    """

    resident: ResidentView
    card: CardView | None
    deed: Deed | None
    fee: FeeView | None = None

    @property
    def unpaid(self) -> bool:
        """Whether a price is still to be paid before the card is handed over."""
        return self.fee is not None and self.fee.is_due

    @property
    def held(self) -> bool:
        """Whether the card is in the holder's hands, so that another can take its place."""
        return self.card is not None and self.card.state in _HELD


class NotSignedIn(Exception):
    """Nobody is signed in at this counter."""

    code = "not_signed_in"

    def __init__(self) -> None:
        super().__init__("Sign in at this counter first.")


class NobodyFound(Exception):
    code = "resident_not_found"

    def __init__(self, number: str) -> None:
        super().__init__(f"No resident has the number {number}; look for the name.")


class NobodyWorksHere(Exception):
    code = "no_such_staff"

    def __init__(self, username: str) -> None:
        super().__init__(f"Nobody called {username} works here.")


class CounterFlow:
    """A `Listener` of the reader; one member of staff at a time."""

    def __init__(self, station: Station, events: EventLog, random_bytes: Callable[[int], bytes]) -> None:
        self.station = station
        self.till = Till(station)
        self.desk = HolderDesk(station)
        self._events = events
        self._random_bytes = random_bytes
        self._staff: StaffClient | None = None
        self._by_card = False
        self._made: MadeCard | None = None
        self._made_for = ""
        self.verified: VerifiedCard | None = None
        self.person: PersonView | None = None
        self.helped: HolderCard | None = None
        self.identified = ""
        self.steps: dict[Step, str] = {}

    # --- the reader ---

    def card_inserted(self, connect: Callable[[], PivSession]) -> None:  # noqa: ARG002 - nothing is read unasked here
        self._events.status("A card is in the reader.")

    def card_removed(self) -> None:
        self.forget()
        self._events.status("The card was taken out.")

    def reader_ready(self) -> None:
        self._events.status("The card reader answers again.")

    def reader_failed(self, reason: str) -> None:
        self._events.status(reason, wrong=True)

    # --- staff ---

    @property
    def staff(self) -> StaffClient:
        """Raises: NotSignedIn."""
        if self._staff is None:
            raise NotSignedIn
        return self._staff

    @property
    def signed_in(self) -> bool:
        return self._staff is not None

    def sign_in(self, username: str, password: str) -> None:
        """Raises: ServiceRefused, ServiceUnreachable."""
        self._staff = self.station.client.sign_in(username, password)
        self._by_card = False

    def sign_in_with_card(self, binding: bytes, token: str) -> None:
        """Raises: ServiceRefused, ServiceUnreachable."""
        self._staff = self.station.client.sign_in_with_card(binding, token)
        self._by_card = True

    def staff_challenge(self, username: str) -> tuple[UUID, bytes, bytes]:
        """Whose card it is to be, a nonce for it to sign, and the binding. Raises: NobodyWorksHere."""
        staff_id = self.staff.staff_id_of(username)
        if staff_id is None:
            raise NobodyWorksHere(username)
        return staff_id, *self.staff.staff_card_challenge(staff_id)

    def lock(self) -> bool:
        """The staff card was taken out: whoever signed in with it is signed out. Whether anybody was."""
        if self._staff is None or not self._by_card:
            return False
        with suppress(ClientError):  # forgotten here all the same; the service forgets by itself
            self.sign_out()
        return True

    def sign_out(self) -> None:
        """Forget the person here first; the service may not hear of it."""
        staff, self._staff, self._made = self._staff, None, None
        self.forget()
        if staff:
            staff.sign_out()

    @property
    def may_issue(self) -> bool:
        return bool(_ISSUERS & set(self.staff.session.roles))

    @property
    def may_bind(self) -> bool:
        return bool(_BINDERS & set(self.staff.session.roles))

    @property
    def may_take_cash(self) -> bool:
        return "cashier" in self.staff.session.roles

    # --- a card from order to hand-over ---

    def case(self, number: str) -> Case:
        """Raises: NobodyFound."""
        found = [one for one in self.staff.find_residents(number) if one.number == number]
        if not found:
            raise NobodyFound(number)
        cards = [card for card in self.staff.cards_of(found[0].resident_id) if card.state not in _ENDED]
        card = cards[0] if cards else None
        fee = self.staff.card_fee(card.card_id) if card and card.state in _ORDERED else None
        return Case(found[0], card, self._next(card, fee), fee)

    def request(self, case: Case) -> None:
        self.staff.request_card(case.resident.resident_id)

    def approve(self, case: Case) -> None:
        if case.card:
            self.staff.approve_card(case.card.card_id)

    def approve_as(self, case: Case, username: str, password: str) -> None:
        """A second person approves and leaves; whoever is signed in here stays. Raises: ServiceRefused."""
        if case.card is None:
            return
        second = self.station.client.sign_in(username, password)
        try:
            second.approve_card(case.card.card_id)
        finally:
            with suppress(ClientError):
                second.sign_out()

    def last_day(self, case: Case) -> date | None:
        """The card's last day."""
        return date.fromisoformat(case.card.expires_on) if case.card and case.card.expires_on else None

    def make(self, case: Case, session: PivSession) -> None:
        """Make the card in the reader; each step is told as an event."""
        if case.card is None:
            raise NotMade
        self.steps = {}
        self._made = self._work(case.card.card_id).make(session)
        self._made_for = case.resident.number
        self._tell(None)

    @property
    def made_for(self) -> str:
        """The number of the resident whose card was just made."""
        return self._made_for

    def failed(self) -> None:
        """The step that was going on did not come to its end."""
        for step, state in self.steps.items():
            if state == "now":
                self.steps[step] = "failed"
                self._events.step(step.value, "failed")

    def take_price(self, case: Case, password: str) -> Stored:
        """The price of the card on order, in cash. Raises: as `Till.take_price`."""
        if case.fee is None:
            raise NothingDue("not on order")
        return self.till.take_price(self.staff, password, case.fee)

    def hand_over(self, session: PivSession, pin: bytearray, again: bytearray) -> None:
        """Raises: NotMade, and as `Personalisation.hand_over`."""
        if self._made is None:
            raise NotMade
        self._work(self._made.card_id).hand_over(session, self._made, pin, again)
        self._made = None

    def verify(self, session: PivSession) -> VerifiedCard:
        self.forget()
        self.verified = verify_card(session, self.station, self._staff)
        with suppress(ClientError):  # the card was verified all the same; only whose it is, is not known
            self.person = self._view(self.verified.card_id, "verifying a card")
        return self.verified

    # --- help with the PIN ---

    def look(self, session: PivSession) -> HolderCard:
        """Which card is to be helped with. Raises: as `HolderDesk.look`."""
        self.forget()
        self.helped = self.desk.look(session)
        return self.helped

    def show_holder(self) -> PersonView | None:
        """Whose card it is, on the record: before a new PIN the clerk compares the person with this."""
        if self.helped and self.person is None:
            self.person = self._view(self.helped.card_id, "new PIN at the counter")
        return self.person

    def forget(self) -> None:
        """The card of the last page left: nobody is shown, nobody was identified."""
        self.verified = self.person = self.helped = None
        self.identified = ""

    def _view(self, card_id: UUID, purpose: str) -> PersonView | None:
        if not self.may_issue:
            return None
        return self.staff.view(self.staff.card(card_id).resident_id, purpose, card_id=card_id)

    def _next(self, card: CardView | None, fee: FeeView | None) -> Deed | None:
        if card is None:
            return Deed.REQUEST
        if card.state == "requested":
            return Deed.APPROVE if "card_officer" in self.staff.session.roles else None
        if card.state == "ready" and self._made and self._made.card_id == card.card_id:
            return None if fee and fee.is_due else Deed.PIN
        return Deed.MAKE if card.state in ("approved", "personalising", "ready") else None

    def _work(self, card_id: UUID) -> Personalisation:
        return Personalisation(
            self.staff, card_id, self.station.identity, random_bytes=self._random_bytes, watch=self._tell
        )

    def _tell(self, begun: Step | None) -> None:
        """A step begins, so the one before is done; None: all that were begun are."""
        for step in self.steps:
            self.steps[step] = "done"
            self._events.step(step.value, "done")
        if begun is not None:
            self.steps[begun] = "now"
            self._events.step(begun.value, "now")
