"""The month's end, as finance goes through it: over the API, on the pages, from the command line."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from cardsvc import ledger
from cardsvc.app import wiring
from cardsvc.ledger.actions.chart import packaged_chart
from cardsvc.ledger.queries import asserting
from crypto.wire.transaction import Purpose
from tests import surfing
from tests.builders import PASSWORD
from tests.town import FLOAT_CENTS, Town, top_up

MONTH = "2026-11"


@pytest.fixture
def december(town: Town) -> Town:
    """A town in December that had some money in November."""
    town.fund()
    town.clock.advance(timedelta(days=33))
    return town


def get(town: Town, path: str, role: str = "auditor") -> Any:
    answer = town.client.get(path, headers=town.token(role))
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def sign(town: Town, action_id: str, *roles: str) -> None:
    for role in roles:
        town.post(f"/v1/actions/{action_id}/signatures", {"password": PASSWORD}, role, status=201)


def close(town: Town, month: str = MONTH) -> None:
    town.post(f"/v1/ledger/periods/{month}/soft-close", {}, "finance", key=town.key())
    proposed = town.post(f"/v1/ledger/periods/{month}/close", {}, "finance", status=201)
    sign(town, proposed["action_id"], "finance", "treasurer")


def test_a_month_is_closed_over_the_api_and_what_comes_late_is_refused(december: Town) -> None:
    town = december
    close(town)
    [this, last] = get(town, "/v1/ledger/periods")["periods"]
    assert (this["state"], last["state"], last["month"]) == ("open", "closed", MONTH)
    assert [event["verb"] for event in last["events"]] == ["soft_close", "close"]
    lines = get(town, f"/v1/ledger/periods/{MONTH}/balance")["lines"]
    assert {(line["code"], line["debit_cents"]) for line in lines} >= {("bank:main", 1_000_000_00)}
    late = {
        "fund": "general",
        "booked_on": "2026-11-30",
        "particulars": "Forgotten",
        "document": "x",
        "lines": [
            {"account_code": "expense:bank-charges", "amount_cents": 100},
            {"account_code": "bank:main", "amount_cents": -100},
        ],
    }
    action_id = town.post("/v1/finance/journal-entries", late, "finance", status=201)["action_id"]
    sign(town, action_id, "finance")
    refused = town.post(f"/v1/actions/{action_id}/signatures", {"password": PASSWORD}, "treasurer", status=409)
    assert "The books of 2026-11 are closed" in refused["detail"]
    reopened = town.post(f"/v1/ledger/periods/{MONTH}/reopen", {"reason": "Forgotten"}, "finance", status=201)
    sign(town, reopened["action_id"], "finance", "treasurer")
    sign(town, action_id, "treasurer")
    assert town.run(ledger.check_periods).closes == 1
    town.check()


def test_an_open_shift_stands_against_the_close(december: Town) -> None:
    town = december
    town.clock.advance(timedelta(days=-5))  # the last of November
    counter, shift_id = town.till()
    town.clock.advance(timedelta(days=5))
    town.post(f"/v1/ledger/periods/{MONTH}/soft-close", {}, "finance", key=town.key())
    refused = town.post(f"/v1/ledger/periods/{MONTH}/close", {}, "finance", status=409)
    assert refused["code"] == "not_ready_to_close"
    assert "A shift that began on 2026-11-30 was not closed" in refused["detail"]
    assert town.close_shift(counter, shift_id, FLOAT_CENTS).outcome == "accepted"
    town.post(f"/v1/ledger/periods/{MONTH}/close", {}, "finance", status=201)


def test_taps_and_top_ups_of_december_go_on_while_november_is_closed(december: Town) -> None:
    town = december
    close(town)
    counter, shift_id = town.till()
    ana = town.person()
    assert counter.send_one(top_up(shift_id, 50_00), ana.signs(Purpose.PRESENCE)).outcome == "accepted"
    late = counter.send_one(
        top_up(shift_id, 7_00), ana.signs(Purpose.PRESENCE), at=town.clock.now() - timedelta(days=6)
    )
    assert late.outcome == "accepted", "what residents did late lands in the open month"
    assert town.run(ledger.check_periods).closes == 1
    town.check()


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v1/ledger/periods/2026-13/soft-close", "invalid_month"),
        ("/v1/ledger/periods/november/close", "invalid_month"),
        ("/v1/ledger/periods/2026-12/soft-close", "period_out_of_order"),
        ("/v1/ledger/periods/2026-10/soft-close", "period_out_of_order"),
    ],
)
def test_what_cannot_be_closed_is_refused_by_code(december: Town, path: str, code: str) -> None:
    status = 400 if code == "invalid_month" else 409
    assert december.post(path, {}, "finance", key=december.key(), status=status)["code"] == code


def test_who_may_read_does_not_close(december: Town) -> None:
    for path in (f"/v1/ledger/periods/{MONTH}/soft-close", f"/v1/ledger/periods/{MONTH}/close"):
        december.post(path, {}, "auditor", status=403)
    answer = december.client.get(f"/v1/ledger/periods/{MONTH}/balance", headers=december.token("auditor"))
    assert (answer.status_code, answer.get_json()["code"]) == (404, "never_closed")


def test_a_bank_balance_is_signed_off_over_the_api_and_then_stands(december: Town) -> None:
    town = december
    given = {"account_code": "bank:main", "day": "2026-11-30", "balance_cents": 1_000_000_00, "document": "Stmt 11"}
    held = town.post("/v1/ledger/assertions", given, "finance", key=town.key(), status=201)
    assert (held["held"], held["difference_cents"]) == (True, 0)
    wrong = town.post("/v1/ledger/assertions", given | {"balance_cents": 5}, "finance", key=town.key(), status=201)
    assert (wrong["held"], wrong["found_cents"]) == (False, 1_000_000_00)
    assert len(get(town, "/v1/ledger/assertions?account_code=bank:main")["assertions"]) == 2
    lines = [
        {"account_code": "expense:bank-charges", "amount_cents": 1},
        {"account_code": "bank:main", "amount_cents": -1},
    ]
    voucher = {"fund": "general", "booked_on": "2026-11-30", "particulars": "Late", "document": "x", "lines": lines}
    action_id = town.post("/v1/finance/journal-entries", voucher, "finance", status=201)["action_id"]
    sign(town, action_id, "finance")
    refused = town.post(f"/v1/actions/{action_id}/signatures", {"password": PASSWORD}, "treasurer", status=409)
    assert "was signed off" in refused["detail"]
    path = f"/v1/ledger/assertions/{held['id']}/withdrawal"
    town.post(path, {"reason": "The bank charged a centavo"}, "finance", key=town.key())
    again = town.post(path, {"reason": "again"}, "finance", key=town.key(), status=409)
    assert again["code"] == "assertion_withdrawn"
    sign(town, action_id, "treasurer")
    nobody = f"/v1/ledger/assertions/{UUID(int=7)}/withdrawal"
    assert town.post(nobody, {"reason": "none"}, "finance", key=town.key(), status=404)["code"] == "unknown_assertion"
    assert town.run(ledger.check_assertions).assertions == 0


def test_what_is_asked_again_under_its_key_is_done_once(december: Town) -> None:
    town, key, other = december, december.key(), december.key()
    soft = f"/v1/ledger/periods/{MONTH}/soft-close"
    assert town.post(soft, {}, "finance", status=400)["code"] == "idempotency_key_missing"
    one, two = (town.post(soft, {}, "finance", key=key) for _ in range(2))
    assert one == two
    assert len(two["events"]) == 1
    assert town.post(soft, {}, "treasurer", key=key, status=409)["code"] == "idempotency_key_reused"
    assert town.post(soft, {}, "finance", key=other, status=409)["code"] == "period_out_of_order"
    given = {"account_code": "bank:main", "day": "2026-11-30", "balance_cents": 5, "document": "Stmt 11"}
    for _ in range(2):
        assert town.post("/v1/ledger/assertions", given, "finance", key=key, status=201)["id"] == str(key)
    changed = given | {"balance_cents": 6}
    refused = town.post("/v1/ledger/assertions", changed, "finance", key=key, status=409)
    assert refused["code"] == "idempotency_key_reused"
    assert len(get(town, "/v1/ledger/assertions")["assertions"]) == 1
    path, reason = f"/v1/ledger/assertions/{key}/withdrawal", {"reason": "Misread"}
    first, again = (town.post(path, reason, "finance", key=other) for _ in range(2))
    assert first == again
    assert first["withdrawn_why"] == "Misread"
    refused = town.post(path, {"reason": "Another"}, "finance", key=other, status=409)
    assert refused["code"] == "idempotency_key_reused"


def test_a_chart_is_checked_proposed_and_adopted_over_the_api(december: Town) -> None:
    town = december
    document = get(town, "/v1/ledger/chart")["document"]
    assert document == packaged_chart()
    more = document + '\n[[account]]\npattern = "expense:postage"\nkind = "expense"\npolicy = "derived"\n'
    more += 'fund = "general"\ntitle = "Postage"\njournal = true\n'
    assert town.post("/v1/ledger/chart/checks", {"document": more}, "auditor")["added"] == ["expense:postage"]
    again = town.post("/v1/ledger/chart/proposals", {"document": document}, "finance", status=422)
    assert again["code"] == "invalid_chart"
    broken = document.replace('pattern = "bank:main"\nkind = "asset"', 'pattern = "bank:main"\nkind = "expense"')
    refused = town.post("/v1/ledger/chart/checks", {"document": broken}, "auditor", status=422)
    assert "bank:main" in json.dumps(refused)
    proposed = town.post("/v1/ledger/chart/proposals", {"document": more}, "finance", status=201)
    assert proposed["summary"] == "Adopt a chart of accounts: add expense:postage"
    sign(town, proposed["action_id"], "finance", "treasurer")
    versions = get(town, "/v1/ledger/chart")["versions"]
    assert [version["number"] for version in versions] == [2, 1]
    assert versions[0]["action_id"] == proposed["action_id"]


# ------------------------------------------------------------------------------------------------------------ pages


def test_the_pages_go_the_same_way(december: Town, app: Flask) -> None:
    town = december
    officer, treasurer = (surfing.staff(town, app, role) for role in ("finance", "treasurer"))
    assert "Close 2026-11 softly" in officer.read("/finance/periods")
    assert "Soft closed" in officer.send(f"/finance/periods/{MONTH}/soft-close")
    action = officer.post(f"/finance/periods/{MONTH}/close").location
    for person in (officer, treasurer):
        assert person.post(f"{action}/sign", password=PASSWORD).status_code == 302
    assert "Closed" in officer.read("/finance/periods")
    assert "not over" in officer.refused("/finance/periods/2026-12/soft-close", 409)
    assert "reason" in officer.refused(f"/finance/periods/{MONTH}/reopen", 422, reason="")
    signed = officer.send(
        "/finance/assertions", account_code="bank:main", day="2026-11-30", balance="999,999.00", document="Stmt"
    )
    assert "Did not hold" in signed
    key = officer.get("/finance/assertions").split('name="key" value="')[1].split('"')[0]
    said = {"account_code": "bank:main", "day": "2026-11-30", "balance": "5.00", "document": "Count", "key": key}
    assert officer.send("/finance/assertions", **said) == officer.send("/finance/assertions", **said)
    assert len(town.run(asserting.assertions)) == 2
    assert "sent before" in officer.refused("/finance/assertions", 409, **said | {"balance": "6.00"})
    assert "Enter a day" in officer.refused("/finance/assertions", 422, balance="x")
    assert "There is no account" in officer.refused(
        "/finance/assertions", 404, account_code="bank:x", day="2026-11-30", balance="1", document="Stmt"
    )
    assert "Residents' wallets" in officer.read("/finance/chart")
    auditor = surfing.staff(town, app, "auditor")
    assert "Propose" not in auditor.read("/finance/periods")
    assert "Sign it off" not in auditor.read("/finance/assertions")


# -------------------------------------------------------------------------------------------------- command line


def run(town: Town, *arguments: str, passwords: int = 0) -> Result:
    command = wiring.commands(town.clock)["ledger"]
    typed = f"{PASSWORD}\n" * passwords
    return CliRunner().invoke(command, list(arguments), obj=lambda: town.city, input=typed)


def said(result: Result) -> Any:
    """The one JSON object, after whatever was asked for."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout[result.stdout.index("{") :])


def test_the_command_line_goes_the_same_way(december: Town, tmp_path: Path) -> None:
    town = december
    ana, ben = town.staff("finance").username, town.staff("treasurer").username
    by = ("--by", ana, "--second", ben, "--json")
    assert said(run(town, "period", "list", "--json"))["periods"][1]["state"] == "open"
    run_soft = run(town, "period", "soft-close", MONTH, "--by", ana, "--json", passwords=1)
    assert said(run_soft)["state"] == "soft_closed"
    assert said(run(town, "period", "close", MONTH, *by, passwords=2))["state"] == "done"
    assert f"{MONTH}  closed" in run(town, "period", "list").output
    reopened = run(town, "period", "reopen", MONTH, "--reason", "a bill", *by, passwords=2)
    assert said(reopened)["state"] == "done"
    chart = tmp_path / "chart.toml"
    chart.write_text(run(town, "chart", "show").stdout.replace('"Cash in bank"', '"Cash at the Land Bank"'))
    assert said(run(town, "chart", "check", str(chart), "--json"))["changed"] == ["bank:main"]
    assert said(run(town, "chart", "adopt", str(chart), *by, passwords=2))["state"] == "done"
    assert len(said(run(town, "chart", "show", "--json"))["versions"]) == 2
    assert said(run(town, "assertions", "--json")) == {"assertions": []}
    assert run(town, "assertions", "--failed").exit_code == 0


def test_one_person_twice_or_a_clerk_closes_nothing(december: Town) -> None:
    town = december
    ana, clerk = town.staff("finance").username, town.staff("clerk").username
    assert run(town, "period", "soft-close", MONTH, "--by", clerk, passwords=1).exit_code == 1
    run(town, "period", "soft-close", MONTH, "--by", ana, passwords=1)
    for second in (ana, clerk):
        assert run(town, "period", "close", MONTH, "--by", ana, "--second", second, passwords=2).exit_code == 1
    assert get(town, "/v1/ledger/periods")["periods"][1]["state"] == "soft_closed"
