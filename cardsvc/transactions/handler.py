"""What a feature brings so that its records are accepted: one handler for each kind, registered by `app.py`."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

from sqlalchemy.orm import Session

from cardsvc import ledger
from cardsvc.transactions.rules import CardRef, Item, Plan, Rejected
from crypto.wire.body import Body
from crypto.wire.transaction import Purpose


class Handler(Protocol):
    """A feature's answer to one kind of record.

    `plan` and `settle` see many items at once, in batch order, so that their reads and writes are set-based; never two
    of one `subject`: the second is planned when the first is settled.
    """

    @property
    def body(self) -> type[Body]:
        """What a record of this kind says; `body.KIND` is the number it is registered under."""

    @property
    def purposes(self) -> frozenset[Purpose]:
        """Why its one authorisation may be made, besides the terminal's signature over the batch: any of these."""

    @property
    def device_kinds(self) -> frozenset[str]:
        """The kinds of terminal that may send it."""

    @property
    def roles(self) -> frozenset[str]:
        """The staff roles of which the signer must hold one; empty where no staff signs."""

    def subject(self, item: Item, /) -> Hashable | None:
        """What only one item can have: the entitlement it claims, the bill it pays. None where items never compete."""

    def plan(self, session: Session, items: Sequence[Item], now: datetime, /) -> Sequence[Plan | Rejected]:
        """One answer for each item. Writes nothing."""

    def settle(self, session: Session, done: Sequence[tuple[Item, ledger.Posted]], now: datetime, /) -> None:
        """Move the feature's own rows for the items that were posted, in the same database transaction."""


@runtime_checkable
class Foreseeing(Handler, Protocol):
    """A handler whose planning is much work, of which most can be done before the ledger is locked."""

    def foresee(self, session: Session, items: Sequence[Item], /) -> Any:
        """What `plan` would answer to these items of one batch, if nothing happens until then; or None. Without a lock,
        in a database transaction of its own that writes nothing.
        """

    def plan_foreseen(
        self, session: Session, items: Sequence[Item], foreseen: Sequence[Any], now: datetime, /
    ) -> Sequence[Plan | Rejected]:
        """The very answers of `plan`. Of what was foreseen for the batches that these items are of it believes only
        what is still true; some of their items may be refused by now, and others between them.
        """


Registry = Mapping[int, Handler]

Section = Callable[[Session, CardRef, datetime], Any]
"""One room's part of the answer to a query, ready for JSON."""
Sections = Mapping[int, Mapping[str, Section]]
"""Which rooms answer which kind of query, under which names."""

Spendable = Callable[[Session, Sequence[UUID], datetime], Mapping[UUID, int]]
"""What residents can pay a ride with, in cents, of those who have a wallet; set-based."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """What the features bring, gathered by `app.py`. `spendable` is told to gates beside their receipts."""

    registry: Registry
    sections: Sections
    spendable: Spendable
