"""Blank cards: where one may be, why one is spoiled."""

from enum import StrEnum


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
