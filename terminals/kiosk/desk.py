"""What a resident does at a kiosk: look, claim, pay, buy a pass. The card says who, the PIN says yes."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from crypto.wire.benefits import Claim
from crypto.wire.body import Body
from crypto.wire.taxes import TaxPayment
from crypto.wire.transit import PassBought
from crypto.wire.wallets import BalanceQuery
from terminals.card import PivSession, Slot
from terminals.client import BillView, DueView, Look, PassView
from terminals.outbox import State, Stored
from terminals.station import AnotherCard, Station, consent, question, read_card, wipe

_Content = Claim | TaxPayment | PassBought


@dataclass(frozen=True, slots=True)
class Seen:
    """What the holder of this card was shown."""

    card_id: UUID
    look: Look


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a claim, payment or purchase.

    `state` waiting: it is kept and will be confirmed; `earlier` when this was asked for before and no second record was
    made. `reason` and `detail` are the service's, None unless it was rejected.
    """

    record_id: UUID
    state: State
    earlier: bool
    amount_cents: int
    currency: str
    reason: str | None
    detail: str | None
    receipt: bytes | None


class Kiosk:
    """One kiosk. It keeps nothing of a resident but the records that were signed."""

    def __init__(self, station: Station) -> None:
        self._station = station

    def look(self, session: PivSession) -> Seen:
        """Balance, what may be claimed, what is to be paid; the card signs the question with 9E, without a PIN.

        Raises: ServiceUnreachable, ServiceRefused, ForeignCard, CardNotGenuine, or a CardError.
        """
        policy = self._station.fresh_policy()
        session.select()
        card = read_card(session, policy, self._station.now_ms())
        query = self._station.signed_query(BalanceQuery(), question(session, card))
        return Seen(card.card_id, self._station.client.look(query))

    def claim(self, session: PivSession, card_id: UUID, due: DueView, pin: bytearray) -> Outcome:
        """Take an entitlement into the wallet of the card that was looked at. `pin` is wiped, whatever happens.

        Raises: PinRejected (how many tries are left), PinBlocked, LastPinTry, PinFormat, AnotherCard, NotAllowed (use
        the contact slot), StorageFull: nothing was asked for. TransportError: nothing was stored; ask again.
        """
        content = Claim(due.entitlement_id, due.amount_cents, due.currency)
        return self._consented(session, card_id, content, f"claim:{due.entitlement_id}", pin)

    def pay(self, session: PivSession, card_id: UUID, bill: BillView, pin: bytearray) -> Outcome:
        """Pay a bill from the wallet of the card that was looked at. `pin` is wiped. Raises: as `claim`."""
        content = TaxPayment(bill.bill_id, bill.amount_cents, bill.currency)
        return self._consented(session, card_id, content, f"pay:{bill.bill_id}", pin)

    def buy(self, session: PivSession, card_id: UUID, offer: PassView, pin: bytearray) -> Outcome:
        """Buy a pass from the wallet of the card that was looked at; the same one for the same day once. `pin` is
        wiped. Raises: as `claim`.
        """
        begins = date.fromisoformat(offer.begins)
        content = PassBought(offer.pass_id, offer.tariff_version, begins, offer.amount_cents, offer.currency)
        return self._consented(session, card_id, content, f"pass:{card_id}:{offer.pass_id}:{begins}", pin)

    def _consented(self, session: PivSession, card_id: UUID, content: _Content, intent: str, pin: bytearray) -> Outcome:
        try:
            earlier = self._station.outbox.by_intent(intent)
            if earlier and earlier.state is State.WAITING:
                # Whether the first one was done is unknown: find out, and make no second record meanwhile.
                earlier = self._station.settle(earlier)
            if earlier and earlier.state is not State.REJECTED:
                return _outcome(earlier, content, earlier=True)
            stored = self._append(session, card_id, content, intent, pin)
        finally:
            wipe(pin)
        return _outcome(self._station.settle(stored), content, earlier=False)

    def _append(self, session: PivSession, card_id: UUID, content: Body, intent: str, pin: bytearray) -> Stored:
        policy = self._station.fresh_policy()
        session.select()
        card = read_card(session, policy, self._station.now_ms())
        if card.card_id != card_id:
            raise AnotherCard
        session.prove_possession(Slot.CARD_AUTHENTICATION, card.public_key)
        now_ms = self._station.now_ms()
        return self._station.outbox.append(
            content,
            at_ms=now_ms,
            authorise=consent(session, policy, now_ms, pin),
            intent=intent,
            subject=card.card_id,
        )


def _outcome(stored: Stored, content: _Content, *, earlier: bool) -> Outcome:
    return Outcome(
        record_id=stored.record_id,
        state=stored.state,
        earlier=earlier,
        amount_cents=content.amount_cents,
        currency=content.currency,
        reason=stored.reason,
        detail=stored.detail,
        receipt=stored.receipt,
    )
