"""Disputes: a record that came too late or from the future is settled by a member of staff, by another record."""

from dataclasses import dataclass
from typing import Annotated, ClassVar
from uuid import UUID

from crypto.wire.body import HASH, IDENTIFIER, Body, Tag, text
from crypto.wire.kinds import Kind


@dataclass(frozen=True, slots=True)
class DisputeSettled(Body):
    """The disputed record counts after all: it is posted under this record's id, as its own kind would post it.

    `disputed_hash` is the disputed record's hash: what is accepted is these bytes. `action_id` names what two people
    signed for it, where one may not decide alone; None where one may.
    """

    KIND: ClassVar[int] = Kind.DISPUTE_SETTLED
    staff_id: Annotated[UUID, Tag(1, IDENTIFIER)]
    disputed_id: Annotated[UUID, Tag(2, IDENTIFIER)]
    disputed_hash: Annotated[bytes, Tag(3, HASH)]
    reason: Annotated[str, Tag(4, text())]
    action_id: Annotated[UUID | None, Tag(5, IDENTIFIER)] = None
