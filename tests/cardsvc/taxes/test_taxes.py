"""Bills: a file is taken whole or not at all; a bill is paid whole and once, with a number without gaps."""

from typing import Any

import pytest

from cardsvc.taxes import COLUMNS
from crypto.wire.transaction import Purpose
from tests.town import Town, pay

C = Purpose.CONSENT
ROW = "B-1,TD-1,Ana Cruz,,2026,,100.00,50.00,2026-12-31"


def file(*rows: str, heading: str = ",".join(COLUMNS)) -> bytes:
    return "\n".join((heading, *rows)).encode()


def imported(town: Town, data: bytes, *, dry: bool = False, status: int = 200) -> Any:
    path = "/v1/taxes/bills" + ("?dry_run=1" if dry else "")
    answer = town.client.post(path, data=data, headers=town.token("treasurer"))
    assert answer.status_code == status, answer.text
    return answer.get_json()


def test_a_dry_run_checks_everything_and_stores_nothing(town: Town) -> None:
    answer = imported(town, file(ROW), dry=True)
    assert answer == {"import_id": None, "bill_count": 1, "total_cents": 150_00, "again": False}
    assert (town.count("bill"), town.count("bill_import")) == (0, 0)


def test_the_same_file_again_changes_nothing(town: Town) -> None:
    data = file(ROW, ROW.replace("B-1", "B-2"))
    first = imported(town, data)
    assert imported(town, data) == first | {"again": True}
    assert (town.count("bill"), town.count("bill_import")) == (2, 1)


def test_every_wrong_row_is_named_and_nothing_is_taken(town: Town) -> None:
    rows = {
        ROW: None,
        "": None,  # an empty line is no row
        "B-2,TD,Owner": "The row has not 9 columns.",
        f"{ROW.replace('B-1', 'B-0')},more": "The row has not 9 columns.",
        ",TD,Owner,,2026,,1.00,1.00,2026-12-31": "number is missing or too long.",
        f"{'B' * 31},TD,Owner,,2026,,1.00,1.00,2026-12-31": "number is missing or too long.",
        "B-3,TD,Owner,,1826,,1.00,1.00,2026-12-31": "year is not a year.",
        "B-4,TD,Owner,,2026,5,1.00,1.00,2026-12-31": "quarter is 1 to 4, or empty for the whole year.",
        "B-5,TD,Owner,,2026,,1.005,1.00,2026-12-31": "basic is not an amount like 1,234.50.",
        "B-6,TD,Owner,,2026,,1.00,-1.00,2026-12-31": "sef is negative.",
        "B-7,TD,Owner,,2026,,0.00,0.00,2026-12-31": "basic and sef together must be at least one centavo.",
        "B-8,TD,Owner,,2026,,1.00,1.00,31.12.2026": "due_on is not a date like 2026-03-31.",
        "B-9,TD,Owner,,2026,,1.00,1.00,2026-12-31": "The number B-9 stands in the file more than once.",
        "B-9,TD2,Owner,,2026,,1.00,1.00,2026-12-31": "The number B-9 stands in the file more than once.",
    }
    problem = imported(town, file(*rows), status=422)
    said = {place: messages[0] for place, messages in problem["errors"].items()}
    wanted = [message for row, message in rows.items() if row]
    assert said == {f"rows.{n}": message for n, message in enumerate(wanted, 1) if message}
    assert problem["detail"] == f"{len(said)} rows are wrong; nothing was taken. Correct them and send all."
    assert (town.count("bill"), town.count("bill_import")) == (0, 0)


def test_rows_that_do_not_fit_the_register_are_named(town: Town) -> None:
    imported(town, file(ROW))
    problem = imported(town, file(ROW, "B-2,TD,Owner,MK-000999-1,2026,,1.00,1.00,2026-12-31"), status=422)
    assert problem["errors"] == {
        "rows.1": ["The bill B-1 is in the register already."],
        "rows.2": ["There is no resident MK-000999-1."],
    }


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "The heading must be exactly"),
        (file(ROW, heading="number,tdn"), "The heading must be exactly"),
        (file(), "A file has 1 to 200000 bills"),
        (b"\xff\xfe", "is not UTF-8"),
        (file('"open'), "is not CSV"),
    ],
)
def test_what_is_no_file_of_bills_is_refused_in_a_sentence(town: Town, data: bytes, says: str) -> None:
    problem = imported(town, data, status=422)
    assert problem["code"] == "invalid_bill_file"
    assert says in problem["detail"]


def test_a_bill_is_found_by_its_number_without_its_owner(town: Town) -> None:
    imported(town, file(ROW))
    headers = town.token("cashier")
    found = town.client.get("/v1/taxes/bills?number=B-1", headers=headers).get_json()
    assert (found["total_cents"], found["state"]) == (150_00, "open")
    assert "owner_name" not in found
    missing = town.client.get("/v1/taxes/bills?number=B-9", headers=headers)
    assert (missing.status_code, missing.get_json()["code"]) == (404, "unknown_bill")


def test_official_numbers_have_no_gap_where_payments_were_refused(town: Town) -> None:
    rich, poor, kiosk = town.rich_person(), town.person(), town.kiosk()
    bills = town.bills("100.00", "200.00", "300.00", "400.00")
    kiosk.add(pay(bills[0]), rich.signs(C))
    kiosk.add(pay(bills[1]), poor.signs(C))  # no money
    kiosk.add(pay(bills[0]), rich.signs(C))  # paid already
    kiosk.add(pay(bills[2]), rich.signs(C))
    kiosk.add(pay(bills[1]), rich.signs(C))
    results = kiosk.send()
    numbers = [town.verified(result).official_number for result in results]
    assert numbers == ["RPT-2026-0000001", None, None, "RPT-2026-0000002", "RPT-2026-0000003"]
    later = kiosk.send_one(pay(bills[3]), rich.signs(C))
    assert town.verified(later).official_number == "RPT-2026-0000004"
    town.check()


def test_a_bill_for_the_education_fund_alone_is_one_line_less(town: Town) -> None:
    rich = town.rich_person()
    [bill] = town.bills("0.00")
    assert town.kiosk().send_one(pay(bill), rich.signs(C)).outcome == "accepted"
    assert town.balance_of("revenue:rpt:basic", "revenue:rpt:sef") == [0, 1_00]
    town.check()


def test_anybody_may_pay_anybodys_bill(town: Town) -> None:
    owner, payer = town.person(), town.rich_person()
    [bill] = town.bills("100.00", person=owner)
    assert bill.resident_id == owner.resident_id
    assert town.kiosk().send_one(pay(bill), payer.signs(C)).outcome == "accepted"
    found = town.client.get(f"/v1/taxes/bills?number={bill.number}", headers=town.token("auditor")).get_json()
    assert found["state"] == "paid"
    town.check()
