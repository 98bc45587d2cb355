"""Statements over HTTP: stored whole or not at all, matched, and asserted against the books."""

from datetime import timedelta
from typing import Any

from tests.statements import Booked, camt053
from tests.town import Town


def imported(town: Town, data: bytes, status: int = 200) -> Any:
    answer = town.client.post("/v1/finance/statements", data=data, headers=town.token("finance"))
    assert answer.status_code == status, answer.text
    return answer.get_json()


def statement(town: Town, reference: str, *lines: Booked, opening: int = 0, closing: int | None = None) -> bytes:
    day = town.today()
    return camt053(reference, opening, lines, first=day, last=day, closing_cents=closing)


def states(answer: Any) -> list[tuple[str, str]]:
    return [(line["state"], line["why"]) for line in answer[0]["lines"]]


def test_a_statement_is_matched_and_its_closing_balance_compared(town: Town) -> None:
    town.fund(1_000_00, reference="F-1")
    day = town.today()
    [made] = imported(town, statement(town, "S-1", Booked(day, 1_000_00, "F-1"), Booked(day, 7_00, "GIFT")))
    assert (made["closing_cents"], made["ledger_cents"], made["difference_cents"]) == (1_007_00, 1_000_00, 7_00)
    assert [line["state"] for line in made["lines"]] == ["matched", "open"]
    assert made["lines"][0]["why"] == "Reference F-1 and the amount agree."
    assert made["lines"][1]["why"].startswith("No movement in the books")
    again = town.client.get(f"/v1/finance/statements/{made['id']}", headers=town.token("auditor"))
    assert again.get_json() == made
    unknown = town.client.get(f"/v1/finance/statements/{town.key()}", headers=town.token("auditor"))
    assert (unknown.status_code, unknown.get_json()["code"]) == (404, "unknown_statement")


def test_the_same_file_again_brings_no_line_twice(town: Town) -> None:
    data = statement(town, "S-1", Booked(town.today(), 5_00), Booked(town.today(), 5_00))
    first = imported(town, data)
    assert imported(town, data) == first
    assert (town.count("bank_statement"), town.count("statement_line")) == (1, 2)


def test_overlapping_statements_bring_only_what_is_new(town: Town) -> None:
    day = town.today()
    one, two, three = Booked(day, 1_00, "A"), Booked(day, 2_00, "B"), Booked(day, 3_00, "C")
    imported(town, statement(town, "S-1", one, two))
    [later] = imported(town, statement(town, "S-2", two, three, opening=1_00))
    assert [line["amount_cents"] for line in later["lines"]] == [3_00]
    assert town.count("statement_line") == 3


def test_a_known_statement_with_other_lines_is_refused(town: Town) -> None:
    day = town.today()
    imported(town, statement(town, "S-1", Booked(day, 1_00, "A")))
    problem = imported(town, statement(town, "S-1", Booked(day, 2_00, "A")), 409)
    assert problem["code"] == "statement_differs"
    assert (town.count("bank_statement"), town.count("statement_line")) == (1, 1)


def test_a_file_of_which_one_statement_is_wrong_is_not_stored_at_all(town: Town) -> None:
    good = statement(town, "S-1", Booked(town.today(), 1_00)).decode()
    bad = good[good.index("<Stmt>") : good.index("</BkTo")].replace("S-1", "S-2").replace(">1.00<", ">one<")
    problem = imported(town, good.replace("</Stmt>", "</Stmt>" + bad, 1).encode(), 422)
    assert problem["code"] == "invalid_statement"
    assert town.count("bank_statement") == 0


def test_reversals_and_foreign_money_are_exceptions_that_say_why(town: Town) -> None:
    town.fund(9_00, reference="F-1")
    day = town.today()
    answer = imported(
        town,
        statement(town, "S-1", Booked(day, -9_00, "F-1", reversal=True), Booked(day, 9_00, "F-1", currency="USD")),
    )
    assert states(answer) == [
        ("exception", "The bank took an earlier line back: look for it."),
        ("exception", "The line is in USD; the books are in PHP."),
    ]


def test_a_line_that_came_before_its_movement_is_matched_by_a_later_import(town: Town) -> None:
    day = town.today()
    first = imported(town, statement(town, "S-1", Booked(day, 4_00, "LATE")))
    assert first[0]["lines"][0]["state"] == "open"
    town.fund(4_00, reference="LATE")
    again = imported(town, statement(town, "S-1", Booked(day, 4_00, "LATE")))
    assert again[0]["lines"][0]["state"] == "matched"


def test_an_opening_balance_that_is_not_the_last_closing_one_shows(town: Town) -> None:
    imported(town, statement(town, "S-1", Booked(town.today(), 4_00)))
    town.clock.advance(timedelta(days=1))
    [later] = imported(town, statement(town, "S-2", opening=3_00))
    assert later["opening_gap_cents"] == -1_00


def test_only_finance_imports(town: Town) -> None:
    answer = town.client.post("/v1/finance/statements", data=b"", headers=town.token("clerk"))
    assert answer.status_code == 403
    assert town.client.post("/v1/finance/statements", data=b"").status_code == 401
