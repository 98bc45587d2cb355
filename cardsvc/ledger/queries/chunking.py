"""Long lists of values, for statements that take only so many."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

# SQLite takes 32,766 parameters in a statement, PostgreSQL 65,535.
_PARAMETERS_MAX = 10_000


def chunks(values: Iterable[T]) -> Iterator[list[T]]:
    """The values, each once, in lists that fit into one statement's parameters."""
    distinct = list(dict.fromkeys(values))
    for start in range(0, len(distinct), _PARAMETERS_MAX):
        yield distinct[start : start + _PARAMETERS_MAX]
