"""The decision itself, without a database: its short way and its long one agree, and every bad draft has its reason."""

import hashlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardsvc.ledger.rules import (
    AccountKind,
    AccountPolicy,
    Draft,
    EntryKind,
    Known,
    KnownAccount,
    Line,
    PostedLine,
    Reason,
    Refused,
    begin,
    decide,
    entry_hash,
    posting,
)
from cardsvc.ledger.rules.periods import Books
from crypto import cbor

AT = datetime(2026, 11, 2, tzinfo=UTC)
MOST = 2**63 - 1
CODES = ("cash", "main", "free", "purse", "shut", "usd", "revenue", "nobody")


def account(
    number: int,
    kind: AccountKind,
    policy: AccountPolicy = AccountPolicy.CHECKED,
    floor_cents: int | None = 0,
    balance_cents: int = 0,
    expires_at: datetime | None = None,
    *,
    closed: bool = False,
    currency: str = "PHP",
) -> KnownAccount:
    return KnownAccount(number, kind, policy, currency, floor_cents, closed, balance_cents, expires_at)


def accounts(balance_cents: int = 100) -> dict[str, KnownAccount]:
    asset, liability = AccountKind.ASSET, AccountKind.LIABILITY
    return {
        "cash": account(1, asset, balance_cents=balance_cents),
        "main": account(2, liability, balance_cents=balance_cents),
        "free": account(3, AccountKind.EXPENSE, floor_cents=None, balance_cents=balance_cents),
        "purse": account(4, liability, balance_cents=balance_cents, expires_at=AT),
        "shut": account(5, liability, balance_cents=balance_cents, closed=True),
        "usd": account(6, asset, balance_cents=balance_cents, currency="USD"),
        "revenue": account(7, AccountKind.REVENUE, AccountPolicy.DERIVED, None),
    }


def draft(*lines: Line, number: int = 1, kind: EntryKind = EntryKind.ADJUSTMENT) -> Draft:
    return Draft(UUID(int=number), kind, lines, AT, "test")


def reason(one: Draft, known: Known) -> Reason | None:
    (decision,) = decide([one], known)
    return decision.reason if isinstance(decision, Refused) else None


amounts = st.one_of(st.integers(-150, 150), st.sampled_from((MOST, -MOST, MOST // 16, -(MOST // 16), 2**64, 2**63)))


@st.composite
def drafts(draw: st.DrawFn) -> Draft:
    codes = st.sampled_from(CODES)
    lines = [
        Line(draw(codes), draw(amounts), tuple(draw(st.lists(codes, max_size=1))))
        for _ in range(draw(st.integers(0, 3)))
    ]
    lines.append(Line(draw(codes), -sum(line.amount_cents for line in lines)))
    return Draft(
        UUID(int=draw(st.integers(1, 6))),
        draw(st.sampled_from((EntryKind.TAP, EntryKind.ADJUSTMENT, EntryKind.PURSE_EXPIRED))),
        tuple(lines),
        AT - timedelta(days=draw(st.integers(0, 40))),
        "law",
        reverses=draw(st.none() | st.builds(UUID, int=st.integers(1, 6))),
        metadata=draw(st.sampled_from(((), (("a", "b"),), (("", "b"),)))),
    )


@settings(deadline=None)
@given(
    batch=st.lists(drafts(), max_size=12),
    balance_cents=st.sampled_from((0, 100, MOST, MOST - 50)),
    books=st.sampled_from((Books(), Books(date(2026, 10, 31), None))),
)
def test_the_short_way_and_the_long_one_come_to_the_same(batch: list[Draft], balance_cents: int, books: Books) -> None:
    known = Known(accounts(balance_cents), {UUID(int=6)}, today=AT.date(), books=books)
    running = begin(known)
    long_way = [posting.decide_any(one, running) for one in batch]
    assert decide(batch, known) == long_way
    short = begin(known)
    for one in batch:
        posting.decide_next(one, short)
    assert short == running


def test_most_drafts_go_the_short_way() -> None:
    fare = draft(Line("main", 13), Line("revenue", -13))
    assert posting.decide_plain(fare, begin(Known(accounts()))) == (PostedLine("main", 13), PostedLine("revenue", -13))


@pytest.mark.parametrize(
    "lines",
    [
        (Line("free", 2**63), Line("revenue", -(2**63))),
        (Line("free", 10**30), Line("revenue", -(10**30))),
        (Line("free", MOST), Line("free", 1), Line("revenue", -(2**63))),
        (Line("free", MOST), Line("revenue", -MOST)),  # fits, but not on top of what is there
        (Line("free", 0), Line("revenue", 0)),
    ],
)
def test_what_does_not_fit_in_64_bits_is_refused(lines: tuple[Line, ...]) -> None:
    assert reason(draft(*lines), Known(accounts())) is Reason.AMOUNT_OUT_OF_RANGE


def test_an_expired_purse_neither_takes_nor_gives() -> None:
    known = Known(accounts())
    assert reason(draft(Line("purse", 5), Line("revenue", -5)), known) is Reason.PURSE_EXPIRED
    assert reason(draft(Line("revenue", 5), Line("purse", -5)), known) is Reason.PURSE_EXPIRED
    assert decide([draft(Line("purse", 5, ("main",)), Line("revenue", -5))], known) == [
        (PostedLine("main", 5), PostedLine("revenue", -5))
    ]
    late = draft(Line("purse", 101, ("main",)), Line("revenue", -101))
    assert reason(late, known) is Reason.INSUFFICIENT_FUNDS


def test_a_purse_pays_for_what_happened_in_its_time_however_late_it_comes() -> None:
    spent = draft(Line("purse", 5), Line("revenue", -5))
    assert reason(replace(spent, happened_at=AT - timedelta(milliseconds=1)), Known(accounts())) is None


@pytest.mark.parametrize("kind", [EntryKind.PURSE_EXPIRED, EntryKind.REVERSAL])
def test_what_is_left_of_an_expired_purse_goes_back(kind: EntryKind) -> None:
    assert reason(draft(Line("purse", 5), Line("revenue", -5), kind=kind), Known(accounts())) is None


@pytest.mark.parametrize(
    "metadata",
    [
        tuple((f"k{number:02}", "v") for number in range(17)),
        (("", "v"),),
        (("k", ""),),
        (("k", "v" * 201),),
        (("k" * 201, "v"),),
        (("k", "v"), ("k", "w")),
        (("l", "v"), ("k", "v")),
        (("k", "line\nbreak"),),
        (("k", "\x00"),),
        (("k", "\ud800"),),
    ],
)
def test_metadata_that_cannot_be_kept_is_refused(metadata: tuple[tuple[str, str], ...]) -> None:
    one = replace(draft(Line("main", 5), Line("revenue", -5)), metadata=metadata)
    assert reason(one, Known(accounts())) is Reason.INVALID_METADATA
    unbalanced = replace(one, lines=one.lines[:1])
    assert reason(unbalanced, Known(accounts())) is Reason.UNBALANCED


def test_as_much_metadata_as_is_allowed_is_kept() -> None:
    most = tuple((f"{number:02}" + "k" * 198, "é" * 200) for number in range(16))
    assert reason(replace(draft(Line("main", 5), Line("revenue", -5)), metadata=most), Known(accounts())) is None


hashed_integers = st.one_of(st.integers(-MOST, MOST), st.sampled_from((0, 23, 24, 255, 256, 65535, 65536, 2**32, -25)))
moments = st.one_of(st.integers(0, 2**43), st.sampled_from((0, 2**32 - 1, 2**32)))
# a text's length decides how it is encoded; making long ones letter by letter takes a second
texts = st.builds(lambda letter, length: letter * length, st.sampled_from("a\u00f1\u20b1"), st.integers(0, 300))
lines_of_an_entry = st.builds(
    lambda line, count: [line] * count, st.builds(PostedLine, texts, hashed_integers), st.sampled_from((2, 23, 24, 64))
)
notes = st.lists(st.tuples(texts, texts), max_size=2)


@settings(deadline=None)
@given(
    kind=st.integers(0, 1000),
    happened_at_ms=moments,
    recorded_at_ms=moments,
    rule=texts,
    reverses=st.none() | st.uuids(),
    lines=lines_of_an_entry,
    booked_on=st.none() | st.dates(),
    metadata=notes,
)
def test_an_entrys_hash_is_that_of_its_deterministic_encoding(
    kind: int,
    happened_at_ms: int,
    recorded_at_ms: int,
    rule: str,
    reverses: UUID | None,
    lines: list[PostedLine],
    booked_on: date | None,
    metadata: list[tuple[str, str]],
) -> None:
    known = UUID(int=7)
    facts: list[cbor.Value] = [known.bytes, kind, "PHP", happened_at_ms, recorded_at_ms, rule]
    facts += [reverses.bytes if reverses else None, [list(line) for line in lines]]
    version = 1
    if booked_on is not None or metadata:
        version = 2
        days = None if booked_on is None else (booked_on - date(1970, 1, 1)).days
        facts += [days, [list(pair) for pair in metadata]]
    told = entry_hash(
        entry_id=known,
        kind=kind,
        currency="PHP",
        happened_at_ms=happened_at_ms,
        recorded_at_ms=recorded_at_ms,
        rule=rule,
        reverses=reverses,
        lines=lines,
        booked_on=booked_on,
        metadata=metadata,
    )
    assert told == hashlib.sha256(cbor.encode(["city.entry", version, *facts])).digest()
