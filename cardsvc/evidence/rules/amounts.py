"""Which field of a record is its amount: `amount_cents`, or the one that ends in `_cents`; some kinds have none."""

from collections.abc import Iterator
from typing import Final

from crypto.wire import benefits, disputes, finance, taxes, transit, wallets
from crypto.wire.body import Body, _plan

BODIES: Final = (benefits, disputes, finance, taxes, transit, wallets)
"""The modules whose bodies are known once they are loaded."""


def _amounts() -> Iterator[tuple[int, int]]:
    for body in Body.__subclasses__():
        named = {entry.name: entry.tag for entry in _plan(body) if entry.name.endswith("_cents")}
        if "amount_cents" in named:
            yield int(body.KIND), named["amount_cents"]
        elif len(named) == 1:
            (tag,) = named.values()
            yield int(body.KIND), tag


TAG_OF_KIND: Final = dict(_amounts())
"""The tag of the amount in the body of each kind that states exactly one."""
