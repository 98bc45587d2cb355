"""Which field of a record is its amount: every body has one that ends in `_cents`, or none."""

from collections.abc import Iterator
from typing import Final

from crypto.wire import benefits, finance, taxes, transit, wallets
from crypto.wire.body import Body, _plan

BODIES: Final = (benefits, finance, taxes, transit, wallets)
"""The modules whose bodies are known once they are loaded."""


def _amounts() -> Iterator[tuple[int, int]]:
    for body in Body.__subclasses__():
        named = [entry.tag for entry in _plan(body) if entry.name.endswith("_cents")]
        if len(named) == 1:
            yield int(body.KIND), named[0]


TAG_OF_KIND: Final = dict(_amounts())
"""The tag of the amount in the body of each kind that states exactly one."""
