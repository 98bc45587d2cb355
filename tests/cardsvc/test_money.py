import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardsvc.money import AMOUNT_MAX, InvalidAmount, parse_pesos, show


@pytest.mark.parametrize(
    ("cents", "text"),
    [
        (0, "₱0.00"),
        (5, "₱0.05"),
        (123450, "₱1,234.50"),
        (-123450, "\N{MINUS SIGN}₱1,234.50"),
        (-1, "\N{MINUS SIGN}₱0.01"),
        (100000000, "₱1,000,000.00"),
    ],
)
def test_money_is_shown_as_people_write_it(cents: int, text: str) -> None:
    assert show(cents) == text


@pytest.mark.parametrize(
    ("text", "cents"), [("1,234.50", 123450), ("1234.50", 123450), ("12", 1200), (" ₱0.05 ", 5), ("-3.00", -300)]
)
def test_what_people_write_is_understood(text: str, cents: int) -> None:
    assert parse_pesos(text) == cents


@pytest.mark.parametrize(
    "text",
    ["", "1.5", "1.505", "1,23.00", "1 234", "12,34", ".50", "1.", "\uff11\uff12", "1e3", "--1", "₱", "1\n2", "9" * 20],
)
def test_what_could_mean_two_things_is_refused(text: str) -> None:
    with pytest.raises(InvalidAmount, match="write it like"):
        parse_pesos(text)


@given(st.integers(-AMOUNT_MAX, AMOUNT_MAX))
def test_what_is_shown_reads_back(cents: int) -> None:
    assert parse_pesos(show(cents)) == cents
