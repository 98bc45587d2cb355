"""Bank statements of others, with what another parser found in them; and files that are no statements."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from cardsvc.finance import InvalidStatement, rules
from tests import testdata
from tests.statements import NAMESPACE, Booked, camt053

DAY = date(2026, 11, 2)
NAMES_053 = (
    "camt053.v2.all-balance-types",
    "camt053.v2.minimal",
    "camt053.v2.multi.statement",
    "camt053.v2.with-party-ids",
    "camt053.v4",
    "camt53.only-Dt-with-DtTm",
)
NAMES_OTHER = (
    "camt052.v1",
    "camt052.v2.other-account",
    "camt052.v4",
    "camt052.v6.Amt-zero",
    "camt054.v2",
    "camt054.v4",
    "camt054.v8-with-UETR",
)


def sample(name: str, ending: str) -> Path:
    return testdata.folder("camt") / f"{name}.{ending}"


def found(value: Any, kind: str) -> Iterator[dict[str, Any]]:
    """Every object of this class in the other parser's dump."""
    if isinstance(value, dict):
        if value.get("__CLASS__", "").endswith(kind):
            yield value
        for inner in value.values():
            yield from found(inner, kind)
    elif isinstance(value, list):
        for inner in value:
            yield from found(inner, kind)


def minor(value: dict[str, Any]) -> tuple[int, str]:
    amount = value["getAmount"]
    return int(amount["getAmount"]), amount["getCurrency"]["getCode"]


def day(value: dict[str, Any]) -> date:
    return date.fromisoformat(value["0"][:10])


@pytest.mark.parametrize("name", NAMES_053)
def test_every_sample_reads_as_another_parser_reads_it(name: str) -> None:
    statements = rules.read(sample(name, "xml").read_bytes())
    other = json.loads(sample(name, "json").read_text())
    lines = [line for statement in statements for line in statement.lines]
    # the other parser's dump keeps one entry of each position: of several statements the last one's
    entries = other["getEntries"]
    lines = lines[len(lines) - len(entries) :]
    assert len(entries) == max(len(statement.lines) for statement in statements)
    for line, entry in zip(lines, entries, strict=True):
        assert (line.amount.minor, line.amount.currency) == minor(entry)
        assert (line.amount.minor > 0) == (entry["getCreditDebitIndicator"] == "CRDT")
        assert line.booked_on == day(entry["getBookingDate"])
        assert line.reversal == bool(entry["getReversalIndicator"])
        for reference in (entry["getReference"], entry["getAccountServicerReference"]):
            assert not reference or reference in line.references
    records = {record["getId"]: record for record in found(other, "\\Camt053\\DTO\\Statement")}
    by_reference = {statement.reference: statement for statement in statements}
    assert records.keys() <= by_reference.keys()
    for reference, record in records.items():
        statement = by_reference[reference]
        balances: dict[str, tuple[int, str]] = {}
        for balance in found(record["getBalances"], "\\Balance"):
            balances.setdefault(balance["getType"], minor(balance))
        for ours, kind in ((statement.opening, "opening"), (statement.closing, "closing")):
            assert (None if ours is None else (ours.minor, ours.currency)) == balances.get(kind)
        assert statement.account == record["getAccount"]["getIdentification"]


@pytest.mark.parametrize("name", NAMES_OTHER)
def test_reports_and_notifications_are_refused_by_name(name: str) -> None:
    what = "camt.052 report" if "052" in name else "camt.054 notification"
    with pytest.raises(InvalidStatement, match=f"{what}.* ask the bank for camt.053. Nothing was stored.$"):
        rules.read(sample(name, "xml").read_bytes())


def test_all_thirteen_samples_were_looked_at() -> None:
    assert {path.stem for path in testdata.folder("camt").glob("*.xml")} == {*NAMES_053, *NAMES_OTHER}


def refused(data: bytes) -> str:
    with pytest.raises(InvalidStatement) as caught:
        rules.read(data)
    return str(caught.value)


BOMB = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">
<!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;"><!ENTITY f "&e;&e;&e;&e;&e;&e;&e;&e;"><!ENTITY g "&f;&f;&f;&f;&f;&f;&f;&f;">
]><Document><BkToCstmrStmt><Stmt><Id>&g;</Id></Stmt></BkToCstmrStmt></Document>"""


def test_bombs_and_documents_with_a_doctype_are_refused() -> None:
    assert "has a DOCTYPE" in refused(BOMB)
    assert "DOCTYPE" in refused(b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><Document/>')
    attribute = BOMB.replace(b"<Id>&g;</Id>", b'<Id x="&g;">1</Id>')
    assert refused(attribute)
    deep = b"<a>" * 5000 + b"</a>" * 5000
    assert "is not XML" in refused(deep)


def test_what_is_too_large_is_not_even_read() -> None:
    assert "larger than" in refused(b" " * (rules.camt.BYTES_MAX + 1))


@pytest.mark.parametrize("data", [b"", b"not xml", b"<Document>", b"\xff\xfe", b"<Document/>", b"<html><body/></html>"])
def test_what_is_no_statement_is_refused(data: bytes) -> None:
    said = refused(data)
    assert said.startswith("The file is not a camt.053 bank statement that can be read: ")
    assert "<string>" not in said


WHOLE = camt053("S-1", 0, [Booked(DAY, 100_00, "R-1")], first=DAY, last=DAY).decode()


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("<Id>S-1</Id>", "", "has no Id"),
        ("<Acct><Id><Othr><Id>0001234</Id></Othr></Id></Acct>", "", "names no account"),
        (f"<BookgDt><Dt>{DAY}</Dt></BookgDt>", "", "has no booking date"),
        (f"<BookgDt><Dt>{DAY}</Dt>", "<BookgDt><Dt>yesterday</Dt>", "is not a date"),
        (">100.00<", ">-100.00<", "is not a number"),
        (">100.00<", ">1e3<", "is not a number"),
        (">100.00<", "><", "is not a number"),
        (">100.00<", ">100.005<", "too many decimals"),
        ('Ccy="PHP">100.00', ">100.00", "has no currency"),
        ("<CdtDbtInd>CRDT</CdtDbtInd><Sts>", "<Sts>", "neither credit nor debit"),
        ("Stmt>", "Other>", "no statement"),
    ],
)
def test_a_statement_with_a_part_that_is_wrong_is_refused_whole(old: str, new: str, problem: str) -> None:
    data = WHOLE.replace(old, new).replace("BkToCstmrOther", "BkToCstmrStmt")
    assert data != WHOLE
    assert problem in refused(data.encode())


def test_decimals_follow_the_currency_and_trailing_zeros_do_not_matter() -> None:
    for text, currency, expected in (("100.50000", "PHP", 100_50), ("7", "JPY", 7), ("1.234", "KWD", 1234)):
        [statement] = rules.read(WHOLE.replace('Ccy="PHP">100.00', f'Ccy="{currency}">{text}').encode())
        assert statement.lines[0].amount == rules.Money(expected, currency)


def test_only_booked_lines_count_and_the_others_are_counted() -> None:
    lines = [Booked(DAY, 1_00), Booked(DAY, 2_00, status="PDNG"), Booked(DAY, 3_00, status="INFO")]
    [statement] = rules.read(camt053("S-1", 0, lines, first=DAY, last=DAY))
    assert ([line.amount.minor for line in statement.lines], statement.pending) == ([1_00], 2)


def test_placeholders_are_no_references_and_each_reference_stands_once() -> None:
    extra = "<AcctSvcrRef>B-7</AcctSvcrRef>"
    lines = [Booked(DAY, 1_00, extra=extra), Booked(DAY, 1_00, "B-7", extra=extra)]
    [statement] = rules.read(camt053("S-1", 0, lines, first=DAY, last=DAY))
    assert [line.references for line in statement.lines] == [("B-7",), ("B-7",)]


def test_the_version_in_the_namespace_does_not_matter() -> None:
    for version in range(1, 15):
        data = WHOLE.replace(NAMESPACE, f"urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version:02d}")
        assert rules.read(data.encode()) == rules.read(WHOLE.encode())
    assert etree.fromstring(WHOLE.encode()) is not None


def test_two_equal_payments_of_one_day_are_two_lines() -> None:
    [statement] = rules.read(camt053("S-1", 0, [Booked(DAY, 5_00)] * 2, first=DAY, last=DAY))
    assert len({line.line_hash for line in statement.lines}) == 2
