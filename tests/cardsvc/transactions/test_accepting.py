"""Batches over HTTP, from the signature to the receipt: what is accepted, and what sending it again does."""

import pytest

from cardsvc import audit, db, ledger
from crypto.wire.finance import ShiftClosed, ShiftOpened
from crypto.wire.receipt import Receipt
from crypto.wire.transaction import Purpose
from tests.town import BUS_CENTS, FLOAT_CENTS, Result, Terminal, Town, claim, pay, tap, top_up


def accepted(town: Town, result: Result) -> Receipt:
    """The receipt of a result that must be accepted and new; it verifies offline."""
    assert (result.outcome, result.reason, result.detail, result.replayed) == ("accepted", None, None, False), result
    receipt = town.verified(result)
    assert (receipt.record_id, receipt.outcome) == (result.record_id, "accepted")
    assert receipt.entry_hash is not None
    return receipt


def test_a_shift_with_top_ups_in_one_batch_is_taken_in_order(town: Town) -> None:
    town.fund()
    town.withdraw()
    counter, ana, ben = town.counter(), town.person(), town.person()
    cashier = town.staff("cashier").id
    shift_id = counter.add(ShiftOpened(cashier, FLOAT_CENTS, "PHP"), town.staff_signs("cashier"))
    counter.add(top_up(shift_id, 200_00), ana.signs(Purpose.PRESENCE))
    counter.add(top_up(shift_id, 300_00), ben.signs(Purpose.PRESENCE))
    counter.add(ShiftClosed(cashier, shift_id, FLOAT_CENTS + 500_00, "PHP"), town.staff_signs("cashier"))
    counter.add(top_up(shift_id, 100_00), ana.signs(Purpose.PRESENCE))
    *done, late = counter.send()
    receipts = [accepted(town, result) for result in done]
    assert [receipt.amount_cents for receipt in receipts] == [FLOAT_CENTS, 200_00, 300_00, FLOAT_CENTS + 500_00]
    assert (late.outcome, late.reason) == ("rejected", "unknown_reference")
    assert town.verified(late).entry_hash is None
    assert (town.balance(ana), town.balance(ben)) == (200_00, 300_00)
    assert town.balance_of("cash:vault") == [50_000_00 + 500_00]
    town.check()


def test_a_tap_moves_the_fare_to_the_operator(town: Town) -> None:
    town.tariff()
    ana, validator = town.rich_person(100_00), town.validator()
    receipt = accepted(town, validator.send_one(tap(), ana.signs(Purpose.PRESENCE)))
    assert (receipt.amount_cents, receipt.currency, receipt.official_number) == (BUS_CENTS, "PHP", None)
    assert town.balance(ana) == 100_00 - BUS_CENTS
    assert town.balance_of("revenue:transit:loop") == [BUS_CENTS]
    town.check()


def test_a_claim_moves_an_entitlement_into_the_wallet(town: Town) -> None:
    ana, kiosk = town.person(), town.kiosk()
    entitlement = town.cycle(ana)[ana.resident_id]
    accepted(town, kiosk.send_one(claim(entitlement), ana.signs(Purpose.CONSENT)))
    assert town.balance(ana) == 500_00
    town.check()


def test_a_tax_payment_has_an_official_receipt(town: Town) -> None:
    ana, kiosk = town.rich_person(), town.kiosk()
    [bill] = town.bills("1,234.50")
    receipt = accepted(town, kiosk.send_one(pay(bill), ana.signs(Purpose.CONSENT)))
    assert receipt.official_number == "RPT-2026-0000001"
    assert town.balance_of("revenue:rpt:basic", "revenue:rpt:sef") == [1_234_50, 1_00]
    assert town.balance(ana) == 10_000_00 - 1_235_50
    town.check()


def test_the_log_includes_every_answer_at_its_place(town: Town) -> None:
    town.tariff()
    ana, validator = town.rich_person(100_00), town.validator()
    for _ in range(3):
        validator.add(tap(), ana.signs(Purpose.PRESENCE))
    validator.add(tap(currency="USD"), ana.signs(Purpose.PRESENCE))  # refused: not the city's money
    receipts = [town.verified(result) for result in validator.send()]
    first = receipts[0].leaf_index
    assert [receipt.leaf_index for receipt in receipts] == [first, first + 1, first + 2, first + 3]
    assert {receipt.tree_size for receipt in receipts} == {first + 4}
    checkpoint = town.client.get("/log/checkpoint").text
    assert receipts[0].checkpoint == checkpoint
    with db.unit_of_work(town.city.engine, read_only=True) as session:
        assert audit.next_index(session) == first + 4
        entry = ledger.entry(session, receipts[0].record_id)
    assert (entry.seq, entry.entry_hash) == (first, receipts[0].entry_hash)


def test_a_receipt_can_be_fetched_by_whoever_knows_its_id(town: Town) -> None:
    town.tariff()
    ana, validator = town.rich_person(100_00), town.validator()
    result = validator.send_one(tap(), ana.signs(Purpose.PRESENCE))
    answer = town.client.get(f"/v1/receipts/{result.record_id}")
    assert (answer.data, answer.mimetype) == (result.receipt, "application/cbor")
    unknown = town.client.get(f"/v1/receipts/{town.key()}")
    assert (unknown.status_code, unknown.get_json()["code"]) == (404, "unknown_receipt")


# ------------------------------------------------------------------------------------------------------------- again


@pytest.fixture
def validator(town: Town) -> Terminal:
    town.tariff()
    return town.validator()


def test_the_same_batch_again_changes_nothing_and_answers_the_same(town: Town, validator: Terminal) -> None:
    ana = town.rich_person(100_00)
    validator.add(tap(), ana.signs(Purpose.PRESENCE))
    validator.add(tap(currency="USD"), ana.signs(Purpose.PRESENCE))
    raw = validator.batch()
    first = town.send(raw)
    before = [town.count(table) for table in ("transaction", "batch", "entry", "log_leaf", "checkpoint")]
    second = town.send(raw)
    assert [town.count(table) for table in ("transaction", "batch", "entry", "log_leaf", "checkpoint")] == before
    assert [result.replayed for result in first] == [False, False]
    assert [result.replayed for result in second] == [True, True]
    for one, again in zip(first, second, strict=True):
        assert (one.outcome, one.reason, one.detail, one.receipt) == (
            again.outcome,
            again.reason,
            again.detail,
            again.receipt,
        )
    town.check()


def test_items_that_come_again_in_other_batches_get_their_first_answer(town: Town, validator: Terminal) -> None:
    ana = town.rich_person(100_00)
    _, one = validator.make(tap(), ana.signs(Purpose.PRESENCE))
    _, two = validator.make(tap(), ana.signs(Purpose.PRESENCE))
    _, three = validator.make(tap(), ana.signs(Purpose.PRESENCE))
    [first] = validator.send([one])
    later = validator.send([three, one, two])
    assert [result.replayed for result in later] == [False, True, False]
    assert later[1].receipt == first.receipt
    assert town.balance(ana) == 100_00 - 3 * BUS_CENTS
    town.check()


def test_a_record_twice_in_one_batch_counts_once(town: Town, validator: Terminal) -> None:
    ana = town.rich_person(100_00)
    _, item = validator.make(tap(), ana.signs(Purpose.PRESENCE))
    one, two = validator.send([item, item])
    assert (one.replayed, two.replayed) == (False, True)
    assert one.receipt == two.receipt
    assert town.balance(ana) == 100_00 - BUS_CENTS
    town.check()


def test_a_batch_of_nothing_is_answered_with_nothing(town: Town, validator: Terminal) -> None:
    assert validator.send([]) == []
    assert town.count("batch") == 0


def test_a_batch_with_only_known_records_is_not_kept_again(town: Town, validator: Terminal) -> None:
    ana = town.rich_person(100_00)
    _, item = validator.make(tap(), ana.signs(Purpose.PRESENCE))
    validator.send([item])
    kept = town.count("batch")
    validator.send([item])
    assert town.count("batch") == kept


def test_another_batch_under_a_known_batch_id_is_refused_whole(town: Town, validator: Terminal) -> None:
    ana = town.rich_person(100_00)
    batch_id = town.key()
    _, one = validator.make(tap(), ana.signs(Purpose.PRESENCE))
    _, two = validator.make(tap(), ana.signs(Purpose.PRESENCE))
    town.send(validator.batch([one], batch_id=batch_id))
    answer = town.client.post("/v1/transactions", data=validator.batch([one, two], batch_id=batch_id))
    assert (answer.status_code, answer.get_json()["code"]) == (409, "batch_id_conflict")
    assert town.balance(ana) == 100_00 - BUS_CENTS
    assert town.send(validator.batch([one, two]))[1].outcome == "accepted"
    town.check()
