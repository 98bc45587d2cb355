"""What can go wrong between terminal and card: one class a failure, a stable `code`, a sentence for the next person."""

from enum import Enum
from typing import ClassVar


class CardError(Exception):
    """Base of everything this room raises. `code` is stable and may be shown, logged and matched."""

    code: ClassVar[str] = "card_error"


# --- the reader and the wire ---


class TransportError(CardError):
    """The answer did not arrive, so whether the card did the command is unknown. It ends the card session."""

    code = "card_transport"


class ReaderUnavailable(TransportError):
    """There is no reader to talk to. `reason` says why and what to do."""

    code = "reader_unavailable"

    def __init__(self, reason: str) -> None:
        super().__init__(f"No card reader can be used: {reason}")
        self.reason = reason


class ReaderBusy(TransportError):
    code = "reader_busy"

    def __init__(self, reader: str) -> None:
        super().__init__(
            f"Another program holds the card in {reader!r}; close it (gpg's scdaemon is the usual one) and try again."
        )
        self.reader = reader


class NoCard(TransportError):
    code = "no_card"

    def __init__(self, reader: str) -> None:
        super().__init__(f"There is no card in {reader!r}; insert one and try again.")
        self.reader = reader


class CardRemoved(TransportError):
    code = "card_removed"

    def __init__(self) -> None:
        super().__init__("The card left the reader, or lost contact, before it answered; put it back and start again.")


class CardMute(TransportError):
    code = "card_mute"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"The card did not answer within {seconds:g} s, so what it did is unknown; take it out, wipe it, try again."
        )
        self.seconds = seconds


class CardUnresponsive(TransportError):
    """There is something in the reader that does not answer to power as a card does."""

    code = "card_unresponsive"

    def __init__(self) -> None:
        super().__init__(
            "What is in the reader does not answer as a card does: it may be turned round, or be two cards at once; "
            "take it out, and put one card in alone."
        )


class SessionEnded(CardError):
    """After a transport error the same handle may talk to another card, so nothing more is sent through it."""

    code = "card_session_ended"

    def __init__(self) -> None:
        super().__init__("This card session has ended; connect again and select the card anew.")


# --- what the card said ---


class UnexpectedStatus(CardError):
    """The card answered with a status word no one planned for. `sw` is the word, `doing` the command."""

    code = "card_unexpected_status"

    def __init__(self, doing: str, sw: int, meaning: str) -> None:
        super().__init__(f"The card answered {sw:04X} ({meaning}) to {doing}; it may be another product: report both.")
        self.doing = doing
        self.sw = sw


class MalformedResponse(CardError):
    code = "card_malformed_response"

    def __init__(self, what: str) -> None:
        super().__init__(f"The card sent {what}; it is damaged or not a card of this kind: use another card.")
        self.what = what


class NotAPivCard(CardError):
    code = "not_a_piv_card"

    def __init__(self) -> None:
        super().__init__("This is not a citizen card; use the card the city issued.")


class ObjectMissing(CardError):
    """The card holds no object of this name, so it is not personalised, or not completely. `what` names the object."""

    code = "card_object_missing"

    def __init__(self, what: str) -> None:
        super().__init__(f"The card has no {what}; bring it to the counter to be personalised.")
        self.what = what


class KeyMissing(CardError):
    code = "card_key_missing"

    def __init__(self, slot: str) -> None:
        super().__init__(f"The card has no key in slot {slot}; bring it to the counter to be personalised.")
        self.slot = slot


class NoRoom(CardError):
    code = "card_full"

    def __init__(self, what: str) -> None:
        super().__init__(f"The card has no room for the {what}; take a fresh card, never a half-written one.")
        self.what = what


class NoPlace(CardError):
    """The card was never given a place for this object (or key): the maker's own pre-personalisation is missing."""

    code = "card_no_place"

    def __init__(self, what: str) -> None:
        super().__init__(f"The card has no place for the {what}; have it prepared as a PIV card by its maker first.")
        self.what = what


class WriteFailed(CardError):
    code = "card_write_failed"

    def __init__(self, what: str) -> None:
        super().__init__(f"The card's memory failed while the {what} was written; take the card out of use.")
        self.what = what


class Condition(Enum):
    """What was missing when a card refused a command (SP 800-73-5 Part 1, Tables 4a and 5)."""

    PIN = "the PIN must be entered first"
    CONTACT = "it must be inserted into a contact reader"
    MANAGEMENT_KEY = "the card management key must be authenticated first"


class NotAllowed(CardError):
    """The card refused. `condition` says which access rule was not met."""

    code = "card_not_allowed"

    def __init__(self, doing: str, condition: Condition) -> None:
        super().__init__(f"The card refused {doing}: {condition.value}.")
        self.doing = doing
        self.condition = condition


# --- PIN and PUK ---


class PinFormat(CardError):
    code = "pin_format"

    def __init__(self) -> None:
        super().__init__("A PIN is 6 to 8 digits; enter it again.")


class PinRefused(CardError):
    """The card's own rules for PINs (length, repeated or ascending digits, one used before) do not take the new one."""

    code = "pin_refused"

    def __init__(self) -> None:
        super().__init__("The card does not take this PIN: its own rules want another one; choose a less simple PIN.")


class NoPin(CardError):
    code = "card_has_no_pin"

    def __init__(self) -> None:
        super().__init__("The card has no PIV PIN (reference 80); it is another product: refuse it at intake.")


class NoPuk(CardError):
    """The card has no PUK, or no command to change it (SP 800-73-5 Part 2 makes it optional)."""

    code = "card_has_no_puk"

    def __init__(self) -> None:
        super().__init__("The card has no PUK that can be used or changed; a blocked PIN will need a new card.")


class PukFormat(CardError):
    code = "puk_format"

    def __init__(self) -> None:
        super().__init__("A PUK is exactly 8 characters; enter it again.")


class PinRejected(CardError):
    """`attempts_left` is None where the card does not say it."""

    code = "pin_rejected"

    def __init__(self, attempts_left: int | None) -> None:
        super().__init__(f"The PIN is wrong; {_left(attempts_left)} before the card is blocked.")
        self.attempts_left = attempts_left


class PinBlocked(CardError):
    code = "pin_blocked"

    def __init__(self) -> None:
        super().__init__("The PIN is blocked; the counter can open it again with the PUK.")


class LastPinTry(CardError):
    """Nothing was sent: one wrong PIN more would block the card. Ask the holder, then call again with `last_try`."""

    code = "pin_last_try"

    def __init__(self) -> None:
        super().__init__("Only one PIN try is left; confirm that you know the PIN, or go to the counter.")


class PukRejected(CardError):
    code = "puk_rejected"

    def __init__(self, attempts_left: int | None) -> None:
        super().__init__(f"The PUK is wrong; {_left(attempts_left)} before the card is lost.")
        self.attempts_left = attempts_left


class PukBlocked(CardError):
    code = "puk_blocked"

    def __init__(self) -> None:
        super().__init__("The PUK is blocked too; the card must be replaced.")


# --- keys ---


class WrongManagementKey(CardError):
    """`attempts_left` is what the card said of its counter; None for the many cards that count no wrong keys."""

    code = "wrong_management_key"

    def __init__(self, attempts_left: int | None = None) -> None:
        counted = "" if attempts_left is None else f" ({attempts_left} {_tries(attempts_left)} left)"
        super().__init__(
            f"The card does not accept this management key{counted}; check which batch or product the card is from, "
            "and name its key with --management-key-file."
        )
        self.attempts_left = attempts_left


class WrongManagementAlgorithm(WrongManagementKey):
    """The card has no management key of this algorithm. Nothing was tried, so no counter moved."""

    code = "wrong_management_algorithm"


class CardNotGenuine(CardError):
    code = "card_not_genuine"

    def __init__(self, what: str) -> None:
        super().__init__(f"The card could not prove {what}; keep it and report it.")
        self.what = what


class BadPublicKey(CardError):
    code = "card_bad_public_key"

    def __init__(self) -> None:
        super().__init__("The card made a public key that is not a point on P-256; take the card out of use.")


class BadSignature(CardError):
    code = "card_bad_signature"

    def __init__(self) -> None:
        super().__init__("The card returned a signature that is not strict DER for P-256; take the card out of use.")


class ProductUnsupported(CardError):
    code = "card_product_unsupported"

    def __init__(self, product: str, holding: str = "") -> None:
        by = f" by {holding}" if holding else ""
        super().__init__(
            f"No known command replaces the management key of {product}{by}; refuse this product at intake."
        )
        self.product = product


def _left(count: int | None) -> str:
    return "the card does not say how many tries are left" if count is None else f"{count} more {_tries(count)}"


def _tries(count: int) -> str:
    return "try" if count == 1 else "tries"
