"""Records that came too late or from the future: kept, listed, settled once or refused, and the first answer stays."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.exc import DBAPIError

from cardsvc import cards, ledger
from cardsvc.cards import RevocationReason
from crypto.wire.finance import ShiftOpened
from crypto.wire.transaction import Purpose
from tests.builders import OFFICER, PASSWORD
from tests.town import BUS_CENTS, FLOAT_CENTS, Person, Result, Terminal, Town, claim, pay, tap, top_up

P, C = Purpose.PRESENCE, Purpose.CONSENT
LATE = timedelta(days=31)


@pytest.fixture
def validator(town: Town) -> Terminal:
    town.tariff()
    return town.validator()


def get(town: Town, path: str, *roles: str, status: int = 200) -> Any:
    answer = town.client.get(path, headers=town.token(*roles) if roles else {})
    assert answer.status_code == status, answer.text
    return answer.get_json()


def queue(town: Town, state: str = "open") -> list[Any]:
    found: list[Any] = get(town, f"/v1/disputes?state={state}", "finance")["disputes"]
    return found


def settle(town: Town, record_id: UUID | None, role: str = "finance", key: UUID | None = None) -> Any:
    given = {"reason": "The gate was in the cellar", "password": PASSWORD}
    return town.post(f"/v1/disputes/{record_id}/settlement", given, role, key=key or town.key())


def late_tap(town: Town, validator: Terminal, person: Person) -> tuple[Result, bytes]:
    """A tap that came a month too late, and its bytes."""
    record_id, item = validator.make(tap(), person.signs(P))
    town.clock.advance(LATE)
    [result] = validator.send([item])
    assert (result.outcome, result.reason, result.record_id) == ("rejected", "too_old", record_id)
    return result, item


def test_a_late_record_waits_for_finance_with_all_that_is_known(town: Town, validator: Terminal) -> None:
    ana = town.rich_person()
    result, _ = late_tap(town, validator, ana)
    [found] = queue(town)
    assert (found["record_id"], found["reason"], found["kind"]) == (str(result.record_id), "too_old", 10)
    assert (found["amount_cents"], found["currency"], found["state"]) == (BUS_CENTS, "PHP", "open")
    assert (found["offset_ms"], found["needs_two"], found["settled_by"]) == (0, False, None)
    assert found["believed_at"] == found["happened_at"]
    assert get(town, f"/v1/disputes/{result.record_id}", "auditor") == found
    status = get(town, f"/v1/transactions/{result.record_id}")
    assert (status["outcome"], status["dispute"], status["settled_by"]) == ("rejected", "open", None)
    assert get(town, f"/v1/transactions/{town.key()}", status=404)["code"] == "unknown_receipt"
    town.check()


def test_a_settled_record_is_posted_once_today_and_the_first_answer_stays(town: Town, validator: Terminal) -> None:
    ana = town.rich_person(100_00)
    result, item = late_tap(town, validator, ana)
    key = town.key()
    done = settle(town, result.record_id, key=key)
    assert (done["outcome"], done["replayed"]) == ("accepted", False)
    assert settle(town, result.record_id, key=key)["replayed"] is True
    assert settle(town, result.record_id)["reason"] == "already_done"
    assert town.balance(ana) == 100_00 - BUS_CENTS
    assert town.balance_of("revenue:transit:loop") == [BUS_CENTS]
    entry = town.run(lambda session: ledger.entry(session, key))
    assert entry.kind is ledger.EntryKind.DISPUTE_SETTLED
    assert entry.happened_at < town.clock.now() - timedelta(days=30)
    assert entry.recorded_at == town.clock.now()
    assert dict(entry.metadata) == {"disputed": str(result.record_id), "disputed_kind": "10"}
    [again] = validator.send([item])
    assert (again.outcome, again.reason, again.replayed, again.receipt) == ("rejected", "too_old", True, result.receipt)
    status = get(town, f"/v1/transactions/{result.record_id}")
    assert (status["outcome"], status["dispute"], status["settled_by"]) == ("rejected", "settled", str(key))
    assert (queue(town), len(queue(town, "settled")), len(queue(town, "all"))) == ([], 1, 1)
    receipt = town.client.get(f"/v1/receipts/{key}").data
    settled = receipt_of(town, receipt)
    assert (settled.outcome, settled.amount_cents, settled.kind) == ("accepted", BUS_CENTS, 91)
    town.check()


def receipt_of(town: Town, receipt: bytes) -> Any:
    return town.verified(Result(None, "accepted", None, None, False, receipt))


def test_cards_blocked_and_tariffs_replaced_since_do_not_matter(town: Town, validator: Terminal) -> None:
    ana = town.rich_person(100_00)
    result, _ = late_tap(town, validator, ana)
    now = town.clock.now()
    town.run(lambda session: cards.revoke(session, ana.card.card_id, by=OFFICER, reason=RevocationReason.LOST, now=now))
    town.clock.advance(timedelta(minutes=1))
    town.tariff()
    assert settle(town, result.record_id)["outcome"] == "accepted"
    town.check()


def test_a_record_from_the_future_counts_at_its_time_by_a_clock_that_was_right(town: Town, validator: Terminal) -> None:
    ana = town.rich_person(100_00)
    ahead = timedelta(hours=3)
    _, item = validator.make(tap(), ana.signs(P), at=town.clock.now() + ahead)
    town.clock.advance(ahead)  # the terminal's clock alone: its batch says so too
    raw = validator.batch([item])
    town.clock.advance(-ahead)
    [result] = town.send(raw)
    assert result.reason == "from_the_future"
    [found] = queue(town)
    assert found["offset_ms"] == 3 * 3600 * 1000
    assert found["believed_at"] == found["received_at"]
    assert settle(town, result.record_id)["outcome"] == "accepted"
    town.check()


def test_a_claim_is_settled_by_when_it_was_made_and_a_bill_is_numbered_in_this_year(town: Town) -> None:
    ana, kiosk = town.rich_person(), town.kiosk()
    entitlement = town.cycle(ana)[ana.resident_id]
    [bill] = town.bills("100.00")
    kiosk.add(claim(entitlement), ana.signs(C))
    kiosk.add(pay(bill), ana.signs(C))
    town.clock.advance(timedelta(days=70))  # into the next year, and past the last day to claim
    claimed, paid = kiosk.send()
    assert (claimed.reason, paid.reason) == ("too_old", "too_old")
    assert settle(town, claimed.record_id)["outcome"] == "accepted"
    key = town.key()
    assert settle(town, paid.record_id, key=key)["outcome"] == "accepted"
    assert town.balance(ana) == 10_000_00 + 500_00 - 101_00
    receipt = receipt_of(town, town.client.get(f"/v1/receipts/{key}").data)
    assert receipt.official_number == "RPT-2027-0000001"
    assert kiosk.send_one(pay(bill), ana.signs(C)).reason == "already_done"
    town.check()


def test_a_top_up_of_a_shift_that_was_counted_since_comes_out_of_what_was_over(town: Town) -> None:
    counter, shift_id = town.till()
    ana = town.person()
    _, late = counter.make(top_up(shift_id, 200_00), ana.signs(P))
    assert town.close_shift(counter, shift_id, FLOAT_CENTS + 200_00).outcome == "accepted"
    assert town.balance_of("cash:over-short") == [-200_00]
    town.clock.advance(LATE)
    [refused] = counter.send([late])
    assert settle(town, refused.record_id)["outcome"] == "accepted"
    assert (town.balance(ana), town.balance_of("cash:over-short")) == (200_00, [0])
    town.check()


def test_a_tap_made_twice_is_settled_once(town: Town, validator: Terminal) -> None:
    ana, at = town.rich_person(100_00), town.clock.now()
    validator.add(tap(), ana.signs(P), at=at)
    validator.add(tap(), ana.signs(P), at=at)
    town.clock.advance(LATE)
    one, two = validator.send()
    assert settle(town, one.record_id)["outcome"] == "accepted"
    assert settle(town, two.record_id)["reason"] == "already_done"
    assert town.balance(ana) == 100_00 - BUS_CENTS


def test_what_its_own_rule_refuses_stays_open(town: Town) -> None:
    ana, kiosk = town.person(), town.kiosk()
    [bill] = town.bills("100.00")
    kiosk.add(pay(bill), ana.signs(C))
    town.clock.advance(LATE)
    [late] = kiosk.send()
    assert settle(town, late.record_id)["reason"] == "insufficient_funds"
    assert queue(town)[0]["state"] == "open"
    town.check()


def test_a_refused_dispute_says_why_and_stays_refused(town: Town, validator: Terminal) -> None:
    result, _ = late_tap(town, validator, town.person())
    path = f"/v1/disputes/{result.record_id}/refusal"
    refused = town.post(path, {"reason": "The gate was in a workshop"}, "treasurer")
    assert (refused["state"], refused["why"], refused["settled_by"]) == ("refused", "The gate was in a workshop", None)
    assert town.post(path, {"reason": "again"}, "finance", status=409)["code"] == "dispute_decided"
    assert settle(town, result.record_id)["reason"] == "already_done"
    assert get(town, f"/v1/transactions/{result.record_id}")["dispute"] == "refused"
    unknown = f"/v1/disputes/{town.key()}/refusal"
    assert town.post(unknown, {"reason": "what?"}, "finance", status=404)["code"] == "unknown_dispute"


def decide(town: Town, record_id: UUID | None, decision: str) -> str:
    """Two people sign what is to become of a dispute; the action's id."""
    payload = {"record_id": str(record_id), "decision": decision, "reason": "We both looked at it"}
    action = town.post("/v1/actions", {"kind": "dispute.decide", "payload": payload}, "finance", status=201)
    for role in ("finance", "treasurer"):
        town.post(f"/v1/actions/{action['id']}/signatures", {"password": PASSWORD}, role, status=201)
    return str(action["id"])


def late_payment(town: Town) -> tuple[Person, Result]:
    ana, kiosk = town.rich_person(), town.kiosk()
    [bill] = town.bills("2,000.00")
    kiosk.add(pay(bill), ana.signs(C))
    town.clock.advance(LATE)
    [late] = kiosk.send()
    return ana, late


def test_above_the_limit_two_people_settle(town: Town) -> None:
    ana, late = late_payment(town)
    assert queue(town)[0]["needs_two"] is True
    assert settle(town, late.record_id)["reason"] == "not_permitted"
    path = f"/v1/disputes/{late.record_id}/refusal"
    assert town.post(path, {"reason": "alone"}, "finance", status=403)["code"] == "two_must_decide"
    action_id = decide(town, late.record_id, "settle")
    assert queue(town)[0]["approved_action"] == action_id
    assert settle(town, late.record_id)["outcome"] == "accepted"
    assert town.balance(ana) == 10_000_00 - 2_001_00
    town.check()


def test_who_did_not_agree_does_not_sign_for_two_others(town: Town) -> None:
    _, late = late_payment(town)
    decide(town, late.record_id, "settle")
    given = {"reason": "Let me", "password": PASSWORD}
    path = f"/v1/disputes/{late.record_id}/settlement"
    assert town.post(path, given, "finance", "auditor", key=town.key())["reason"] == "not_permitted"
    town.check()


def test_above_the_limit_two_people_refuse(town: Town) -> None:
    _, late = late_payment(town)
    decide(town, late.record_id, "refuse")
    assert [each["why"] for each in queue(town, "refused")] == ["We both looked at it"]
    payload = {"record_id": str(late.record_id), "decision": "settle", "reason": "Once more"}
    answer = town.post("/v1/actions", {"kind": "dispute.decide", "payload": payload}, "finance", status=409)
    assert answer["code"] == "dispute_decided"


@pytest.mark.parametrize(
    "payload",
    [
        {"record_id": "x", "decision": "settle", "reason": "why not"},
        {"record_id": str(UUID(int=1)), "decision": "drop", "reason": "why not"},
        {"record_id": str(UUID(int=1)), "decision": "settle", "reason": ""},
        {"record_id": str(UUID(int=1)), "decision": "settle"},
    ],
)
def test_an_action_that_says_no_decision_is_not_proposed(town: Town, payload: dict[str, str]) -> None:
    answer = town.post("/v1/actions", {"kind": "dispute.decide", "payload": payload}, "finance", status=422)
    assert answer["code"] == "unsuitable_action"


def test_what_staff_signed_is_not_settled(town: Town) -> None:
    town.fund()
    town.withdraw()
    counter = town.counter()
    _, item = counter.make(ShiftOpened(town.staff("cashier").id, 1_000_00, "PHP"), town.staff_signs("cashier"))
    town.clock.advance(LATE)
    [late] = counter.send([item])
    assert late.reason == "too_old"
    assert settle(town, late.record_id)["reason"] == "not_permitted"


def test_a_record_that_was_refused_for_another_reason_is_not_disputed(town: Town, validator: Terminal) -> None:
    result = validator.send_one(tap(currency="USD"), town.person().signs(P))
    assert (result.reason, queue(town)) == ("wrong_amount", [])
    given = {"reason": "It counts", "password": PASSWORD}
    path = f"/v1/disputes/{result.record_id}/settlement"
    assert town.post(path, given, "finance", key=town.key(), status=404)["code"] == "unknown_dispute"


def test_disputes_are_read_page_by_page(town: Town, validator: Terminal) -> None:
    ana = town.person()
    for _ in range(3):
        validator.add(tap(), ana.signs(P))
    town.clock.advance(LATE)
    validator.send()
    first = get(town, "/v1/disputes?limit=2", "finance")
    second = get(town, f"/v1/disputes?limit=2&after={first['next']}", "finance")
    assert (len(first["disputes"]), len(second["disputes"]), second["next"]) == (2, 1, None)
    assert not {each["record_id"] for each in first["disputes"]} & {each["record_id"] for each in second["disputes"]}


def test_a_dispute_and_its_decision_are_never_changed(town: Town, validator: Terminal) -> None:
    result, _ = late_tap(town, validator, town.rich_person(100_00))
    settle(town, result.record_id)
    for statement in (
        "UPDATE dispute SET kind = 1",
        "DELETE FROM dispute_decision",
        "UPDATE dispute_decision SET why = ''",
    ):
        with pytest.raises(DBAPIError, match="append-only"), town.city.engine.begin() as connection:
            connection.exec_driver_sql(statement)
