"""What the amount is that a record is kept with: what its body says, or what a rule made of it.

A body's amount is its `amount_cents`, or the one field that ends in `_cents`; some kinds have none. A tap says what the
gate showed; what the rider pays follows from the tariff, and is kept: caps, concessions, passes and the exit of a ride
all make another amount of it.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from crypto.wire import benefits, disputes, finance, taxes, transit, wallets
from crypto.wire.body import Body, _plan
from crypto.wire.kinds import Kind

BODIES: Final = (benefits, disputes, finance, taxes, transit, wallets)
"""The modules whose bodies are known once they are loaded."""

PRICED: Final = frozenset({int(Kind.TAP)})
"""The kinds whose amount is what their entry takes from a resident."""
_OTHERS = "revenue:", "expense:"  # operators earn it, programmes pay a part of it


def _amounts() -> Iterator[tuple[int, int]]:
    for body in Body.__subclasses__():
        if body.KIND in PRICED:
            continue
        named = {entry.name: entry.tag for entry in _plan(body) if entry.name.endswith("_cents")}
        if "amount_cents" in named:
            yield int(body.KIND), named["amount_cents"]
        elif len(named) == 1:
            (tag,) = named.values()
            yield int(body.KIND), tag


TAG_OF_KIND: Final = dict(_amounts())
"""The tag of the amount in the body of each kind that states exactly one."""


def taken(lines: Iterable[tuple[str, int]]) -> int:
    """What an entry takes from a resident's accounts; nothing where it gives back."""
    return max(0, sum(cents for code, cents in lines if not code.startswith(_OTHERS)))
