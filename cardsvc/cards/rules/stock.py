"""Blank cards: where one may be, why one is spoiled, what a delivery must say."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from cardsvc.cards.rules.errors import InvalidBlankMove, InvalidDelivery

SERIAL_LENGTH_MAX = 64
_SERIAL = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{SERIAL_LENGTH_MAX - 1}}}")
_LOOKS_LIKE_A_KEY = re.compile(r"(?:[0-9A-Fa-f]{2}[\s:-]*){16,}")
FILE = "file"


class BlankState(StrEnum):
    IN_STOCK = "in_stock"
    USED = "used"
    SPOILED = "spoiled"
    RETURNED = "returned"  # to whoever delivered it


class SpoilageReason(StrEnum):
    """Why a blank can no longer become a card, or the card made of it was scrapped before anybody held it."""

    DEFECTIVE = "defective"  # does not answer, or answers wrongly
    MISPRINTED = "misprinted"
    DAMAGED = "damaged"
    TORN = "torn"  # an attempt on it was given up and another blank taken
    WRONG_PRODUCT = "wrong_product"
    MISSING = "missing"  # in the books, not on the shelf


_MOVES = {
    BlankState.USED: frozenset({BlankState.IN_STOCK}),
    BlankState.SPOILED: frozenset({BlankState.IN_STOCK, BlankState.USED}),
    BlankState.RETURNED: frozenset({BlankState.IN_STOCK}),
}


def check_blank_move(serial: str, from_: BlankState, to: BlankState) -> None:
    """Raises: InvalidBlankMove."""
    if from_ not in _MOVES.get(to, frozenset()):
        raise InvalidBlankMove(serial, from_)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery of blanks as its note says. `delivered` counts the cards; None: as many as there are serials.

    `transport_key_reference` says where the transport key is kept: a safe, an envelope's number. Never the key itself.
    """

    name: str
    product: str
    delivered_by: str
    delivered_on: date
    delivered: int | None = None
    transport_key_reference: str | None = None


def check_reference(reference: str | None) -> None:
    """Raises: InvalidDelivery for what looks like the key and not like the place where it is kept."""
    if reference is not None and _LOOKS_LIKE_A_KEY.search(reference):
        raise InvalidDelivery({"transport_key_reference": ["This looks like a key. Write where the key is kept."]})


def wrong_serials(serials: Sequence[str], known: set[str]) -> dict[str, list[str]]:
    """What is wrong with each row (`row 1` is the first serial), as `code: sentence`."""
    wrong: dict[str, list[str]] = {}
    rows: dict[str, int] = {}
    for row, serial in enumerate(serials, start=1):
        if not _SERIAL.fullmatch(serial):
            sentence = "invalid_serial: A serial has 1 to 64 letters, digits, dots, dashes and underscores."
        elif serial in rows:
            sentence = f"repeated_serial: The same serial stands in row {rows[serial]}."
        elif serial in known:
            sentence = "known_serial: This blank was taken in before."
        else:
            rows[serial] = row
            continue
        wrong[f"row {row}"] = [sentence]
    if not serials:
        wrong[FILE] = ["no_serials: There is no serial to take in."]
    return wrong


def list_hash(serials: Sequence[str]) -> bytes:
    """By what a list of serials is known again, in whatever order it comes: SHA-256 over the sorted lines."""
    return hashlib.sha256("\n".join(sorted(serials)).encode()).digest()
