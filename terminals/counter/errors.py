"""What can go wrong at a counter."""

from typing import ClassVar
from uuid import UUID

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


class CardNotInForce(CounterError):
    """A PIN belongs to a card that may be used. `state` is what the card is instead."""

    code = "card_not_active"

    def __init__(self, state: str) -> None:
        super().__init__(f"The card is {state}; a card that is not in force gets no new PIN: replace it.")
        self.state = state


class LastPukTry(CounterError):
    """Nothing was sent: a wrong PUK more would end the card."""

    code = "puk_last_try"

    def __init__(self) -> None:
        super().__init__("Only one PUK try is left; replace the card, or say that the last try is to be taken.")


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


class NothingDue(CounterError):
    """`state` is the card's: free, paid or waived, or that it is not on order."""

    code = "card_fee_not_due"

    def __init__(self, state: str) -> None:
        super().__init__(f"Nothing is to be paid for this card ({state}); take no cash for it.")
        self.state = state


class NoStaff(CounterError):
    code = "no_staff"

    def __init__(self) -> None:
        super().__init__(
            "Say who does this: --username (and --password-file), or CITY_STAFF_USERNAME and CITY_STAFF_PASSWORD_FILE."
        )


class NoService(CounterError):
    """Nothing answers where the city's service should be."""

    code = "service_unreachable"

    def __init__(self, url: str) -> None:
        super().__init__(
            f"No city service answers at {url}; start one with ./city up (a demo city) or ./city serve, "
            "or name it with --service http://HOST:PORT."
        )
        self.url = url


class ResidentUnknown(CounterError):
    code = "resident_not_found"

    def __init__(self, wanted: str) -> None:
        super().__init__(f"The register has no resident {wanted}; give the resident's number or id.")


class HoldsACard(CounterError):
    """A second card is a renewal or a replacement, and that is decided before a card is made."""

    code = "active_card_exists"

    def __init__(self, card_id: UUID, state: str) -> None:
        super().__init__(
            f"The resident holds card {card_id} ({state}); have it renewed first, or end it and make the next one with "
            "--replace lost, stolen or damaged."
        )
        self.card_id = card_id


class NotApproved(CounterError):
    code = "card_not_approved"

    def __init__(self, card_id: UUID) -> None:
        super().__init__(
            f"The order {card_id} waits for the approval of a second person: let them approve it, or sign in here with "
            "--approve-as USERNAME."
        )
        self.card_id = card_id


class NothingToIssue(CounterError):
    code = "nothing_to_issue"

    def __init__(self) -> None:
        super().__init__("Say whose card it is: --resident NUMBER, or the id of an approved card.")


class BadIntake(CounterError):
    """`reason` is the sentence: the key, its algorithm or a file named for the blank cards cannot be used."""

    code = "bad_intake"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
