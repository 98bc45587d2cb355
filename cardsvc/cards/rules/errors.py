"""What the card room refuses. Each message says what the person at the counter does next."""

from datetime import date

from cardsvc.errors import CityError, ErrorKind


class CardNotFound(CityError):
    code = "card_not_found"
    kind = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("No card of this city has this id. Check that the card was made by this city.")


class NoCardHeld(CityError):
    code = "no_card_held"
    kind = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("There is no card in use to be stopped. Ask a counter for a new one.")


class InvalidMove(CityError):
    code = "invalid_card_move"
    kind = ErrorKind.CONFLICT

    def __init__(self, move: str, state: str) -> None:
        super().__init__(f"A card that is {state} cannot be changed this way ({move}). Look at the card's history.")


class CardChanged(CityError):
    """Somebody else moved the card between our look and our write."""

    code = "card_changed"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("Somebody else changed this card just now. Look at it again, then decide.")


class HolderWithoutCard(CityError):
    """Nobody said that the holder has the suspended card."""

    code = "holder_without_card"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("Let a card be used again only when its holder has it in hand. Look at it, then say so here.")


class SameApprover(CityError):
    code = "same_approver"
    kind = ErrorKind.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("Whoever requested a card may not approve it. Ask another card officer.")


class ResidentNotEligible(CityError):
    code = "resident_not_eligible"
    kind = ErrorKind.CONFLICT

    def __init__(self, number: str, status: str) -> None:
        super().__init__(f"Resident {number} is registered as {status} and gets no card. Correct the register first.")


class ActiveCardExists(CityError):
    code = "active_card_exists"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("The resident already holds a card in use. Revoke that card, with its reason, then try again.")


class UnknownProduct(CityError):
    code = "unknown_card_product"
    kind = ErrorKind.INVALID

    def __init__(self, known: str) -> None:
        super().__init__(f"The city does not buy cards of this product. Known products: {known}.")


class UnsuitablePhoto(CityError):
    code = "unsuitable_photo"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("The photo does not fit on a chip. Store a JPEG of at most 11,000 bytes for this resident.")


class InvalidPublicKey(CityError):
    code = "invalid_public_key"
    kind = ErrorKind.UNPROCESSABLE

    def __init__(self, slot: str) -> None:
        super().__init__(f"Key {slot} is not a point of P-256. Take another card: this one cannot be a city card.")


class InvalidPossession(CityError):
    """The signature is not the key's over this card, this attempt's challenge and this point."""

    code = "invalid_possession"
    kind = ErrorKind.UNPROCESSABLE

    def __init__(self, slot: str) -> None:
        super().__init__(
            f"The proof for key {slot} does not verify under this card's challenge. Begin the personalisation again."
        )


class WrongSlots(CityError):
    code = "wrong_slots"
    kind = ErrorKind.UNPROCESSABLE

    def __init__(self) -> None:
        super().__init__("A city card has exactly the keys 9A, 9C and 9E. Send one proof for each of them.")


class ReusedKey(CityError):
    code = "reused_key"
    kind = ErrorKind.CONFLICT

    def __init__(self, slot: str) -> None:
        super().__init__(f"Key {slot} was seen before. Make new keys on the card; if it repeats, take the card out.")


class NotCertified(CityError):
    code = "not_certified"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("This card has no certificates yet. Send the proofs of its keys first.")


class InvalidReadback(CityError):
    code = "invalid_readback"
    kind = ErrorKind.UNPROCESSABLE

    def __init__(self) -> None:
        super().__init__("The card did not prove what was written to it. Begin the personalisation again.")


class InvalidHandover(CityError):
    code = "invalid_handover"
    kind = ErrorKind.UNPROCESSABLE

    def __init__(self) -> None:
        super().__init__("The card did not sign the handover with its holder's PIN. Insert the card and try again.")


class PresenceNotProven(CityError):
    code = "presence_not_proven"
    kind = ErrorKind.UNPROCESSABLE

    def __init__(self) -> None:
        super().__init__("The card in the reader did not prove that it is this card. Do not serve it; call an officer.")


class CardNotActive(CityError):
    """`state` says what the card is instead."""

    code = "card_not_active"
    kind = ErrorKind.CONFLICT

    def __init__(self, state: str) -> None:
        super().__init__(f"The card is genuine, but it is {state}. Send the holder to a card officer.")
        self.state = state


class InvalidReport(CityError):
    """`fields` names each report at fault (`row 1` is the first)."""

    code = "invalid_issue_report"
    kind = ErrorKind.UNPROCESSABLE

    def __init__(self, fields: dict[str, list[str]]) -> None:
        super().__init__("None of the cards was taken in. Correct the rows named and send all again.", fields=fields)


class InvalidCardId(CityError):
    code = "invalid_card_id"
    kind = ErrorKind.UNPROCESSABLE

    def __init__(self) -> None:
        super().__init__("The card's id is not a UUIDv4 of its own. Make a new random id for each card.")


class UnknownAlgorithm(CityError):
    code = "unknown_card_algorithm"
    kind = ErrorKind.INVALID

    def __init__(self, known: str) -> None:
        super().__init__(f"No management key of a city card has this algorithm. Known algorithms: {known}.")


class WithdrawnAlgorithm(CityError):
    """3DES may not protect anything since 2023 (NIST SP 800-131A)."""

    code = "withdrawn_card_algorithm"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("A 3DES management key is withdrawn: no card in production has one. Take a card with AES.")


class KeptInProduction(CityError):
    code = "management_key_kept"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__(
            "The card still has the management key it was delivered with. Take a product whose key can be replaced."
        )


class NotReplaced(CityError):
    code = "card_not_replaced"
    kind = ErrorKind.CONFLICT

    def __init__(self, reason: str, why: str) -> None:
        super().__init__(f"A card that ends as {reason} is not replaced. {why} To stop it, revoke it.")


class IdentityNotChecked(CityError):
    code = "identity_not_checked"
    kind = ErrorKind.CONFLICT

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"After {reason} a new card needs the person identified anew. Do that from documents, then say so here."
        )


class RenewalTooEarly(CityError):
    """`from_` is the first day on which the card may be renewed."""

    code = "renewal_too_early"
    kind = ErrorKind.CONFLICT

    def __init__(self, from_: date) -> None:
        super().__init__(f"The card may be renewed from {from_} on. If it is lost or broken, replace it.")
        self.from_ = from_


# ---------------------------------------------------------------------------------------------------------------- stock


class InvalidDelivery(CityError):
    """`fields` names each row at fault (`row 1` is the first serial)."""

    code = "invalid_delivery"
    kind = ErrorKind.UNPROCESSABLE

    def __init__(self, fields: dict[str, list[str]]) -> None:
        super().__init__("No blank was taken in. Correct the rows named and send all again.", fields=fields)


class DeliveryExists(CityError):
    code = "delivery_exists"
    kind = ErrorKind.CONFLICT

    def __init__(self, name: str) -> None:
        super().__init__(f"Delivery {name} was taken in before, with other content. Give this one its own name.")


class BlankNotFound(CityError):
    code = "blank_not_found"
    kind = ErrorKind.NOT_FOUND

    def __init__(self, serial: str) -> None:
        super().__init__(f"No blank {serial} was taken in. Take its delivery in first, or put the card aside.")


class BlankNeeded(CityError):
    code = "blank_needed"
    kind = ErrorKind.UNPROCESSABLE

    def __init__(self) -> None:
        super().__init__("This city keeps stock of its blanks. Say the serial of the blank that the card is made of.")


class InvalidBlankMove(CityError):
    code = "invalid_blank_move"
    kind = ErrorKind.CONFLICT

    def __init__(self, serial: str, state: str) -> None:
        super().__init__(f"Blank {serial} is {state.replace('_', ' ')} and cannot go that way. Look at its history.")


class BlankInUse(CityError):
    code = "blank_in_use"
    kind = ErrorKind.CONFLICT

    def __init__(self, serial: str) -> None:
        super().__init__(f"Blank {serial} is another card's, or in its holder's hands. Take another blank.")


class WrongBlank(CityError):
    code = "wrong_blank"
    kind = ErrorKind.CONFLICT

    def __init__(self, serial: str, is_: str, wanted: str) -> None:
        super().__init__(f"Blank {serial} is a {is_}, not a {wanted}. Take another blank or name the right product.")


class InvalidAge(CityError):
    code = "invalid_age"
    kind = ErrorKind.INVALID

    def __init__(self) -> None:
        super().__init__("Write an age in days, hours or minutes, as 3d, 12h or 30m.")


# ------------------------------------------------------------------------------------------------------- many at a time


class CriteriaMissing(CityError):
    code = "criteria_missing"
    kind = ErrorKind.UNPROCESSABLE

    def __init__(self) -> None:
        super().__init__("Say which cards: name a product, a time, an authority, a delivery or the cards themselves.")


class InvalidBulk(CityError):
    code = "invalid_bulk"
    kind = ErrorKind.UNPROCESSABLE


class NoCardsMeant(CityError):
    code = "no_cards_meant"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("No card is so that this could be done with it. Plan again with other criteria.")


class BulkNotFound(CityError):
    code = "bulk_not_found"
    kind = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("No decision about many cards has this id.")


class BulkListChanged(CityError):
    """The list that is kept is not the list that was signed."""

    code = "bulk_list_changed"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("The list of cards is not the one that was signed. Nothing was done; tell the auditor.")


class NotACounter(CityError):
    """Also for a terminal that never was, is of another kind, or was revoked: the answer is the same."""

    code = "not_a_counter"
    kind = ErrorKind.FORBIDDEN

    def __init__(self) -> None:
        super().__init__(
            "Only an enrolled counter is told a card's secrets. Enrol this one: ./city devices invite --kind counter."
        )


class InvalidSecretRequest(CityError):
    code = "invalid_secret_request"
    kind = ErrorKind.UNPROCESSABLE

    def __init__(self) -> None:
        super().__init__("The request was not signed by this counter for this card. Ask again with a new request.")


class StaleSecretRequest(CityError):
    """Answered before, or the card moved on since the counter looked."""

    code = "stale_secret_request"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("This request was answered, or the card changed meanwhile. Ask again with a new request.")
