"""PUK and PIN of a card that is being made. The standard leaves much of it to the card: some change no PUK, some have
none, some take no simple PIN.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from terminals.card import Condition, NoPuk, NotAllowed, PinRefused, PinRejected, PivSession, PukRejected
from terminals.counter.secret import Intake, transport_pin
from terminals.station import wipe

_DRAWS: Final = 8  # a card's own rules refuse some PINs; a random one is seldom refused twice


class PukState(StrEnum):
    """What became of the PUK."""

    DERIVED = "derived"  # the card's own: it follows from its management key
    KEPT = "kept"  # the card cannot change it: whoever knows the batch's PUK may set a PIN; never in production
    NONE = "none"  # the card has none: a blocked PIN means a new card


@dataclass(slots=True)
class PinKeeper:
    """Sets PINs on one card, with its PUK; or, on a card without one, with the PIN it came with."""

    state: PukState
    puk: bytearray = field(repr=False)
    first_pin: bytes = field(repr=False)

    @classmethod
    def prepare(cls, session: PivSession, own: bytearray, intake: Intake, *, begun_before: bool) -> "PinKeeper":
        """Leave the card's own PUK on it. The likelier one first: a wrong one costs a try, a right one returns all.

        Raises: PukRejected, PukBlocked: neither is right; no try beyond the last but one is taken. NoPuk: production.
        """
        likely, other = (bytes(own), intake.puk) if begun_before else (intake.puk, bytes(own))
        try:
            _change_puk(session, likely, other, own)
        except NoPuk:
            if intake.production:
                raise
            return cls(PukState.KEPT, bytearray(intake.puk), intake.pin)
        return cls(PukState.DERIVED, own[:], intake.pin)

    def set_transport_pin(self, session: PivSession, random_bytes: Callable[[int], bytes]) -> bytearray:
        """A PIN nobody knows. On a card without PUK the first PIN stays: a lost one could never be mended."""
        for _ in range(_DRAWS):
            pin = transport_pin(random_bytes)
            try:
                session.reset_retry_counter(self.puk[:], pin[:])
            except PinRefused:
                wipe(pin)
            except (NoPuk, NotAllowed) as refusal:
                wipe(pin)
                if self.state is PukState.DERIVED:  # the card has just taken this PUK: it minds where it lies
                    raise NotAllowed("a new PIN by PUK", Condition.CONTACT) from refusal
                self.wipe()
                self.state, self.puk = PukState.NONE, bytearray()
                return bytearray(self.first_pin)
            else:
                return pin
        raise PinRefused

    def set_holders_pin(self, session: PivSession, pin: bytearray, random_bytes: Callable[[int], bytes]) -> None:
        """Leave the holder's PIN on the card; again after a tear too. `pin` is not wiped. Raises: PinRefused."""
        if self.state is not PukState.NONE:
            transport = self.set_transport_pin(session, random_bytes)
            session.change_pin(transport, pin[:])
            return
        try:
            session.change_pin(bytearray(self.first_pin), pin[:])
        except PinRejected:  # it was changed before the tear: then the holder's is the one on the card
            session.verify_pin(pin[:])

    def wipe(self) -> None:
        wipe(self.puk)


def _change_puk(session: PivSession, likely: bytes, other: bytes, own: bytearray) -> None:
    try:
        session.change_puk(bytearray(likely), own[:])
    except PukRejected as error:
        if error.attempts_left is not None and error.attempts_left <= 1:
            raise
        session.change_puk(bytearray(other), own[:])
