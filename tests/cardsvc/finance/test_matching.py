"""Which bank line is which movement: two rules, each match explained, and never one thing twice."""

from collections import Counter
from datetime import date, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from cardsvc.finance.rules import OpenLine, OpenMovement, match, why_open

DAY = date(2026, 11, 2)


def line(number: int, cents: int, *references: str, days: int = 0, text: str = "") -> OpenLine:
    return OpenLine(UUID(int=number), DAY + timedelta(days=days), cents, references, text)


def moved(number: int, cents: int, reference: str, days: int = 0) -> OpenMovement:
    return OpenMovement(UUID(int=1000 + number), DAY + timedelta(days=days), cents, reference)


def pairs(lines: list[OpenLine], movements: list[OpenMovement]) -> list[tuple[int, int, str]]:
    return [(m.line_id.int, m.entry_id.int - 1000, m.why) for m in match(lines, movements)]


def test_a_reference_and_the_amount_make_a_match() -> None:
    why = "Reference DEP-1 and the amount agree."
    assert pairs([line(1, 100, "X", "DEP-1")], [moved(1, 100, "DEP-1", days=-90)]) == [(1, 1, why)]
    assert pairs([line(1, 100, text="Cash DEP-1 window 3")], [moved(1, 100, "DEP-1")]) == [(1, 1, why)]


def test_a_reference_with_another_amount_is_no_match_and_says_so() -> None:
    one, other = line(1, 99, "DEP-1"), moved(1, 100, "DEP-1")
    assert pairs([one], [other]) == []
    assert why_open(one, [other]) == "A movement has this reference but another amount."


def test_the_only_movement_of_an_amount_near_the_day_matches() -> None:
    why = "The only movement of this amount within 3 days, and no other line fits it."
    assert pairs([line(1, 100, days=3)], [moved(1, 100, "A"), moved(2, 101, "B")]) == [(1, 1, why)]
    far = line(1, 100, days=4)
    assert pairs([far], [moved(1, 100, "A")]) == []
    assert why_open(far, [moved(1, 100, "A")]).startswith("No movement in the books")


def test_money_in_and_money_out_are_not_the_same_amount() -> None:
    assert pairs([line(1, -100)], [moved(1, 100, "A")]) == []


def test_where_two_fit_nobody_chooses_but_a_person() -> None:
    one, two = line(1, 100), line(2, 100)
    assert pairs([one, two], [moved(1, 100, "A")]) == []
    assert why_open(one, [moved(1, 100, "A")]) == (
        "Other lines fit the one movement of this amount as well: choose by hand."
    )
    both = [moved(1, 100, "A"), moved(2, 100, "B")]
    assert pairs([one], both) == []
    assert why_open(one, both) == "2 movements have this amount within 3 days: choose by hand."


def test_a_reference_goes_before_an_amount() -> None:
    lines, movements = [line(1, 100), line(2, 100, "A")], [moved(1, 100, "A"), moved(2, 100, "B")]
    assert [(a, b) for a, b, _ in pairs(lines, movements)] == [(2, 1), (1, 2)]


_LINES = st.lists(st.tuples(st.integers(1, 3), st.sampled_from(["A", "B", "C"]), st.integers(-5, 5)), max_size=8)


@given(_LINES, _LINES)
def test_each_line_and_each_movement_is_matched_at_most_once(
    some: list[tuple[int, str, int]], others: list[tuple[int, str, int]]
) -> None:
    lines = [line(n, cents, reference, days=days) for n, (cents, reference, days) in enumerate(some)]
    movements = [moved(n, cents, reference, days) for n, (cents, reference, days) in enumerate(others)]
    found = match(lines, movements)
    amounts = {m.entry_id: m.amount_cents for m in movements}
    assert all(next(x for x in lines if x.line_id == m.line_id).amount_cents == amounts[m.entry_id] for m in found)
    counts = Counter(m.line_id for m in found) + Counter(m.entry_id for m in found)
    assert set(counts.values()) <= {1}
    assert match(lines, movements) == found
