"""Which purses pay, in what order, as a pure decision."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from cardsvc.ledger import Purse, PurseAccount, purses

AT = datetime(2026, 11, 2, tzinfo=UTC)


def purse(name: str, purpose: str = "", days: int | None = None, priority: int = 0) -> PurseAccount:
    expires_at = None if days is None else AT + timedelta(days=days)
    returns_to = None if days is None else "fund"
    return PurseAccount(f"wallet:w:purse:{name}", Purse(purpose, expires_at, priority, returns_to), 100)


def names(found: tuple[PurseAccount, ...]) -> list[str]:
    return [account.name for account in found]


def test_money_for_the_purpose_goes_first_then_what_expires_first_then_the_least_priority() -> None:
    expected = ["rides-soon", "rides-b", "rides-a", "rides-for-ever", "any-soon", "any-for-ever"]
    kept = [
        purse("rides-soon", "transit", 1),
        purse("rides-b", "transit", 9, priority=1),
        purse("rides-a", "transit", 9, priority=2),
        purse("rides-for-ever", "transit"),
        purse("any-soon", "", 1),
        purse("any-for-ever"),
    ]
    for shuffled in permutations(kept):
        assert names(purses.order(shuffled, "transit", AT)) == expected


def test_a_purse_for_another_purpose_does_not_pay() -> None:
    assert names(purses.order([purse("tax", "tax"), purse("rides", "transit")], "tax", AT)) == ["tax"]
    assert purses.order([purse("tax", "tax"), purse("rides", "transit")], purses.ANY, AT) == ()


def test_a_purse_pays_in_the_last_millisecond_and_not_at_the_moment_it_expires() -> None:
    kept = [purse("rides", "transit", 1)]
    end = AT + timedelta(days=1)
    assert purses.order(kept, "transit", end - timedelta(milliseconds=1)) == tuple(kept)
    assert purses.order(kept, "transit", end) == ()


def test_whose_purse_it_is_stands_in_its_code() -> None:
    assert purses.owner_of("wallet:w:purse:rides") == "wallet:w"
    assert purses.owner_of("wallet:w:main") is None


made = st.builds(
    purse,
    st.text("abc", min_size=1, max_size=3),
    st.sampled_from(["", "transit", "tax"]),
    st.one_of(st.none(), st.integers(-2, 3)),
    st.integers(0, 2),
)


@given(st.lists(made, max_size=8, unique_by=lambda account: account.code), st.randoms())
def test_the_order_does_not_depend_on_how_the_purses_are_found(kept: list[PurseAccount], random: object) -> None:
    shuffled = list(kept)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    found = purses.order(kept, "transit", AT)
    assert found == purses.order(shuffled, "transit", AT)
    assert {account.code for account in found} == {
        account.code
        for account in kept
        if account.purse.purpose in ("", "transit")
        and (account.purse.expires_at is None or account.purse.expires_at > AT)
    }
