"""Cash at the counter: a shift that a cashier opens and closes; loads, and prices of cards, in between."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from crypto.wire.body import Body
from crypto.wire.finance import CardPaid, ShiftClosed, ShiftOpened
from crypto.wire.transaction import Authorisation, Purpose
from crypto.wire.wallets import CashTopUp
from terminals.card import PivSession
from terminals.client import FeeView, StaffClient
from terminals.counter.errors import NoOpenShift, NothingDue, ShiftStillOpen, WrongAmount
from terminals.outbox import State, Stored
from terminals.station import CityCard, Station, presence, read_card

CURRENCY: Final = "PHP"
_CENTS: Final = 100
_PESOS: Final = re.compile(r"(?P<whole>[0-9]{1,9}|[0-9]{1,3}(?:,[0-9]{3}){1,2})(?:\.(?P<cents>[0-9]{2}))?", re.ASCII)


def read_pesos(text: str) -> int:
    """Centavos of an amount as people write it: 1,234.50. Raises: WrongAmount."""
    found = _PESOS.fullmatch(text.strip())
    if found is None:
        raise WrongAmount
    return int(found["whole"].replace(",", "")) * _CENTS + int(found["cents"] or 0)


@dataclass(frozen=True, slots=True)
class Shift:
    """An open shift. `shift_id` is the id of the record that opened it; `confirmed` once the service accepted it.

    `loads_cents` and `cards_cents` are what was taken for wallets and for cards, and not refused.
    """

    shift_id: UUID
    staff_id: UUID
    float_cents: int
    loads_cents: int
    cards_cents: int
    opened_at_ms: int
    confirmed: bool

    @property
    def expected_cents(self) -> int:
        """What the drawer should hold."""
        return self.float_cents + self.loads_cents + self.cards_cents


@dataclass(frozen=True, slots=True)
class Taken:
    """Cash of one shift for one card: its price, and what was loaded with it. Each has a record of its own."""

    price_cents: int
    load_cents: int

    @property
    def total_cents(self) -> int:
        return self.price_cents + self.load_cents


@dataclass(frozen=True, slots=True)
class TopUp:
    """`stored.state` says whether the service has answered: waiting means kept, it will be confirmed."""

    card: CityCard
    amount_cents: int
    stored: Stored


class Till:
    """The drawer of one counter. Which shift is open follows from the outbox, so a restart forgets nothing."""

    def __init__(self, station: Station) -> None:
        self._station = station

    def shift(self) -> Shift | None:
        """The open shift; None when none is."""
        opened = self._station.outbox.latest(ShiftOpened.KIND)
        if opened is None or opened.state is State.REJECTED:
            return None
        closed = self._station.outbox.latest(ShiftClosed.KIND)
        if closed and closed.sequence > opened.sequence and closed.state is not State.REJECTED:
            return None
        content = ShiftOpened.decode(opened.record)
        return Shift(
            shift_id=opened.record_id,
            staff_id=content.staff_id,
            float_cents=content.float_cents,
            loads_cents=sum(load.amount_cents for _, load in self._loads(opened.sequence)),
            cards_cents=sum(paid.amount_cents for paid in self._paid(opened.sequence)),
            opened_at_ms=opened.record.at_ms,
            confirmed=opened.state is State.ACCEPTED,
        )

    def open_shift(self, staff: StaffClient, password: str, float_cents: int) -> Stored:
        """Start with `float_cents` in the drawer, under the cashier's signature. Needs the network for that.

        Raises: ShiftStillOpen, WrongAmount, ServiceUnreachable, ServiceRefused.
        """
        if self.shift():
            raise ShiftStillOpen
        if float_cents < 0:
            raise WrongAmount
        return self._signed(staff, password, ShiftOpened(staff.session.staff_id, float_cents, CURRENCY))

    def close_shift(self, staff: StaffClient, password: str, counted_cents: int) -> Stored:
        """End the shift with what was counted in the drawer. Raises: NoOpenShift, and as `open_shift`."""
        shift = self._open()
        if counted_cents < 0:
            raise WrongAmount
        content = ShiftClosed(staff.session.staff_id, shift.shift_id, counted_cents, CURRENCY)
        return self._signed(staff, password, content)

    def top_up(self, session: PivSession, amount_cents: int) -> TopUp:
        """Take cash for the wallet of the card in the reader: 9E signs that it was here.

        If we stop after the record is stored, it is uploaded later: the cashier sees it as kept, and takes no second
        one for this card until it is answered.

        Raises: NoOpenShift, WrongAmount, IntentPending, ForeignCard, CardDenied, or a CardError.
        """
        shift = self._open()
        if amount_cents <= 0:
            raise WrongAmount
        policy = self._station.fresh_policy()
        session.select()
        card = read_card(session, policy, self._station.now_ms())
        self._station.check_not_denied(card)
        stored = self._station.outbox.append(
            CashTopUp(amount_cents, CURRENCY, shift.shift_id),
            at_ms=self._station.now_ms(),
            authorise=presence(session, card),
            intent=f"top-up:{card.card_id}",
            subject=card.card_id,
        )
        return TopUp(card, amount_cents, self._station.settle(stored))

    def take_price(self, staff: StaffClient, password: str, fee: FeeView) -> Stored:
        """Take the price of a card in cash, under the cashier's signature. Needs the network for that.

        If we stop after the record is stored, it is uploaded later; no second one is made until it is answered.
        Raises: NoOpenShift, NothingDue, IntentPending, ServiceUnreachable, ServiceRefused.
        """
        shift = self._open()
        if not fee.is_due or fee.currency != CURRENCY:
            raise NothingDue(fee.state)
        content = CardPaid(staff.session.staff_id, shift.shift_id, fee.card_id, fee.amount_cents, CURRENCY)
        return self._signed(staff, password, content, intent=f"card-price:{fee.card_id}")

    def taken_for(self, card_id: UUID) -> Taken:
        """What was taken for this card in the open shift, and not refused."""
        opened = self._station.outbox.latest(ShiftOpened.KIND)
        if opened is None or self.shift() is None:
            return Taken(0, 0)
        return Taken(
            sum(paid.amount_cents for paid in self._paid(opened.sequence) if paid.card_id == card_id),
            sum(load.amount_cents for card, load in self._loads(opened.sequence) if card == card_id),
        )

    def _loads(self, since: int) -> list[tuple[UUID | None, CashTopUp]]:
        found = self._station.outbox.since(CashTopUp.KIND, since)
        return [(one.subject, CashTopUp.decode(one.record)) for one in found if one.state is not State.REJECTED]

    def _paid(self, since: int) -> list[CardPaid]:
        found = self._station.outbox.since(CardPaid.KIND, since)
        return [CardPaid.decode(one.record) for one in found if one.state is not State.REJECTED]

    def _open(self) -> Shift:
        shift = self.shift()
        if shift is None:
            raise NoOpenShift
        return shift

    def _signed(self, staff: StaffClient, password: str, content: Body, intent: str | None = None) -> Stored:
        def authorise(record: bytes) -> Sequence[Authorisation]:
            return (Authorisation(Purpose.STAFF, staff.sign(record, password)),)

        stored = self._station.outbox.append(content, at_ms=self._station.now_ms(), authorise=authorise, intent=intent)
        return self._station.settle(stored)
