"""What witnesses have signed."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.audit.models import CheckpointRow, CosignatureRow
from cardsvc.audit.queries.reading import SHARD, Checkpoint, newest
from crypto.tlog import CosignatureVerifier, TrustPolicy

_HEADS_LOOKED_AT = 200  # back from the newest: a city that long without its quorum asks the witnesses themselves


@dataclass(frozen=True, slots=True)
class Cosigned:
    """One witness's line under the checkpoint of one size."""

    tree_size: int
    vkey: str
    line: str
    signed_at: datetime


def cosigned(session: Session, tree_size: int) -> list[Cosigned]:
    """Who has signed the checkpoint of this size."""
    table = CosignatureRow.__table__.c
    query = sa.select(table.tree_size, table.vkey, table.line, table.signed_at).where(
        table.shard == SHARD, table.tree_size == tree_size
    )
    return [Cosigned(*row) for row in session.execute(query.order_by(table.vkey))]


def last_cosigned(session: Session, vkey: str) -> int:
    """The largest size that this witness has signed; 0 before the first."""
    table = CosignatureRow.__table__.c
    found = session.scalar(sa.select(sa.func.max(table.tree_size)).where(table.shard == SHARD, table.vkey == vkey))
    return found or 0


def with_cosignatures(session: Session, head: Checkpoint) -> str:
    """The checkpoint's note with every witness's line that is there."""
    return head.note + "".join(one.line for one in cosigned(session, head.tree_size))


def newest_witnessed(session: Session, policy: TrustPolicy) -> str | None:
    """The newest checkpoint that enough witnesses have signed, with their lines; None while there is none."""
    if policy.is_met([]):
        head = newest(session)
        return None if head is None else with_cosignatures(session, head)
    table = CosignatureRow.__table__.c
    sizes = session.scalars(
        sa.select(table.tree_size).distinct().where(table.shard == SHARD).order_by(table.tree_size.desc())
        .limit(_HEADS_LOOKED_AT)
    )  # fmt: skip
    for size in sizes:
        lines = cosigned(session, size)
        if policy.is_met(_verifiers(policy, {one.vkey for one in lines})):
            note = session.scalar(
                sa.select(CheckpointRow.note).where(CheckpointRow.shard == SHARD, CheckpointRow.tree_size == size)
            )
            return f"{note}{''.join(one.line for one in lines)}"
    return None


def _verifiers(policy: TrustPolicy, vkeys: Collection[str]) -> list[CosignatureVerifier]:
    return [one.verifier for one in policy.witnesses.values() if one.verifier.format() in vkeys]
