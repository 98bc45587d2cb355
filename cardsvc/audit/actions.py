"""What makes the log grow: leaves with the change that they stand for, signed heads in a step of its own."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.audit.models import CheckpointRow, LogLeaf, LogNode
from cardsvc.audit.queries import SHARD, Checkpoint, newest, next_index, reader
from cardsvc.audit.rules import Leaf, LogBehindCheckpoint, leaf_hash
from cardsvc.db import insert_columns
from cardsvc.vault import Vault
from crypto import tlog

# One at a time signs. Any fixed number: PostgreSQL's advisory locks have no names.
_PUBLISHER_LOCK = 0x6175646974
_ERASED_AT_ONCE = 10_000


def append(session: Session, leaves: Sequence[Leaf]) -> range:
    """Put the leaves behind the log's last one; the places they took. The caller is the log's one writer (holds the
    lock under which it asked for `next_index`): a second one is refused by the table's key.

    If we stop before the session's commit, neither the leaves nor what they stand for exist.
    """
    size = next_index(session)
    commitments = [leaf.commitment() for leaf in leaves]
    hashes = [leaf_hash(committed) for committed in commitments]
    places = range(size, size + len(leaves))
    insert_columns(
        session,
        LogLeaf.__table__,
        {
            "shard": [SHARD] * len(leaves),
            "leaf_index": list(places),
            "record_id": [leaf.record_id for leaf in leaves],
            "leaf_hash": hashes,
            "commitment": commitments,
            "salt": [leaf.salt for leaf in leaves],
        },
    )
    nodes = [node for node in tlog.append(reader(session), size, hashes) if node.level]
    insert_columns(
        session,
        LogNode.__table__,
        {
            "shard": [SHARD] * len(nodes),
            "level": [node.level for node in nodes],
            "idx": [node.index for node in nodes],
            "hash": [node.hash for node in nodes],
        },
    )
    return places


def publish(session: Session, vault: Vault, now: datetime) -> Checkpoint:
    """Sign the log's present head, or return the last one when nothing came since. Repeatable at any time.

    If we stop before the commit, a head may have been signed that nobody saw; the next try signs the same tree again.
    Raises: LogBehindCheckpoint when what is stored does not continue the last head; then nothing is signed.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(_PUBLISHER_LOCK)))
    size = next_index(session)
    last = newest(session)
    read = reader(session)
    if last is not None:
        if size < last.tree_size or tlog.Tree(read, last.tree_size).root() != last.root:
            raise LogBehindCheckpoint(last.tree_size, size)
        if size == last.tree_size:
            return last
    root = tlog.Tree(read, size).root()
    note = tlog.sign_checkpoint(tlog.Checkpoint(vault.log_origin, size, root), vault.note_signers())
    session.execute(
        sa.insert(CheckpointRow).values(shard=SHARD, tree_size=size, root=root, note=note, published_at=now)
    )
    return Checkpoint(size, root, note, now)


def erase(session: Session, record_ids: Iterable[UUID]) -> None:
    """Forget the salts of these records: the log stays whole and no longer says anything about them. For good."""
    wanted = list(record_ids)
    for start in range(0, len(wanted), _ERASED_AT_ONCE):
        some = wanted[start : start + _ERASED_AT_ONCE]
        session.execute(sa.update(LogLeaf).where(LogLeaf.record_id.in_(some)).values(salt=None))
