"""Cycles: drafted with control totals by one officer, approved by another, claimed once by the right person in time."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cardsvc import benefits
from crypto.wire.transaction import Purpose
from tests.builders import PASSWORD
from tests.town import Town, claim

C = Purpose.CONSENT


@pytest.fixture
def office(town: Town) -> Town:
    """A town with a programme and its fund."""
    town.post("/v1/benefits/programmes", {"code": "RICE", "name": "Rice for all"}, "benefits_officer", status=201)
    town.fund(10_000_00, "benefits:RICE:fund", "F-RICE")
    return town


def draft(town: Town, *lines: tuple[UUID, int], status: int = 201, **changed: object) -> Any:
    body = {
        "programme": "RICE",
        "label": "November",
        "claim_until": (town.today() + timedelta(days=10)).isoformat(),
        "count": len(lines),
        "total_cents": sum(cents for _, cents in lines),
        "lines": [{"resident_id": str(resident_id), "amount_cents": cents} for resident_id, cents in lines],
    }
    return town.post("/v1/benefits/cycles", body | changed, "benefits_officer", status=status)


def test_a_draft_pays_nobody_yet(office: Town) -> None:
    ana = office.person()
    cycle = draft(office, (ana.resident_id, 500_00))
    assert (cycle["state"], cycle["line_count"], cycle["total_cents"], cycle["approved_by"]) == (
        "draft",
        1,
        500_00,
        None,
    )
    assert office.run(lambda session: benefits.due(session, ana.resident_id, office.today())) == []
    with office.city.engine.connect() as connection:
        [raw] = connection.exec_driver_sql("SELECT id FROM entitlement").scalars()
    entitlement = raw if isinstance(raw, UUID) else UUID(bytes=raw)
    refused = office.kiosk().send_one(claim(entitlement), ana.signs(C))
    assert (refused.outcome, refused.reason) == ("rejected", "unknown_reference")


def test_every_fault_of_a_draft_is_named_and_nothing_is_stored(office: Town) -> None:
    ana = office.person().resident_id
    lines = (ana, 1_00), (ana, 2_00), (UUID(int=5), 3_00)
    yesterday = (office.today() - timedelta(days=1)).isoformat()
    problem = draft(office, *lines, status=422, count=4, total_cents=7_00, claim_until=yesterday)
    assert problem["code"] == "invalid_cycle"
    assert problem["errors"] == {
        "count": ["The list has 3 lines, the control count says 4."],
        "total_cents": ["The lines sum to 600 cents, not 700."],
        "claim_until": ["The last day to claim has passed."],
        "lines.0": ["This resident stands in the list more than once."],
        "lines.1": ["This resident stands in the list more than once."],
    }
    unknown = draft(office, (ana, 1_00), (UUID(int=5), 3_00), status=422)
    assert unknown["errors"] == {"lines.1": ["There is no such resident."]}
    assert draft(office, status=422)["code"] == "invalid_fields"
    assert draft(office, (ana, 1_00), status=404, programme="NONE")["code"] == "unknown_programme"
    assert (office.count("cycle"), office.count("entitlement")) == (0, 0)


def test_a_long_list_of_strangers_names_a_hundred(office: Town) -> None:
    problem = draft(office, *((UUID(int=n), 1_00) for n in range(1, 151)), status=422)
    assert problem["detail"].startswith("The cycle was not stored: 150 places are wrong.")
    assert len(problem["errors"]) == 100


def test_names_are_used_once(office: Town) -> None:
    ana = office.person().resident_id
    again = {"code": "RICE", "name": "Again"}
    problem = office.post("/v1/benefits/programmes", again, "benefits_officer", status=409)
    assert problem["code"] == "programme_exists"
    draft(office, (ana, 1_00))
    assert draft(office, (ana, 1_00), status=409)["code"] == "cycle_exists"


def approve(town: Town, cycle_id: str, *roles: str, key: UUID | None = None, status: int = 200) -> Any:
    path = f"/v1/benefits/cycles/{cycle_id}/approval"
    return town.post(path, {"password": PASSWORD}, *roles, key=key or town.key(), status=status)


def test_another_officer_approves_and_the_money_is_set_apart(office: Town) -> None:
    ana = office.person()
    cycle = draft(office, (ana.resident_id, 500_00))
    key = office.key()
    first = approve(office, cycle["id"], "benefits_approver", key=key)
    assert first["outcome"] == "accepted"
    assert approve(office, cycle["id"], "benefits_approver", key=key) == first | {"replayed": True}
    assert approve(office, cycle["id"], "benefits_approver")["reason"] == "already_done"
    assert office.balance_of("benefits:RICE:fund", f"benefits:{cycle['id']}:reserve") == [9_500_00, 500_00]
    [listed] = office.client.get("/v1/benefits/cycles", headers=office.token("auditor")).get_json()
    assert (listed["state"], listed["approved_by"]) == ("approved", str(office.staff("benefits_approver").id))
    assert approve(office, str(UUID(int=1)), "benefits_approver", status=404)["code"] == "unknown_cycle"
    office.check()


def test_who_drafted_a_cycle_cannot_approve_it(office: Town) -> None:
    ana = office.person().resident_id
    both = "benefits_officer", "benefits_approver"
    body = {
        "programme": "RICE",
        "label": "Mine",
        "claim_until": (office.today() + timedelta(days=1)).isoformat(),
        "count": 1,
        "total_cents": 1_00,
        "lines": [{"resident_id": str(ana), "amount_cents": 1_00}],
    }
    cycle = office.post("/v1/benefits/cycles", body, *both, status=201)
    refused = approve(office, cycle["id"], *both)
    assert (refused["outcome"], refused["reason"]) == ("rejected", "not_permitted")
    assert office.count("entry") == 1
    assert approve(office, cycle["id"], "benefits_officer", status=403)["code"] == "not_allowed"


def test_the_database_itself_wants_two_officers(office: Town) -> None:
    draft(office, (office.person().resident_id, 1_00))

    def work(session: Session) -> None:
        session.execute(sa.text("UPDATE cycle SET state = 'approved', approved_by = drafted_by, approved_record = id"))

    with pytest.raises(IntegrityError, match="two_officers"):
        office.run(work)


def test_a_fund_without_money_approves_nothing(office: Town) -> None:
    cycle = draft(office, (office.person().resident_id, 10_000_01))
    assert approve(office, cycle["id"], "benefits_approver")["reason"] == "insufficient_funds"
    office.fund(1, "benefits:RICE:fund", "F-2")
    assert approve(office, cycle["id"], "benefits_approver")["outcome"] == "accepted"
    office.check()


def test_a_claim_is_for_its_owner_once_and_in_time(town: Town) -> None:
    ana, ben, kiosk = town.person(), town.person(), town.kiosk()
    entitlements = town.cycle(ana, ben)
    mine, his = entitlements[ana.resident_id], entitlements[ben.resident_id]
    assert kiosk.send_one(claim(mine), ben.signs(C)).reason == "unknown_reference"
    assert kiosk.send_one(claim(mine, 500_01), ana.signs(C)).reason == "wrong_amount"
    assert kiosk.send_one(claim(mine), ana.signs(C)).outcome == "accepted"
    assert kiosk.send_one(claim(mine), ana.signs(C)).reason == "already_done"
    last_day = town.clock.now() + timedelta(days=10)
    town.clock.set(last_day + timedelta(days=1))
    late = kiosk.send_one(claim(his), ben.signs(C))
    assert (late.reason, late.detail) == (
        "already_done",
        f"The last day to claim was {date(2026, 11, 12)}. Ask the benefits office.",
    )
    # made in time at a kiosk without a network, and sent the day after
    assert kiosk.send_one(claim(his), ben.signs(C), at=last_day).outcome == "accepted"
    assert (town.balance(ana), town.balance(ben)) == (500_00, 500_00)
    town.check()


def test_a_slow_clock_does_not_reopen_a_day_that_is_over(town: Town) -> None:
    ana, kiosk = town.person(), town.kiosk()
    mine = town.cycle(ana)[ana.resident_id]
    last_day = town.clock.now() + timedelta(days=10)
    town.clock.set(last_day + timedelta(days=3))
    assert kiosk.send_one(claim(mine), ana.signs(C), at=last_day).reason == "already_done"
    town.check()


def test_what_is_due_shows_the_first_to_lapse_first_and_goes_when_claimed(town: Town) -> None:
    ana = town.person()
    entitlement = town.cycle(ana)[ana.resident_id]
    due = town.run(lambda session: benefits.due(session, ana.resident_id, town.today()))
    assert [(d.entitlement_id, d.programme_name, d.amount_cents) for d in due] == [
        (entitlement, "Rice for all", 500_00)
    ]
    assert town.run(lambda s: benefits.due(s, ana.resident_id, town.today() + timedelta(days=11))) == []
    town.kiosk().send_one(claim(entitlement), ana.signs(C))
    assert town.run(lambda session: benefits.due(session, ana.resident_id, town.today())) == []
