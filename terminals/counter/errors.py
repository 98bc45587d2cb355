"""What can go wrong at a counter."""

from typing import ClassVar

from terminals.card import Slot


class CounterError(Exception):
    """Base of what this package raises. `code` is stable; the message is one sentence for a person."""

    code: ClassVar[str] = "counter_error"


class ReadbackDiffers(CounterError):
    """The card does not hold what was written. It is not issued."""

    code = "readback_differs"

    def __init__(self, what: str) -> None:
        super().__init__(f"The card does not hold the {what} that was written; start again, or take a fresh card.")
        self.what = what


class WrongCertificate(CounterError):
    code = "wrong_certificate"

    def __init__(self, slot: Slot) -> None:
        super().__init__(f"The service's certificate for {slot.title} is not for this card's key; report it.")
        self.slot = slot


class PinsDiffer(CounterError):
    code = "pins_differ"

    def __init__(self) -> None:
        super().__init__("The two PINs are not the same; the holder enters a PIN twice, 6 to 8 digits.")


class NotMade(CounterError):
    code = "card_not_made"

    def __init__(self) -> None:
        super().__init__("This card was not made at this counter since it was started; start again from the top.")


class NoOpenShift(CounterError):
    code = "no_open_shift"

    def __init__(self) -> None:
        super().__init__("No shift is open at this counter; open one before cash is taken.")


class ShiftStillOpen(CounterError):
    code = "shift_still_open"

    def __init__(self) -> None:
        super().__init__("A shift is open at this counter already; close it first.")


class WrongAmount(CounterError):
    code = "wrong_amount"

    def __init__(self) -> None:
        super().__init__("Enter an amount in pesos and centavos, more than nothing.")
