"""The inspector's question, answered without a network: did this card pay? It charges nothing and records nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from crypto.errors import CryptoError
from terminals.card import CardError, PivSession, Slot
from terminals.outbox import OutboxError, StoredElsewhere
from terminals.station import CardDenied, News, Station, StationError, card_of
from terminals.validator.rules import ride_now
from terminals.validator.taken import Taken
from terminals.validator.values import EarlierTap, Place

_OTHER_GATES: Final = "Taps at validators whose records are not on this device."
_MONEY: Final = "Whether the wallet had the money: the city's service settles that."
_LATER: Final = "Cards that were blocked after this device had its last news."
_OWES: Final = " An earlier fare is owed: gates let this card in again when it is paid."
_WITHOUT_NETWORK: Final = (_OTHER_GATES, _LATER, _MONEY)


class Finding(StrEnum):
    PAID = "paid"
    NO_TAP_KNOWN = "no_tap_known"  # which is no proof that there was none
    DENIED = "denied"
    NOT_VALID = "not_valid"  # no card of this city, not genuine, expired, or this device may not judge now


@dataclass(frozen=True, slots=True)
class Inspection:
    """`code` is stable: the finding, or what was wrong. `tap` is what was paid with; None where none is known here.

    `unknown` are sentences about what this device cannot know, for the inspector to bear in mind. `owes`: an earlier
    fare is owed, as far as the news here say; it is no part of the finding, which is about this ride.
    """

    finding: Finding
    code: str
    text: str
    tap: EarlierTap | None = None
    unknown: tuple[str, ...] = ()
    news: News | None = None
    owes: bool = False


class Inspector:
    """A handheld on a network. It knows the taps of its own outbox and of its siblings', as they are at hand."""

    def __init__(self, station: Station, place: Place, siblings: Sequence[StoredElsewhere] = ()) -> None:
        self._station = station
        self._place = place
        self._taken = Taken(station.outbox, siblings)

    def inspect(self, session: PivSession) -> Inspection:
        """Ask the card for its certificate and one 9E signature over a fresh challenge, then look. What is wrong comes
        back as a value.
        """
        try:
            return self._inspect(session)
        except CardDenied as error:
            return Inspection(Finding.DENIED, error.code, str(error))
        except (CardError, StationError, OutboxError, CryptoError) as error:
            return Inspection(Finding.NOT_VALID, error.code, str(error))

    def _inspect(self, session: PivSession) -> Inspection:
        now_ms, policy = self._station.now_ms(), self._station.policy()
        session.select()
        card = card_of(session.read_certificate(Slot.CARD_AUTHENTICATION), policy, now_ms)
        session.prove_possession(Slot.CARD_AUTHENTICATION, card.public_key)
        self._station.check_not_denied(card)
        since_ms = now_ms - self._place.ride_ms
        taps = (*self._taken.here(card.card_id, since_ms), *self._taken.beside(card.card_id, since_ms))
        tap, news, owes = ride_now(taps, now_ms, self._place), self._station.news(), self._station.owes(card)
        owing = _OWES if owes else ""
        if tap:
            text = f"A tap of this card at {tap.stop_id} counts for this ride.{owing}"
            return Inspection(Finding.PAID, Finding.PAID, text, tap, (_LATER, _MONEY), news, owes)
        text = f"No tap of this card is known to this device; that does not prove that the rider did not pay.{owing}"
        return Inspection(Finding.NO_TAP_KNOWN, Finding.NO_TAP_KNOWN, text, None, _WITHOUT_NETWORK, news, owes)
