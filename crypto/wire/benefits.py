"""Benefits: a cycle that two officers approve, and the claim of one resident."""

from dataclasses import dataclass
from typing import Annotated, ClassVar
from uuid import UUID

from crypto.wire.body import CENTS, CURRENCY, HASH, IDENTIFIER, POSITIVE_CENTS, Body, Tag, integer
from crypto.wire.kinds import Kind


@dataclass(frozen=True, slots=True)
class CycleApproved(Body):
    """An officer approves the list of a cycle: how many people, how much in all, and SHA-256 of the list itself."""

    KIND: ClassVar[int] = Kind.CYCLE_APPROVED
    staff_id: Annotated[UUID, Tag(1, IDENTIFIER)]
    cycle_id: Annotated[UUID, Tag(2, IDENTIFIER)]
    count: Annotated[int, Tag(3, integer())]
    total_cents: Annotated[int, Tag(4, CENTS)]
    currency: Annotated[str, Tag(5, CURRENCY)]
    list_hash: Annotated[bytes, Tag(6, HASH)]


@dataclass(frozen=True, slots=True)
class Claim(Body):
    """The holder of the card that signed, with PIN, takes an entitlement into the wallet."""

    KIND: ClassVar[int] = Kind.CLAIM
    entitlement_id: Annotated[UUID, Tag(1, IDENTIFIER)]
    amount_cents: Annotated[int, Tag(2, POSITIVE_CENTS)]
    currency: Annotated[str, Tag(3, CURRENCY)]


@dataclass(frozen=True, slots=True)
class EntitlementsQuery(Body):
    """What may the holder of the card that signed claim now?"""

    KIND: ClassVar[int] = Kind.ENTITLEMENTS_QUERY
