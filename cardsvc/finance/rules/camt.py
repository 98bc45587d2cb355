"""Reading camt.053 bank statements (ISO 20022), versions 1 to 14: by local names, lenient on what banks vary, exact on
money. The schema is no gate: real banks' files often break it (and still hold the money's truth).
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Final

from lxml import etree

from cardsvc.errors import CityError, ErrorKind

BYTES_MAX: Final = 16 * 1024 * 1024
_AMOUNT = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,5}))?\Z")
_EXPONENT: Final = {"BHD": 3, "CLP": 0, "IQD": 3, "ISK": 0, "JOD": 3, "JPY": 0, "KRW": 0, "KWD": 3, "OMR": 3, "VND": 0}
_EXPONENT_USUAL: Final = 2  # ISO 4217
_NO_REFERENCE: Final = frozenset({"", "NOTPROVIDED", "NONREF"})
_REFERENCE_TAGS: Final = ("EndToEndId", "TxId", "InstrId", "PmtInfId", "AcctSvcrRef", "UETR", "ClrSysRef", "ChqNb")


class InvalidStatement(CityError):
    """Nothing of the file was stored."""

    code: ClassVar[str] = "invalid_statement"
    kind: ClassVar[ErrorKind] = ErrorKind.UNPROCESSABLE

    def __init__(self, problem: str) -> None:
        super().__init__(f"The file is not a camt.053 bank statement that can be read: {problem}. Nothing was stored.")


@dataclass(frozen=True, slots=True)
class Money:
    """Minor units with their currency; credit to the account is positive."""

    minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Line:
    """A booked entry. `references` as the bank gave them, no placeholders; `reversal`: it takes an earlier one back."""

    line_hash: bytes
    booked_on: date
    amount: Money
    reversal: bool
    references: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of one account. Balances are None where the bank sent none; `pending` counts lines left out."""

    reference: str
    account: str
    opening: Money | None
    closing: Money | None
    from_date: date | None
    to_date: date | None
    lines: tuple[Line, ...]
    pending: int


def read(data: bytes) -> tuple[Statement, ...]:
    """The statements of a file, in order. Raises: InvalidStatement."""
    root = _parse(data)
    statements = tuple(_statement(element) for element in root.iter() if _name(element) == "Stmt")
    if not statements:
        raise InvalidStatement("it holds no statement (Stmt)")
    return statements


def _parse(data: bytes) -> etree._Element:
    if len(data) > BYTES_MAX:
        raise InvalidStatement(f"it is larger than {BYTES_MAX} bytes")
    if b"<!DOCTYPE" in data:  # said before the parser says it worse
        raise InvalidStatement("it has a DOCTYPE")
    # No entities, no network, no huge trees: a statement needs none of them, an attack does.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise InvalidStatement(f"it is not XML ({getattr(error, 'msg', error)})") from error
    if root.getroottree().docinfo.doctype:
        raise InvalidStatement("it has a DOCTYPE")
    if not _holds(root, "BkToCstmrStmt"):
        raise InvalidStatement(next((what for name, what in _OTHERS.items() if _holds(root, name)), _NO_MESSAGE))
    return root


_NO_MESSAGE: Final = "it holds no BkToCstmrStmt message"
_OTHERS: Final = {
    "BkToCstmrAcctRpt": "it is a camt.052 report of a day that is not over; ask the bank for camt.053",
    "BkToCstmrDbtCdtNtfctn": "it is a camt.054 notification; ask the bank for camt.053",
}


def _holds(root: etree._Element, name: str) -> bool:
    """Whether the message is of this name; version 1 wrote its number behind it."""
    return any(_name(element) in {name, f"{name}V01"} for element in (root, *root))


def _statement(element: etree._Element) -> Statement:
    account = _account(element)
    booked = [e for e in _children(element, "Ntry") if _status(e) == "BOOK"]
    seen: dict[bytes, int] = {}
    lines = tuple(_line(entry, account, seen) for entry in booked)
    balances = {_text(b, "Tp/CdOrPrtry/Cd"): _signed(b) for b in _children(element, "Bal")}
    from_date, to_date = _date(element, "FrToDt/FrDtTm"), _date(element, "FrToDt/ToDtTm")
    closing_dates = [_balance_date(b) for b in _children(element, "Bal") if _text(b, "Tp/CdOrPrtry/Cd") == "CLBD"]
    reference = _text(element, "Id")[:70]
    if not reference:
        raise InvalidStatement("a statement has no Id")
    return Statement(
        reference=reference,
        account=account,
        opening=balances.get("OPBD") or balances.get("PRCD"),
        closing=balances.get("CLBD"),
        from_date=from_date,
        to_date=next((d for d in closing_dates if d), None) or to_date,
        lines=lines,
        pending=len(_children(element, "Ntry")) - len(booked),
    )


def _account(element: etree._Element) -> str:
    found = _text(element, "Acct/Id/IBAN") or _text(element, "Acct/Id/Othr/Id")
    if not found:
        raise InvalidStatement("a statement names no account")
    return found[:70]


def _line(entry: etree._Element, account: str, seen: dict[bytes, int]) -> Line:
    amount = _signed(entry)
    booked_on = _date(entry, "BookgDt/Dt") or _date(entry, "BookgDt/DtTm")
    if booked_on is None:
        raise InvalidStatement("a booked entry has no booking date")
    references = _references(entry)
    text = " ".join(
        found.text.strip() for found in entry.iter() if _name(found) in {"Ustrd", "AddtlNtryInf"} and found.text
    )[:500]
    facts = (account, booked_on.isoformat(), str(amount.minor), amount.currency, *references, text)
    digest = hashlib.sha256("\x1f".join(facts).encode()).digest()
    # Two equal payments of one day are two lines: the ordinal among equal ones is a part of the identity.
    ordinal = seen.get(digest, 0)
    seen[digest] = ordinal + 1
    line_hash = hashlib.sha256(digest + ordinal.to_bytes(4, "big")).digest()
    return Line(line_hash, booked_on, amount, _text(entry, "RvslInd") in {"true", "1"}, references, text)


def _references(entry: etree._Element) -> tuple[str, ...]:
    found = [_text(entry, "NtryRef"), _text(entry, "AcctSvcrRef")]
    for refs in entry.iter():
        if _name(refs) == "Refs":
            found += [_text(refs, tag) for tag in _REFERENCE_TAGS]
        elif _name(refs) == "CdtrRefInf":
            found.append(_text(refs, "Ref"))
    return tuple(dict.fromkeys(reference[:140] for reference in found if reference.upper() not in _NO_REFERENCE))


def _signed(element: etree._Element) -> Money:
    """The amount with its sign: CdtDbtInd says how the account moved, for reversals too (ISO 20022 RvslInd)."""
    found = next(iter(_children(element, "Amt")), None)
    match = _AMOUNT.match((found.text or "").strip()) if found is not None else None
    if found is None or match is None:
        raise InvalidStatement("an amount is missing or is not a number")
    currency = found.get("Ccy", "")
    exponent = _EXPONENT.get(currency, _EXPONENT_USUAL)
    digits = (match[2] or "").rstrip("0")
    if len(currency) != len("PHP") or len(digits) > exponent:
        raise InvalidStatement(f"the amount {match[0]} {currency} has no currency or too many decimals")
    minor = int(match[1]) * 10**exponent + int(digits.ljust(exponent, "0") or "0")
    sign = {"CRDT": 1, "DBIT": -1}.get(_text(element, "CdtDbtInd"))
    if sign is None:
        raise InvalidStatement("an amount is neither credit nor debit (CdtDbtInd)")
    return Money(sign * minor, currency)


def _status(entry: etree._Element) -> str:
    """Sts is text in early versions and Sts/Cd from version 8 on."""
    return _text(entry, "Sts/Cd") or _text(entry, "Sts")


def _balance_date(balance: etree._Element) -> date | None:
    return _date(balance, "Dt/Dt") or _date(balance, "Dt/DtTm")


def _date(element: etree._Element, path: str) -> date | None:
    """A date, or the date of a date-time as the bank wrote it: banks put DtTm into Dt too."""
    text = _text(element, path)
    if not text:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError as error:
        raise InvalidStatement(f"{text!r} is not a date") from error


def _name(element: etree._Element) -> str:
    """The local name: the namespace carries the version, which does not matter here. Comments have none."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _children(element: etree._Element, name: str) -> list[etree._Element]:
    return [child for child in element if _name(child) == name]


def _text(element: etree._Element, path: str) -> str:
    """The text at a path of local names, "" where there is none."""
    for name in path.split("/"):
        found = _children(element, name)
        if not found:
            return ""
        element = found[0]
    return (element.text or "").strip()
