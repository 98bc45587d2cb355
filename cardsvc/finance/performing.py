"""Lines of a statement signed in, one record each, for the API and the pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from sqlalchemy.orm import Session

from cardsvc import db, transactions, web
from cardsvc.finance import queries
from cardsvc.finance.actions import transfers


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a line. `wallet_id` is None where the money waits; `reason` and `detail` where it was refused."""

    line_id: UUID
    record_id: UUID
    outcome: str
    reason: str | None
    detail: str | None
    replayed: bool
    amount_cents: int
    reference: str | None
    wallet_id: UUID | None


def take_in(line_ids: Sequence[UUID] | None, *, staff_id: UUID, password: str) -> list[Taken]:
    """Sign these lines in, or the oldest that carry a reference; at most `queries.AT_ONCE_MAX`. Each is a unit of its
    own: if we stop between two, the same request again goes on where this one stopped. Do not use `web.session()`
    before it.

    Raises: UnknownLine; what `transactions.perform` raises.
    """
    engine, now = web.city().engine, web.now()
    lines = db.run(engine, lambda session: _lines(session, line_ids), read_only=True)
    return [_take(line, staff_id, password, transfers.transfer_id(line.line_hash, staff_id, now)) for line in lines]


def _lines(session: Session, line_ids: Sequence[UUID] | None) -> list[queries.Incoming]:
    if line_ids is None:
        return queries.incoming(session, limit=queries.AT_ONCE_MAX)
    found = queries.incoming_lines(session, line_ids)
    if len(found) < len(set(line_ids)):
        raise transfers.UnknownLine
    return list(found.values())


def _take(line: queries.Incoming, staff_id: UUID, password: str, record_id: UUID) -> Taken:
    make = partial(transfers.transfer_of, line_id=line.line_id, by=staff_id)
    answer = transactions.perform(make, record_id=record_id, staff_id=staff_id, password=password)
    return Taken(
        line_id=line.line_id,
        amount_cents=line.amount_cents,
        reference=line.reference,
        wallet_id=line.wallet_id,
        **answer,
    )
