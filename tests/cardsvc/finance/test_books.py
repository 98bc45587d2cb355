"""Finance reads the books: from a total down to who signed, on pages and over the API, and nobody else does."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests import builders
from tests.town import Town

DAY = "2026-11-02"


@pytest.fixture
def reader(town: Town) -> dict[str, str]:
    """An auditor, in a town where money came in and out."""
    town.fund(500_00, reference="LBP 1")
    town.withdraw(200_00, reference="Cash 1")
    return town.token("auditor")


@pytest.fixture
def browser(client: FlaskClient, reader: dict[str, str], town: Town) -> FlaskClient:
    """The same auditor's browser, signed in."""
    return signed_in(client, town, "auditor")


def signed_in(client: FlaskClient, town: Town, *roles: str) -> FlaskClient:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/sign-in").text)
    assert found is not None
    given = {"csrf_token": found[1], "username": town.staff(*roles).username, "password": builders.PASSWORD}
    assert client.post("/sign-in", data=given).status_code == 302
    return client


def ask(client: FlaskClient, headers: dict[str, str], path: str) -> Any:
    answer = client.get(f"/v1/finance/{path}", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def test_the_trial_balance_is_that_of_now_a_day_a_place_or_a_fund(client: FlaskClient, reader: dict[str, str]) -> None:
    now = ask(client, reader, "trial-balance")
    sums = {line["code"]: line["debit_cents"] - line["credit_cents"] for line in now["lines"]}
    assert {code: cents for code, cents in sums.items() if cents} == {
        "bank:main": 300_00,
        "cash:vault": 200_00,
        "equity:general": -500_00,
    }
    assert ask(client, reader, f"trial-balance?on={DAY}") == now
    assert ask(client, reader, "trial-balance?on=2026-11-01")["lines"] == []
    first = ask(client, reader, "trial-balance?at=0&by_account=true&fund=general")
    assert {line["code"] for line in first["lines"]} == {"bank:main", "equity:general"}
    assert client.get("/v1/finance/trial-balance?at=0&on=2026-11-01", headers=reader).status_code == 422


def test_a_statement_balances_and_entries_are_read_page_by_page(client: FlaskClient, reader: dict[str, str]) -> None:
    page = ask(client, reader, "accounts/bank:main/statement?limit=1&newest_first=true")
    assert (page["opening"], page["closing"], page["lines"][0]["counterparts"]) == (500_00, 300_00, ["cash:vault"])
    rest = ask(client, reader, f"accounts/bank:main/statement?newest_first=true&after={page['next']}")
    assert [line["balance_after"] for line in rest["lines"]] == [500_00]
    of_day = ask(client, reader, f"accounts/bank:main/statement?first={DAY}&last={DAY}&by=happened")
    assert (of_day["brought_forward"], of_day["carried_forward"]) == (0, 300_00)
    held = ask(client, reader, f"balances?code=bank:main&code=cash:vault&on={DAY}")
    assert held == {
        "balances": [
            {"code": "bank:main", "balance_cents": 300_00},
            {"code": "cash:vault", "balance_cents": 200_00},
        ]
    }
    found = ask(client, reader, "entries?limit=1")
    assert found["entries"][0]["lines"][0]["account"] == "bank:main"
    assert ask(client, reader, f"entries?after={found['next']}")["next"] is None
    assert ask(client, reader, "entries?amount_cents=20000&kind=43")["entries"][0]["kind"] == 43
    assert client.get("/v1/finance/entries?key=x", headers=reader).status_code == 422
    assert client.get("/v1/finance/accounts/nobody/statement", headers=reader).status_code == 404
    assert client.get("/v1/finance/accounts/bank:main/statement?after=x", headers=reader).status_code == 400


def test_the_day_is_told_as_on_its_sheet_and_not_twice(client: FlaskClient, reader: dict[str, str]) -> None:
    day = ask(client, reader, f"day/{DAY}")
    assert (day["trial_difference_cents"], [total["kind"] for total in day["totals"]]) == (0, [41, 43])
    assert len(day["entries"]) == 2
    assert ask(client, reader, "day/2026-11-01")["entries"] == []
    assert client.get("/v1/finance/day/monday", headers=reader).status_code == 404
    answer = client.get(f"/v1/finance/day/{DAY}", headers=reader)
    again = client.get(f"/v1/finance/day/{DAY}", headers={**reader, "If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_pages_lead_from_a_total_to_the_receipt(browser: FlaskClient, reader: dict[str, str]) -> None:
    trial = browser.get("/finance/trial-balance")
    assert trial.status_code == 200, trial.text
    assert '/finance/accounts/bank:main"' in trial.text
    account = browser.get("/finance/accounts/bank:main").text
    entry_id = ask(browser, reader, "entries")["entries"][1]["entry_id"]
    assert f"/finance/entries/{entry_id}" in account
    entry = browser.get(f"/finance/entries/{entry_id}").text
    assert f"/receipts/{entry_id}" in entry
    assert browser.get(f"/receipts/{entry_id}").status_code == 200
    assert browser.get("/finance?date=2026-11-02").status_code == 200
    assert browser.get("/finance/accounts?control=wallet:*:main").status_code == 200
    assert browser.get("/finance/trial-balance?on=yesterday").status_code == 400


def test_the_trial_balance_is_a_file_too(browser: FlaskClient) -> None:
    answer = browser.get(f"/finance/trial-balance.csv?fund=general&on={DAY}")
    assert f'filename="trial-balance-general-{DAY}.csv"' in answer.headers["Content-Disposition"]
    assert answer.text.splitlines()[-1] == "general,total,,,,500.00,500.00"


@pytest.mark.parametrize("path", ["/finance/trial-balance", "/finance/accounts/bank:main", "/finance/accounts"])
def test_who_is_not_of_finance_reads_none_of_it(client: FlaskClient, town: Town, path: str) -> None:
    assert client.get("/v1/finance/entries", headers=town.token("clerk", "cashier")).status_code == 403
    assert signed_in(client, town, "clerk", "cashier").get(path).status_code == 403
