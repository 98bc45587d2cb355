"""Months of books: closed in their order by two people, and then nothing gets in."""

import contextlib
import itertools
import random
import threading
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from cardsvc import access, db, ledger
from cardsvc.ledger.actions import periods as verbs
from cardsvc.ledger.actions.asserting import assert_balance
from cardsvc.ledger.queries import periods as queries
from cardsvc.ledger.rules.errors import InvalidMonth, NotReadyToClose, PeriodOutOfOrder
from cardsvc.ledger.rules.periods import Books, PeriodState, PeriodVerb, apply, last_day
from tests.builders import PASSWORD, make_staff

ASSET, EQUITY = "cash:test", "equity:test"
DECEMBER = datetime(2026, 12, 10, 4, tzinfo=UTC)
ENTRIES = UUID("6b6d1a42-0000-4000-8000-5c5c5c5c5c5c")


@dataclass
class Office:
    """Two finance officers, a pair of accounts, and a log that is published as far as it is told."""

    session: Session
    now: datetime = DECEMBER
    problems: list[str] = field(default_factory=list)
    published: int = 1_000_000
    seqs: Any = field(default_factory=itertools.count)
    random_bytes: Any = field(default_factory=lambda: random.Random(7).randbytes)

    def __post_init__(self) -> None:
        self.ana, self.ben = (
            make_staff(self.session, self.now, "finance", username=name).id for name in ("ana.fin", "ben.fin")
        )
        policies, kinds = ledger.AccountPolicy, ledger.AccountKind
        specs = [
            ledger.AccountSpec(ASSET, kinds.ASSET, policies.CHECKED, ledger.Fund.GENERAL),
            ledger.AccountSpec(EQUITY, kinds.EQUITY, policies.DERIVED, ledger.Fund.TRUST),
        ]
        ledger.open_accounts(self.session, specs, self.now)
        around = verbs.Surroundings((lambda _session, _day: self.problems,), lambda _session: self.published)
        self.handlers = access.handlers_by_kind(*verbs.handlers(around))

    def post(
        self,
        *,
        at: datetime,
        kind: ledger.EntryKind = ledger.EntryKind.TAP,
        happened_at: datetime | None = None,
        booked_on: date | None = None,
        cents: int = 100,
    ) -> str:
        seq = next(self.seqs)
        lines = (ledger.Line(ASSET, cents), ledger.Line(EQUITY, -cents))
        entry_id = uuid5(ENTRIES, str(seq))
        draft = ledger.Draft(entry_id, kind, lines, happened_at or at, "test", booked_on=booked_on)
        [result] = ledger.post(self.session, [draft], first_seq=seq, recorded_at=at)
        return result.reason.value if isinstance(result, ledger.Refused) else "posted"

    def two(self, kind: str, **payload: str) -> access.ActionView:
        handler = self.handlers[kind]
        assert handler.describe is not None
        summary = handler.describe(self.session, payload)
        action = access.propose(
            self.session, handler, payload, summary, by=self.ana, now=self.now, random_bytes=self.random_bytes
        )
        for by in (self.ana, self.ben):
            signature = access.sign_action_as(self.session, by, PASSWORD, action.action_bytes)
            action = access.sign_action(
                self.session, self.handlers, action.id, by=by, signature=signature, now=self.now
            )
        return action

    def soft_close(self, month: str) -> None:
        verbs.soft_close(self.session, month, by=self.ana, now=self.now)

    def close(self, month: str) -> access.ActionView:
        return self.two(verbs.CLOSE_KIND, month=month)

    def reopen(self, month: str, reason: str = "a bill was forgotten") -> access.ActionView:
        return self.two(verbs.REOPEN_KIND, month=month, reason=reason)


@pytest.fixture
def office(session: Session) -> Office:
    """October and November have an entry each."""
    office = Office(session)
    for month in (10, 11):
        assert office.post(at=datetime(2026, month, 5, tzinfo=UTC)) == "posted"
    return office


def test_a_month_is_closed_softly_then_by_two_and_its_balance_is_sealed(office: Office) -> None:
    office.soft_close("2026-10")
    action = office.close("2026-10")
    assert queries.booking_state(office.session, date(2026, 10, 31)) is PeriodState.CLOSED
    assert queries.booking_state(office.session, date(2026, 11, 1)) is PeriodState.OPEN
    october = queries.periods(office.session, date(2026, 12, 10))[-1]
    assert [(event.verb, event.done_by) for event in october.events] == [
        ("soft_close", office.ana),
        ("close", office.ben),
    ]
    assert october.events[-1].action_id == action.id
    lines = queries.sealed_balance(office.session, "2026-10")
    assert lines is not None
    assert [(line.code, line.fund, line.debit_cents, line.credit_cents) for line in lines] == [
        (ASSET, "general", 100, 0),
        (EQUITY, "trust", 0, 100),
        ("interfund:general", "general", 0, 100),
        ("interfund:trust", "trust", 100, 0),
    ]
    assert queries.imbalance(lines) is None
    assert queries.check_periods(office.session).closes == 1


@pytest.mark.parametrize("kind", list(ledger.EntryKind))
def test_nothing_is_booked_into_a_closed_month(office: Office, kind: ledger.EntryKind) -> None:
    office.soft_close("2026-10")
    office.close("2026-10")
    assert office.post(at=DECEMBER, kind=kind, booked_on=date(2026, 10, 31)) == "period_closed"
    assert office.post(at=DECEMBER, kind=kind, booked_on=date(2026, 9, 1)) == "period_closed"
    assert office.post(at=datetime(2026, 10, 31, 15, 59, tzinfo=UTC), kind=kind) == "period_closed"


def test_a_late_tap_lands_in_the_open_month_and_an_office_entry_is_refused(office: Office) -> None:
    office.soft_close("2026-10")
    office.close("2026-10")
    late = datetime(2026, 10, 31, 15, tzinfo=UTC)
    kinds = ledger.EntryKind
    assert office.post(at=DECEMBER, kind=kinds.TAP, happened_at=late) == "posted"
    for kind in (kinds.JOURNAL_ENTRY, kinds.REVERSAL, kinds.ADJUSTMENT, kinds.BANK_DEPOSIT, kinds.FUNDING):
        assert office.post(at=DECEMBER, kind=kind, happened_at=late) == "period_closed"
    # 16:00 UTC is midnight in the city: November
    assert office.post(at=DECEMBER, kind=kinds.FUNDING, happened_at=late + timedelta(hours=1)) == "posted"


def test_a_soft_closed_month_takes_adjustments_only(office: Office) -> None:
    office.soft_close("2026-10")
    day = date(2026, 10, 31)
    for kind in ledger.EntryKind:
        expected = "posted" if kind.name in {"JOURNAL_ENTRY", "REVERSAL", "ADJUSTMENT"} else "period_closed"
        assert office.post(at=DECEMBER, kind=kind, booked_on=day) == expected, kind


def test_months_are_closed_in_their_order_and_reopened_the_other_way_round(office: Office) -> None:
    with pytest.raises(PeriodOutOfOrder, match="the turn of 2026-10"):
        office.soft_close("2026-11")
    with pytest.raises(PeriodOutOfOrder, match="Soft close it first"):
        office.close("2026-10")
    for month in ("2026-10", "2026-11"):
        office.soft_close(month)
        office.close(month)
    with pytest.raises(PeriodOutOfOrder, match="The last closed one comes first: 2026-11"):
        office.reopen("2026-10")
    office.reopen("2026-11")
    assert queries.booking_state(office.session, date(2026, 11, 30)) is PeriodState.SOFT_CLOSED
    office.reopen("2026-10")
    assert queries.booking_state(office.session, date(2026, 10, 1)) is PeriodState.SOFT_CLOSED
    office.reopen("2026-11")
    assert queries.booking_state(office.session, date(2026, 11, 30)) is PeriodState.OPEN
    office.close("2026-10")


def test_a_month_that_is_not_over_is_not_closed(office: Office) -> None:
    for month in ("2026-10", "2026-11"):
        office.soft_close(month)
    with pytest.raises(PeriodOutOfOrder, match="not over"):
        office.soft_close("2026-12")


def test_reopening_says_who_when_and_why(office: Office) -> None:
    office.soft_close("2026-10")
    office.close("2026-10")
    action = office.reopen("2026-10", "The bank corrected its statement")
    event = queries.periods(office.session, date(2026, 12, 10))[-1].events[-1]
    assert (event.verb, event.done_by, event.done_at) == ("reopen", office.ben, DECEMBER)
    assert (event.reason, event.action_id) == ("The bank corrected its statement", action.id)
    assert office.post(at=DECEMBER, kind=ledger.EntryKind.JOURNAL_ENTRY, booked_on=date(2026, 10, 31)) == "posted"
    office.close("2026-10")
    assert queries.check_periods(office.session).closes == 2


def test_what_stands_against_a_close_is_said_all_at_once(office: Office) -> None:
    office.soft_close("2026-10")
    office.problems.append("A shift is open at counter 1.")
    office.published = 0
    assert_balance(
        office.session,
        ASSET,
        date(2026, 10, 31),
        5,
        document="count",
        by=office.ana,
        now=DECEMBER,
        random_bytes=office.random_bytes,
    )
    with pytest.raises(NotReadyToClose) as refused:
        office.close("2026-10")
    assert len(refused.value.fields["month"]) == 3
    assert queries.booking_state(office.session, date(2026, 10, 31)) is PeriodState.SOFT_CLOSED


@pytest.mark.parametrize(
    "month",
    ["", "2026", "2026-13", "2026-00", "0000-01", "9999-12", "2026-1", "\u0662\u0660\u0662\u0666-10", "2026-10 "],
)
def test_what_is_no_month_is_refused_by_code(office: Office, month: str) -> None:
    with pytest.raises(InvalidMonth):
        office.soft_close(month)
    with pytest.raises(InvalidMonth):
        office.close(month)


@pytest.mark.parametrize("payload", [{}, {"month": 3}, {"month": "2026-10", "more": "x"}])
def test_a_payload_of_another_shape_cannot_be_proposed(office: Office, payload: dict[str, Any]) -> None:
    with pytest.raises(access.UnsuitableAction):
        office.two(verbs.CLOSE_KIND, **payload)


@pytest.mark.parametrize("reason", ["", "no", "x" * 201, "two\nlines"])
def test_a_month_is_not_reopened_without_a_reason(office: Office, reason: str) -> None:
    with pytest.raises(access.UnsuitableAction, match="reason"):
        office.reopen("2026-10", reason)


def test_events_cannot_be_changed_in_the_database(office: Office) -> None:
    office.soft_close("2026-10")
    office.session.flush()
    for statement in ("UPDATE period_event SET closed_to = NULL", "DELETE FROM period_event"):
        with pytest.raises(DBAPIError, match="append-only"), office.session.begin_nested():
            office.session.execute(sa.text(statement))


def test_a_booking_that_slipped_into_a_closed_month_is_found(office: Office) -> None:
    """By whoever reaches past the ledger, into its tables."""
    office.soft_close("2026-10")
    office.close("2026-10")
    assert office.post(at=DECEMBER) == "posted"
    account = "(SELECT id FROM account WHERE code = '{}')"
    entry_id = uuid5(ENTRIES, "slipped")
    row = {"id": entry_id, "seq": 900, "kind": 1000, "currency": "PHP", "rule": "x", "booked_on": date(2026, 10, 3)}
    table = sa.inspect(ledger_entry()).local_table
    office.session.execute(sa.insert(table).values(**row, happened_at=DECEMBER, recorded_at=DECEMBER))
    lines = ", ".join(
        f"({account.format(code)}, 900, {line}, {cents})"
        for line, (code, cents) in enumerate(((ASSET, 7), (EQUITY, -7)))
    )
    office.session.execute(sa.text(f"INSERT INTO posting (account_id, entry_seq, line, amount_cents) VALUES {lines}"))
    with pytest.raises(ledger.BooksDoNotBalance, match="booked into 2026-10"):
        queries.check_periods(office.session)


def ledger_entry() -> Any:
    from cardsvc.ledger.models import Entry

    return Entry


# ------------------------------------------------------------------------------------------------------------ laws

_DAYS = st.dates(date(2026, 9, 1), date(2026, 12, 9))
_VERBS = st.one_of(
    st.tuples(st.sampled_from(["soft_close", "close", "reopen"]), st.sampled_from(["2026-09", "2026-10", "2026-11"])),
    st.tuples(st.just("post"), st.tuples(st.sampled_from(list(ledger.EntryKind)), _DAYS, st.none() | _DAYS)),
)


@pytest.fixture
def quiet(session: Session) -> Session:
    return session


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=st.lists(_VERBS, max_size=25))
def test_no_sequence_of_verbs_books_into_a_closed_month(quiet: Session, steps: list[tuple[str, Any]]) -> None:
    """Whatever is tried, the sealed balance of the last closed month is what the entries say."""
    with quiet.begin_nested() as undone:
        office = Office(quiet)
        office.post(at=datetime(2026, 10, 5, tzinfo=UTC))
        for verb, what in steps:
            if verb == "post":
                kind, happened, booked = what
                at = datetime(happened.year, happened.month, happened.day, 4, tzinfo=UTC)
                before = queries.books(quiet)
                answer = office.post(at=DECEMBER, kind=kind, happened_at=at, booked_on=booked)
                closed = booked is not None and before.state(booked) is PeriodState.CLOSED
                assert not (closed and answer == "posted")
            else:
                with contextlib.suppress(PeriodOutOfOrder), quiet.begin_nested():
                    getattr(office, verb)(what)
            queries.check_periods(quiet)
        undone.rollback()


@given(
    st.lists(st.tuples(st.sampled_from(list(PeriodVerb)), st.integers(1, 12)), max_size=40),
    st.dates(date(2026, 1, 1), date(2026, 12, 31)),
)
def test_there_is_never_a_hole(steps: list[tuple[PeriodVerb, int]], first: date) -> None:
    """Closed months come before soft-closed ones, and these before open ones."""
    books = Books()
    for verb, number in steps:
        try:
            books = apply(books, verb, f"2026-{number:02d}", first_booked=first, today=date(2026, 12, 15))
        except PeriodOutOfOrder:
            continue
        order = [PeriodState.CLOSED, PeriodState.SOFT_CLOSED, PeriodState.OPEN]
        states = [order.index(books.state(last_day(f"2026-{month:02d}"))) for month in range(1, 13)]
        assert states == sorted(states)
        assert states[-1] == order.index(PeriodState.OPEN)


# ----------------------------------------------------------------------------------------------------------- races


def test_a_close_and_postings_at_one_moment_agree_about_what_was_in(engine: Engine) -> None:
    """Twelve writers book into October while two officers close it: what was posted is sealed, the rest was refused."""
    with db.unit_of_work(engine) as session:
        office = Office(session)
        office.post(at=datetime(2026, 10, 5, tzinfo=UTC))
        office.soft_close("2026-10")
    answers: list[str] = []
    start = threading.Barrier(13)

    def write(number: int) -> None:
        start.wait()
        for round_ in range(8):
            seq = 1000 + number * 100 + round_

            def work(session: Session, seq: int = seq) -> str:
                lines = (ledger.Line(ASSET, 1), ledger.Line(EQUITY, -1))
                kind = ledger.EntryKind.JOURNAL_ENTRY
                draft = ledger.Draft(
                    uuid5(ENTRIES, str(seq)), kind, lines, DECEMBER, "test", booked_on=date(2026, 10, 20)
                )
                [result] = ledger.post(session, [draft], first_seq=seq, recorded_at=DECEMBER)
                return result.reason.value if isinstance(result, ledger.Refused) else "posted"

            answers.append(db.run(engine, work))

    def close() -> None:
        start.wait()

        def work(session: Session) -> None:
            office.session = session
            office.close("2026-10")

        db.run(engine, work)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(12)]
    threads.append(threading.Thread(target=close))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with db.unit_of_work(engine, read_only=True) as session:
        lines = queries.sealed_balance(session, "2026-10")
        assert lines is not None
        sealed = next(line.debit_cents for line in lines if line.code == ASSET)
        assert sealed == 100 + answers.count("posted")
        assert set(answers) <= {"posted", "period_closed"}
        assert queries.check_periods(session).closes == 1
