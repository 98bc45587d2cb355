"""The codec itself: optional fields, and the rule by which bodies may grow."""

from dataclasses import dataclass
from typing import Annotated

import pytest

from crypto import cbor
from crypto.errors import MalformedMessage
from crypto.wire.body import CURRENCY, POSITIVE_CENTS, Tag, Tagged, choice, document, many, nested, octets, text


@dataclass(frozen=True, slots=True)
class First(Tagged):
    amount_cents: Annotated[int, Tag(1, POSITIVE_CENTS)]


@dataclass(frozen=True, slots=True)
class Grown(Tagged):
    """What `First` may become: a new field takes a new tag and a default."""

    amount_cents: Annotated[int, Tag(1, POSITIVE_CENTS)]
    note: Annotated[str | None, Tag(2, text(10))] = None


@dataclass(frozen=True, slots=True)
class Group(Tagged):
    items: Annotated[tuple[First, ...], Tag(1, many(nested(First), 2))]


def test_what_was_written_before_a_field_existed_is_read_and_written_the_same() -> None:
    old = First(5).encode()
    assert Grown.from_map(old) == Grown(5)
    assert Grown(5).encode() == old
    assert Grown.from_map(Grown(5, "x").encode()) == Grown(5, "x")


def test_an_old_reader_refuses_a_field_it_does_not_know() -> None:
    with pytest.raises(MalformedMessage, match="does not know"):
        First.from_map(Grown(5, "x").encode())


def test_a_default_is_left_out_and_never_written() -> None:
    with pytest.raises(MalformedMessage, match="default"):
        Grown.from_map({1: 5, 2: None})


@pytest.mark.parametrize("values", [{}, {2: 5}, {1: 0}, {1: "5"}, {1: True}, {1: None}, {"1": 5}, [5], 5, None])
def test_other_maps_are_refused(values: cbor.Value) -> None:
    with pytest.raises(MalformedMessage):
        First.from_map(values)


def test_sequences_and_inner_values_are_checked_too() -> None:
    group = Group((First(1), First(2)))
    assert Group.from_map(group.encode()) == group
    with pytest.raises(MalformedMessage, match="at most 2"):
        Group((First(1),) * 3)
    for wrong in ({1: 5}, {1: [5]}, {1: [{1: 0}]}):
        with pytest.raises(MalformedMessage):
            Group.from_map(wrong)  # type: ignore[arg-type]
    with pytest.raises(MalformedMessage, match="must be a First"):
        Group((Grown(1),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (CURRENCY, ["PHP", "USD"], ["php", "PH", "PHPP", "P1P", "PÉP", "", 5]),
        (text(3), ["a", "ñ水x"], ["", "abcd", "a\n", "a\x00", "\u202e", 5, b"a"]),
        (choice("in", "flat"), ["in"], ["out", "", "IN", None]),
        (octets(2), [b"ab"], [b"a", b"abc", "ab"]),
        (octets(1, 2), [b"a", b"ab"], [b"", b"abc"]),
        (document(5), ["a\nb\n"], ["", "abcdef", 5]),
    ],
)
def test_each_type_takes_what_it_says(kind: object, good: list[object], bad: list[object]) -> None:
    check = kind.check  # type: ignore[attr-defined]
    for value in good:
        check(value)
    for value in bad:
        with pytest.raises(MalformedMessage):
            check(value)


def test_a_tag_is_used_once() -> None:
    @dataclass(frozen=True, slots=True)
    class Twice(Tagged):
        first: Annotated[int, Tag(1, POSITIVE_CENTS)]
        second: Annotated[int, Tag(1, POSITIVE_CENTS)]

    with pytest.raises(TypeError, match="uses a tag twice"):
        Twice(1, 2)
