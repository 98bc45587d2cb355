"""Taxes: bills of real property tax, and their payment with card and PIN."""

from cardsvc.taxes.actions import Imported, import_bills, open_accounts
from cardsvc.taxes.handler import Paying
from cardsvc.taxes.queries import Bill, bill, open_bills
from cardsvc.taxes.rules import COLUMNS, InvalidBillFile, UnknownBill

__all__ = [
    "COLUMNS",
    "Bill",
    "Imported",
    "InvalidBillFile",
    "Paying",
    "UnknownBill",
    "bill",
    "import_bills",
    "open_accounts",
    "open_bills",
]
