"""The bank's side: camt.053.001.08 statements, written strictly (ISO 20022), so that importing them is no act."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from lxml import etree

NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
ACCOUNT: Final = "00012345678901"
CENTS: Final = 100


@dataclass(frozen=True, slots=True)
class BankLine:
    """Money into the account is positive. `reference` is the payer's; None where the bank was told none."""

    booked_on: date
    amount_cents: int
    reference: str | None
    text: str


def statement(
    number: int, opening_cents: int, lines: Sequence[BankLine], *, first: date, last: date, made_at: datetime
) -> bytes:
    """One statement of the city's account as an XML file."""
    document = etree.Element(f"{{{NAMESPACE}}}Document", nsmap={None: NAMESPACE})
    message = _add(document, "BkToCstmrStmt")
    header = _add(message, "GrpHdr")
    _add(header, "MsgId", f"CITY{number:06d}")
    _add(header, "CreDtTm", made_at.isoformat(timespec="seconds"))
    body = _add(message, "Stmt")
    _add(body, "Id", f"STMT-{first.year}-{number:04d}")
    _add(body, "ElctrncSeqNb", str(number))
    _add(body, "CreDtTm", made_at.isoformat(timespec="seconds"))
    account = _add(body, "Acct")
    _add(_add(_add(account, "Id"), "Othr"), "Id", ACCOUNT)
    _add(account, "Ccy", "PHP")
    closing_cents = opening_cents + sum(line.amount_cents for line in lines)
    _balance(body, "OPBD", opening_cents, first)
    _balance(body, "CLBD", closing_cents, last)
    for position, line in enumerate(lines, 1):
        _entry(body, line, f"B{number:04d}{position:04d}")
    return bytes(etree.tostring(document, xml_declaration=True, encoding="UTF-8", pretty_print=True))


def _balance(parent: etree._Element, code: str, cents: int, day: date) -> None:
    balance = _add(parent, "Bal")
    _add(_add(_add(balance, "Tp"), "CdOrPrtry"), "Cd", code)
    _amount(balance, cents)
    _add(_add(balance, "Dt"), "Dt", day.isoformat())


def _entry(parent: etree._Element, line: BankLine, bank_reference: str) -> None:
    entry = _add(parent, "Ntry")
    _amount(entry, line.amount_cents)
    _add(_add(entry, "Sts"), "Cd", "BOOK")
    _add(_add(entry, "BookgDt"), "Dt", line.booked_on.isoformat())
    _add(_add(entry, "ValDt"), "Dt", line.booked_on.isoformat())
    _add(entry, "AcctSvcrRef", bank_reference)
    code = _add(_add(entry, "BkTxCd"), "Prtry")
    _add(code, "Cd", "CASH" if line.reference else "MISC")
    details = _add(_add(entry, "NtryDtls"), "TxDtls")
    if line.reference is not None:
        _add(_add(details, "Refs"), "EndToEndId", line.reference)
    _add(_add(details, "RmtInf"), "Ustrd", line.text)


def _amount(parent: etree._Element, cents: int) -> None:
    pesos, rest = divmod(abs(cents), CENTS)
    _add(parent, "Amt", f"{pesos}.{rest:02d}").set("Ccy", "PHP")
    _add(parent, "CdtDbtInd", "CRDT" if cents >= 0 else "DBIT")


def _add(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    child = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    child.text = text
    return child
