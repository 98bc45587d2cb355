"""What the pages of finance are asked by: days, funds, places of the log."""

from datetime import date
from typing import Final

from flask import request

from cardsvc import ledger, web
from cardsvc.errors import CityError, ErrorKind

pages = web.PageBlueprint("finance_pages", __name__, template_folder="../templates")
READERS: Final = ("finance", "treasurer", "auditor")


class InvalidDate(CityError):
    code = "invalid_date"
    kind = ErrorKind.INVALID

    def __init__(self) -> None:
        super().__init__("The date is not one like 2026-11-02. Choose it again.")


def asked_day(name: str) -> date | None:
    """The day in the address; None: none was given. Raises: InvalidDate."""
    text = request.args.get(name, "")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InvalidDate from error


def asked_fund() -> ledger.Fund | None:
    """The fund in the address; None: all of them, or no such fund."""
    text = request.args.get("fund", "")
    return ledger.Fund(text) if text in set(ledger.Fund) else None


def asked_basis() -> ledger.DateBasis:
    text = request.args.get("by", "")
    return ledger.DateBasis(text) if text in set(ledger.DateBasis) else ledger.DateBasis.BOOKED
