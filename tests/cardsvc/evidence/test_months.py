"""Closed months against clocks that were set back: the place in the log says what came first."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from cardsvc import ledger
from cardsvc.evidence.rules.periods import Booked, Closing, backward, refused
from crypto.wire.kinds import Kind
from crypto.wire.transaction import Purpose
from tests.builders import PASSWORD
from tests.evidence import export, verify
from tests.town import FLOAT_CENTS, Person, Terminal, Town, tap

MONTH, END = "2026-11", date(2026, 11, 30)


def ms(day: int, month: int = 12) -> int:
    return int(datetime(2026, month, day, 4, tzinfo=UTC).timestamp() * 1000)


def sign(town: Town, action_id: str, *roles: str, status: int = 201) -> None:
    for role in roles:
        town.post(f"/v1/actions/{action_id}/signatures", {"password": PASSWORD}, role, status=status)


def close(town: Town) -> None:
    town.post(f"/v1/ledger/periods/{MONTH}/soft-close", {}, "finance", key=town.key())
    proposed = town.post(f"/v1/ledger/periods/{MONTH}/close", {}, "finance", status=201)
    sign(town, proposed["action_id"], "finance", "treasurer")


def in_december(town: Town) -> tuple[Terminal, Person]:
    """A town that opened in November, at a gate, with somebody who rides."""
    town.tariff()
    counter, shift_id = town.till()
    validator, ana = town.validator(), town.rich_person(500_00, (counter, shift_id))
    assert town.close_shift(counter, shift_id, FLOAT_CENTS + 500_00).outcome == "accepted"
    town.clock.advance(timedelta(days=33))
    return validator, ana


def test_a_tap_that_is_recorded_in_a_closed_month_is_booked_on_the_first_open_day(town: Town, tmp_path: Path) -> None:
    validator, ana = in_december(town)
    close(town)
    town.clock.set(datetime(2026, 11, 30, 15, 59, tzinfo=UTC))  # a minute before the month ends in the city
    before = town.balance(ana)
    for _ in range(2):
        validator.add(tap(), ana.signs(Purpose.PRESENCE), at=town.clock.now())
        town.clock.advance(timedelta(seconds=1))
    one, two = validator.send()
    assert (one.outcome, two.outcome) == ("accepted", "accepted")
    assert town.balance(ana) < before
    assert one.record_id is not None
    record_id = one.record_id
    entry = town.run(lambda session: ledger.entry(session, record_id))
    assert (entry.booked_on, entry.recorded_at.date()) == (date(2026, 12, 1), END)
    town.check()
    assert town.run(ledger.check_periods).closes == 1
    assert verify(export(town, tmp_path / "export")).findings == ()


def test_a_tap_of_a_closed_month_that_comes_late_is_booked_in_the_open_one(town: Town) -> None:
    validator, ana = in_december(town)
    close(town)
    validator.add(tap(), ana.signs(Purpose.PRESENCE), at=town.clock.now() - timedelta(days=6))
    [late] = validator.send()
    assert late.outcome == "accepted"
    [entry] = [each for each in town.run(ledger.entries) if each.entry_id == late.record_id]
    assert (entry.booked_on, entry.happened_at.month, entry.recorded_at.month) == (None, 11, 12)
    assert town.run(ledger.check_periods).closes == 1


def test_a_voucher_after_a_reopening_holds_although_the_clock_was_set_back(town: Town, tmp_path: Path) -> None:
    in_december(town)
    close(town)
    closed_at = town.clock.now()
    town.clock.advance(timedelta(hours=2))
    reopened = town.post(f"/v1/ledger/periods/{MONTH}/reopen", {"reason": "Forgotten"}, "finance", status=201)
    sign(town, reopened["action_id"], "finance", "treasurer")
    town.clock.set(closed_at + timedelta(minutes=30))
    voucher = {
        "fund": "general",
        "booked_on": END.isoformat(),
        "particulars": "Forgotten",
        "document": "x",
        "lines": [
            {"account_code": "expense:bank-charges", "amount_cents": 100},
            {"account_code": "bank:main", "amount_cents": -100},
        ],
    }
    action_id = town.post("/v1/finance/journal-entries", voucher, "finance", status=201)["action_id"]
    sign(town, action_id, "finance", "treasurer")
    assert verify(export(town, tmp_path / "export")).findings == ()


def test_what_stands_in_the_log_behind_a_close_is_found_whatever_its_clock_says(town: Town, tmp_path: Path) -> None:
    in_december(town)
    row = {"number": 1, "month": MONTH, "verb": "soft_close", "done_by": town.key().hex, "after_seq": 0}
    statement = sa.text(
        "INSERT INTO period_event (number, month, verb, done_by, after_seq, done_at, soft_closed_to)"
        " VALUES (:number, :month, :verb, :done_by, :after_seq, :done_at, :day)"
    )
    row |= {"done_at": int(town.clock.now().timestamp() * 1000), "day": END}
    town.run(lambda session: session.execute(statement, row))
    verdict = verify(export(town, tmp_path / "export"))
    assert {finding.code for finding in verdict.findings} == {"period"}
    assert "2026-11" in verdict.findings[0].message


def test_the_leaf_decides_and_the_clock_only_where_no_leaf_is_known() -> None:
    placed = [Closing(ms(5), END, END, 10), Closing(ms(6), None, END, 20)]
    voucher = Booked(15, int(Kind.JOURNAL_ENTRY), END, ms(7), ms(7))
    assert refused(placed, voucher) == END
    assert refused(placed, Booked(21, int(Kind.JOURNAL_ENTRY), END, ms(2), ms(2))) is None
    assert refused(placed, Booked(10, int(Kind.JOURNAL_ENTRY), END, ms(7), ms(7))) is None
    unplaced = [Closing(ms(5), END, END)]
    assert refused(unplaced, voucher) == END
    assert refused(unplaced, Booked(15, int(Kind.JOURNAL_ENTRY), END, ms(4), ms(4))) is None
    assert refused([*unplaced, Closing(ms(6), None, END, 20)], voucher) == END
    assert backward(placed, 11, ms(4))
    assert not backward(placed, 10, ms(4))
    assert not backward(placed, 21, ms(7))
