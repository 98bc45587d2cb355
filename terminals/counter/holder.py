"""Help for the holder of a card in force: change the PIN, or set a new one when it was forgotten or is blocked.

The holder types, the clerk never sees it. A forgotten PIN takes three: the card (9E signs that it is here), the clerk
who says how the person was identified, and the service, which answers with the PUK and writes down why.
"""

from dataclasses import dataclass
from uuid import UUID

from terminals.card import PivSession, PukRejected, Slot, check_pin
from terminals.client import StaffClient
from terminals.counter import statements
from terminals.counter.errors import CardNotInForce, LastPukTry, PinsDiffer
from terminals.station import AnotherCard, Station, read_card, wipe


@dataclass(frozen=True, slots=True)
class HolderCard:
    """A card of this city in the reader. `attempts_left` for its PIN: 0 is blocked, None where it does not say."""

    card_id: UUID
    attempts_left: int | None


class HolderDesk:
    """One counter's help with PINs. Cards whose PUK has one try left are remembered: it is never taken unasked."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._last_puk_try: set[UUID] = set()

    def look(self, session: PivSession) -> HolderCard:
        """Which card this is, and how many tries its PIN has; none is taken.

        Raises: NotAPivCard, ForeignCard, ObjectMissing, CardNotGenuine. NotAllowed: use a contact reader.
        """
        session.select()
        card = read_card(session, self._station.fresh_policy(), self._station.now_ms())
        session.prove_possession(Slot.CARD_AUTHENTICATION, card.public_key)
        return HolderCard(card.card_id, session.pin_status().attempts_left)

    def change_pin(
        self, session: PivSession, old: bytearray, new: bytearray, again: bytearray, *, last_try: bool = False
    ) -> HolderCard:
        """The holder replaces the PIN. All three are wiped.

        Raises: PinsDiffer, PinFormat, LastPinTry: nothing was sent. PinRejected, PinBlocked, PinRefused; as `look`.
        """
        try:
            _same(new, again)
            check_pin(old)
            self.look(session)
            session.change_pin(old, new, last_try=last_try)
            return self.look(session)
        finally:
            for secret in (old, new, again):
                wipe(secret)

    def reset_pin(
        self,
        session: PivSession,
        staff: StaffClient,
        card_id: UUID,
        reason: str,
        new: bytearray,
        again: bytearray,
        *,
        last_try: bool = False,
    ) -> HolderCard:
        """Set a new PIN on the card whose holder was identified (`reason`: how), with its PUK, which is asked for now.
        The PUK and both PINs are wiped.

        Raises:
            PinsDiffer, PinFormat, AnotherCard, LastPukTry, CardNotInForce, ServiceRefused, ServiceUnreachable: no PUK
            was sent to the card. PukRejected, PukBlocked, NoPuk: this card needs a replacement. PinRefused: another
            PIN. As `look`.
        """
        try:
            _same(new, again)
            card = self.look(session)
            if card.card_id != card_id:
                raise AnotherCard
            if card.card_id in self._last_puk_try and not last_try:
                raise LastPukTry
            puk = self._puk(session, staff, card.card_id, reason)
            try:
                session.reset_retry_counter(puk, new)
            except PukRejected as error:
                if error.attempts_left is not None and error.attempts_left <= 1:
                    self._last_puk_try.add(card.card_id)
                raise
            finally:
                wipe(puk)
            self._last_puk_try.discard(card.card_id)
            return self.look(session)
        finally:
            wipe(new)
            wipe(again)

    def _puk(self, session: PivSession, staff: StaffClient, card_id: UUID, reason: str) -> bytearray:
        state = staff.card(card_id).state
        if state != "active":
            raise CardNotInForce(state)

        def sign(statement: bytes) -> bytes:
            return statements.signed_by(session, Slot.CARD_AUTHENTICATION, statement)

        return staff.puk_for_reset(card_id, self._station.identity, sign, reason)


def _same(new: bytearray, again: bytearray) -> None:
    if new != again:
        raise PinsDiffer
    check_pin(new)
