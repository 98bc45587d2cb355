"""Journal entry vouchers: two people, a number without gaps, and accounts that no hand may touch."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import finance, ledger, transactions
from cardsvc.finance.models import BankMovement
from crypto.wire.finance import JournalEntry, JournalLine
from crypto.wire.transaction import Purpose
from tests.builders import PASSWORD
from tests.town import FLOAT_CENTS, Town, top_up

CHARGES: list[dict[str, Any]] = [
    {"account_code": "expense:bank-charges", "amount_cents": 150_00},
    {"account_code": "bank:main", "amount_cents": -150_00},
]


def voucher(town: Town, **other: Any) -> dict[str, Any]:
    said = {
        "fund": "general",
        "booked_on": town.today().isoformat(),
        "particulars": "Charges of the month",
        "document": "Statement 2026-10",
        "lines": CHARGES,
    }
    return {name: value for name, value in (said | other).items() if value is not None}


def propose(town: Town, *, status: int = 201, **other: Any) -> Any:
    return town.post("/v1/finance/journal-entries", voucher(town, **other), "finance", status=status)


def sign(town: Town, action_id: str, role: str, *, status: int = 201) -> Any:
    return town.post(f"/v1/actions/{action_id}/signatures", {"password": PASSWORD}, role, status=status)


def book(town: Town, **other: Any) -> UUID:
    """Proposed by finance, signed by both; returns the entry's id."""
    action_id = propose(town, **other)["action_id"]
    sign(town, action_id, "finance")
    assert sign(town, action_id, "treasurer")["state"] == "done"
    return UUID(action_id)


def entry_of(town: Town, entry_id: UUID) -> ledger.StoredEntry:
    return town.run(lambda session: ledger.entry(session, entry_id))


def number_of(town: Town, record_id: UUID) -> str | None:
    statement = sa.text('SELECT official_number FROM "transaction" WHERE record_id = :id').bindparams(
        sa.bindparam("id", record_id, type_=sa.inspect(BankMovement).columns["entry_id"].type)
    )
    number: str | None = town.run(lambda session: session.scalar(statement))
    return number


def test_nothing_is_booked_before_the_second_signature(town: Town) -> None:
    town.fund()
    action_id = propose(town)["action_id"]
    sign(town, action_id, "finance")
    assert town.balance_of("bank:main") == [1_000_000_00]
    sign(town, action_id, "finance", status=403)
    sign(town, action_id, "treasurer")
    assert town.balance_of("bank:main", "expense:bank-charges") == [1_000_000_00 - 150_00, 150_00]
    town.check()


def test_the_entry_says_what_two_people_signed(town: Town) -> None:
    town.fund()
    entry = entry_of(town, book(town))
    assert entry.kind is ledger.EntryKind.JOURNAL_ENTRY
    assert entry.booked_on == town.today()
    assert dict(entry.metadata) == {"document": "Statement 2026-10", "particulars": "Charges of the month"}
    stored = town.run(lambda session: transactions.stored(session, entry.entry_id))
    assert stored is not None
    body = JournalEntry.decode(stored.record)
    assert (body.prepared_by, body.approved_by) == (town.staff("finance").id, town.staff("treasurer").id)


def test_numbers_have_no_gaps_in_their_fund_and_year(town: Town) -> None:
    town.fund()
    first = book(town)
    propose(town)  # never signed: it takes no number
    second = book(town)
    last_year = book(town, booked_on="2025-12-31")
    numbers = [number_of(town, one) for one in (first, second, last_year)]
    year = town.today().year
    assert numbers == [f"JEV-GF-{year}-0000001", f"JEV-GF-{year}-0000002", "JEV-GF-2025-0000001"]


def test_what_it_moves_at_the_bank_a_statement_must_show(town: Town) -> None:
    town.fund()
    entry_id = book(town)

    def work(session: Session) -> tuple[str, int]:
        found = session.get_one(BankMovement, entry_id)
        return found.reference, found.amount_cents

    assert town.run(work) == ("Statement 2026-10", -150_00)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"lines": [CHARGES[0], CHARGES[1] | {"amount_cents": -1}]}, "sum to zero"),
        ({"lines": [CHARGES[0] | {"amount_cents": 0}, CHARGES[1] | {"amount_cents": 0}]}, "of nothing"),
        ({"lines": [CHARGES[0], CHARGES[1] | {"account_code": "bank:other"}]}, "no bank:other"),
        ({"lines": [CHARGES[0], CHARGES[1] | {"account_code": "cash:drawer:*"}]}, "its own records only"),
        ({"fund": "sef"}, "sef fund"),
        ({"booked_on": "2099-01-01"}, "still to come"),
    ],
)
def test_a_voucher_that_cannot_be_is_refused_when_proposed(town: Town, wrong: dict[str, Any], says: str) -> None:
    refused = propose(town, **wrong, status=422)
    assert refused["code"] == "unfit_voucher"
    assert says in refused["detail"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"lines": [CHARGES[0]]},
        {"lines": CHARGES * 26},
        {"fund": "barangay"},
        {"booked_on": "tomorrow"},
        {"particulars": ""},
        {"document": "x" * 65},
        {"lines": None},
    ],
)
def test_what_is_no_voucher_is_refused(town: Town, wrong: dict[str, Any]) -> None:
    assert town.post("/v1/finance/journal-entries", voucher(town, **wrong), "finance", status=422)["code"]


@pytest.mark.parametrize("payload", [{}, {"fund": "general"}, {"lines": 3}])
def test_a_payload_of_another_shape_cannot_be_proposed_past_the_room(town: Town, payload: dict[str, Any]) -> None:
    given = {"kind": "finance.journal_entry", "payload": voucher(town) | payload if "lines" in payload else payload}
    assert town.post("/v1/actions", given, "finance", status=422)["code"] == "unsuitable_action"


def test_no_hand_touches_a_wallet(town: Town) -> None:
    ana = town.rich_person()
    lines = [
        {"account_code": f"wallet:{ana.wallet_id}:main", "amount_cents": 100},
        {"account_code": "cash:vault", "amount_cents": -100},
    ]
    assert "its own records only" in propose(town, lines=lines, status=422)["detail"]


def test_what_the_books_refuse_keeps_nothing_of_the_second_signature(town: Town) -> None:
    action_id = propose(town)["action_id"]  # there is no money at the bank
    sign(town, action_id, "finance")
    assert sign(town, action_id, "treasurer", status=409)["code"] == "voucher_refused"
    town.fund()
    assert sign(town, action_id, "treasurer")["state"] == "done"
    town.check()


def test_a_journal_entry_without_an_action_of_two_is_refused_even_with_the_services_key(town: Town) -> None:
    town.fund()
    lines = tuple(JournalLine(**line) for line in CHARGES)
    body = JournalEntry(UUID(int=1), UUID(int=2), "general", town.today(), "PHP", "none", "none", lines)
    city, now = town.city, town.clock.now()
    desk = transactions.Desk(city.handlers.registry, city.vault, city.random_bytes)
    result = town.run(
        lambda session: transactions.act_as_service(session, body, record_id=town.key(), desk=desk, now=now)
    )
    assert (result.outcome, result.reason) == ("rejected", "not_permitted")


def test_the_record_must_say_what_the_action_says(town: Town) -> None:
    """A waiting action is no leave to book something else under its id."""
    town.fund()
    action_id = UUID(propose(town)["action_id"])
    sign(town, str(action_id), "finance")
    lines = (JournalLine("expense:bank-charges", 999_00), JournalLine("bank:main", -999_00))
    people = town.staff("finance").id, town.staff("treasurer").id
    body = JournalEntry(*people, "general", town.today(), "PHP", "Charges of the month", "Statement 2026-10", lines)
    city, now = town.city, town.clock.now()
    desk = transactions.Desk(city.handlers.registry, city.vault, city.random_bytes)

    def work(session: Session) -> transactions.ItemResult:
        return transactions.act_as_service(session, body, record_id=action_id, desk=desk, now=now)

    assert town.run(work).reason == "not_permitted"


# ------------------------------------------------------------------------------------------------- reversals


def reverse(town: Town, entry_id: UUID | None, **other: Any) -> Any:
    given = {"entry_id": str(entry_id), "reason": "Keyed twice"} | other
    return town.act("/v1/finance/reversals", "finance", **given)


def test_one_officer_takes_back_a_little_and_two_take_back_much(town: Town) -> None:
    counter, shift_id = town.till()
    ana = town.person()
    small = counter.send_one(top_up(shift_id, 1_000_00), ana.signs(Purpose.PRESENCE))
    large = counter.send_one(top_up(shift_id, 1_000_01), ana.signs(Purpose.PRESENCE))
    assert reverse(town, small.record_id)["outcome"] == "accepted"
    refused = reverse(town, large.record_id)
    assert (refused["reason"], "takes two people" in refused["detail"]) == ("not_permitted", True)
    entry_id = book(town, fund="trust", lines=None, reverses=str(large.record_id), particulars="Keyed twice")
    assert town.balance(ana) == 0
    assert town.balance_of(finance.drawer(counter.device_id)) == [FLOAT_CENTS]
    assert entry_of(town, entry_id).reverses == large.record_id
    again = propose(town, fund="trust", lines=None, reverses=str(large.record_id), status=422)
    assert "taken back before" in again["detail"]
    town.check()


def test_a_large_capture_taken_back_by_two_is_held_again(town: Town) -> None:
    ana = town.rich_person(5_000_00)
    until = (town.clock.now() + timedelta(days=2)).isoformat()
    hold = {"amount_cents": 2_000_00, "currency": "PHP", "beneficiary": "revenue:fees", "reason": "The hall"}
    path = f"/v1/wallets/{ana.wallet_id}/holds"
    placed = town.act(path, "finance", expires_at=until, **hold)
    capture = {"amount_cents": 2_000_00, "currency": "PHP"}
    taken = town.act(f"{path}/{placed['record_id']}/captures", "cashier", **capture)
    assert reverse(town, UUID(taken["record_id"]))["reason"] == "not_permitted"
    book(town, lines=None, reverses=taken["record_id"], particulars="The hall was not let")
    assert town.balance_of("revenue:fees", f"wallet:{ana.wallet_id}:held") == [0, 2_000_00]
    town.check()


def test_a_voucher_takes_back_exactly_what_was_booked(town: Town) -> None:
    town.fund()
    wrong_charge = book(town)
    half = [line | {"amount_cents": -line["amount_cents"] // 2} for line in CHARGES]
    assert "opposite sign" in propose(town, lines=half, reverses=str(wrong_charge), status=422)["detail"]
    book(town, lines=None, reverses=str(wrong_charge))
    assert town.balance_of("expense:bank-charges") == [0]
    missing = propose(town, lines=None, reverses=str(UUID(int=5)), status=404)
    assert missing["code"] == "unknown_entry"


def test_a_reversal_takes_effect_on_its_accounting_date(town: Town) -> None:
    counter, shift_id = town.till()
    ana = town.person()
    done = counter.send_one(top_up(shift_id, 300_00), ana.signs(Purpose.PRESENCE))
    town.clock.advance(timedelta(days=2))
    effective = town.today() - timedelta(days=2)
    taken = reverse(town, done.record_id, booked_on=effective.isoformat())
    assert taken["outcome"] == "accepted"
    assert entry_of(town, UUID(taken["record_id"])).booked_on == effective
    town.check()


def test_a_reversal_is_not_dated_ahead(town: Town) -> None:
    counter, shift_id = town.till()
    done = counter.send_one(top_up(shift_id, 300_00), town.person().signs(Purpose.PRESENCE))
    ahead = reverse(town, done.record_id, booked_on=date(2099, 1, 1).isoformat())
    assert ahead["reason"] == "not_permitted"
