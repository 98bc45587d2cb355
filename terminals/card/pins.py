"""PINs and PUKs on their way to the card: bytearrays, checked here because cards disagree, wiped after one use."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from terminals.card.apdu import PIN_FILL, REFERENCE_DATA_LENGTH, SW, ResponseApdu
from terminals.card.errors import (
    CardError,
    NoPuk,
    PinBlocked,
    PinFormat,
    PinRefused,
    PinRejected,
    PukBlocked,
    PukFormat,
    PukRejected,
)

PIN_LENGTH_MIN: Final = 6  # SP 800-73-5 Part 2, 2.4.3


@dataclass(frozen=True, slots=True)
class PinStatus:
    """`attempts_left` is None while the PIN is verified: the card then says only that; and where a card never says it.
    0 means blocked.
    """

    verified: bool
    attempts_left: int | None

    @property
    def blocked(self) -> bool:
        return self.attempts_left == 0


def padded_pin(pin: bytearray) -> bytearray:
    """The eight bytes a card wants. Raises: PinFormat: not 6 to 8 digits."""
    if not (PIN_LENGTH_MIN <= len(pin) <= REFERENCE_DATA_LENGTH and pin.isdigit()):
        raise PinFormat
    return pin + bytearray((PIN_FILL,)) * (REFERENCE_DATA_LENGTH - len(pin))


def check_pin(pin: bytearray) -> None:
    """Raises: PinFormat: no card would take it. The PIN is left as it is."""
    with wiped(padded_pin(pin)):
        pass


def checked_puk(puk: bytearray) -> bytearray:
    """A copy of the PUK. Raises: PukFormat: not exactly eight bytes."""
    if len(puk) != REFERENCE_DATA_LENGTH:
        raise PukFormat
    return puk[:]


def joined(first: bytearray, second: bytearray) -> bytearray:
    """One after the other, as the card wants them; the two parts are wiped."""
    with wiped(first, second):
        return first + second


@contextmanager
def wiped(*secrets: bytearray) -> Iterator[None]:
    """Overwrite these with zeros when the block ends, whichever way it ends."""
    try:
        yield
    finally:
        for secret in secrets:
            secret[:] = bytes(len(secret))


def pin_refusal(response: ResponseApdu) -> CardError | None:
    """What a card means that did not accept a PIN; None when it is something else."""
    return _refusal(response, PinRejected, PinBlocked) or (PinFormat() if response.sw == SW.BAD_DATA else None)


def new_pin_refusal(response: ResponseApdu) -> CardError | None:
    """The same where a new PIN came along: it may be the new one that the card's own rules do not take."""
    return _refusal(response, PinRejected, PinBlocked) or (PinRefused() if response.sw in _RULES else None)


def counter_refusal(response: ResponseApdu) -> CardError | None:
    """What a card means that did not set a PIN by the PUK."""
    refused = _refusal(response, PukRejected, PukBlocked)
    if refused is None and response.sw in _NO_PUK:
        return NoPuk()
    return refused or (PinRefused() if response.sw in _RULES else None)


def new_puk_refusal(response: ResponseApdu) -> CardError | None:
    """What a card means that did not change its PUK: SP 800-73-5 Part 2, 3.2.2 leaves it to the card."""
    refused = _refusal(response, PukRejected, PukBlocked)
    return NoPuk() if refused is None and response.sw in _NO_PUK | _RULES else refused


_RULES: Final = {SW.BAD_DATA, SW.CONDITIONS_NOT_SATISFIED, SW.REFERENCE_UNUSABLE}
_NO_PUK: Final = {SW.NO_SUCH_KEY, SW.NOT_SUPPORTED, SW.BAD_PARAMETERS, SW.OUT_OF_RANGE, SW.UNKNOWN_INSTRUCTION}
_DID_NOT_VERIFY: Final = 0x63  # SW1; with no count in SW2 the card does not say how many tries are left


def _refusal(
    response: ResponseApdu,
    rejected: type[PinRejected | PukRejected],
    blocked: type[PinBlocked | PukBlocked],
) -> CardError | None:
    if response.tries_left:
        return rejected(response.tries_left)
    if response.tries_left == 0 or response.sw == SW.BLOCKED:
        return blocked()
    if response.sw >> 8 == _DID_NOT_VERIFY:
        return rejected(None)
    return None
