"""What an item is, once its signatures verified, and what can become of it.

The order of `Reason` (crypto/FORMATS.md) is the order of the checks: of several faults the first is stated. A refusal
of an item nobody can be held to (unreadable, unknown key, wrong signature) does not use up the record id: otherwise a
stranger who guesses an id could spoil the owner's transaction before it arrives.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from cardsvc import ledger
from crypto.wire.body import Body
from crypto.wire.reasons import Reason
from crypto.wire.transaction import Record

B = TypeVar("B", bound=Body)


@dataclass(frozen=True, slots=True)
class DeviceRef:
    id: UUID
    kind: str


@dataclass(frozen=True, slots=True)
class CardRef:
    card_id: UUID
    resident_id: UUID


@dataclass(frozen=True, slots=True)
class PasskeyRef:
    """A resident's passkey that signed; `counter` is what its authenticator counted, 0 where it does not."""

    key_id: bytes
    resident_id: UUID
    counter: int


@dataclass(frozen=True, slots=True)
class StaffRef:
    staff_id: UUID
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class Item:
    """A record whose signature verified. `card` is who tapped, `staff` who signed, `passkey` the resident's who signed
    in a browser; none of them where the service did. `settled`: its time was disputed and finance says that it counts.
    """

    record: Record
    body: Body
    record_hash: bytes
    device: DeviceRef
    card: CardRef | None
    staff: StaffRef | None
    happened_at: datetime
    passkey: PasskeyRef | None = None
    settled: bool = False

    @property
    def resident_id(self) -> UUID | None:
        """The resident who authorised it, with a card or a passkey."""
        holder = self.card or self.passkey
        return None if holder is None else holder.resident_id

    def says(self, kind: type[B]) -> B:
        """The body, as its handler knows it."""
        assert isinstance(self.body, kind)
        return self.body


@dataclass(frozen=True, slots=True)
class Plan:
    """What an item will do to the books. `official_series`: the receipt series to draw a number from, if any; `opens`:
    accounts that must be open first.
    """

    draft: ledger.Draft
    amount_cents: int
    official_series: str | None = None
    opens: tuple[ledger.AccountSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """A refusal with one sentence for the person at the terminal."""

    reason: Reason
    detail: str


_PLACE = {reason: place for place, reason in enumerate(Reason)}


def first_fault(*faults: Rejected) -> Rejected:
    """The one that is stated of several."""
    return min(faults, key=lambda fault: _PLACE[fault.reason])
