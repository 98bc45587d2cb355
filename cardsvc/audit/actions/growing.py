"""What makes the log grow: leaves with the change that they stand for, signed heads in a step of its own."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.audit.actions.keeping import check_kept, keep, read_kept
from cardsvc.audit.models import CheckpointRow, LogLeaf, LogNode
from cardsvc.audit.queries import SHARD, Checkpoint, newest, next_index, note_signers, origin, reader
from cardsvc.audit.rules import Leaf, LogBehindCheckpoint, leaf_hash
from cardsvc.db import insert_columns
from cardsvc.rows import insert
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
    insert(
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


def publish(session: Session, vault: Vault, now: datetime, kept: Path | None = None) -> Checkpoint:
    """Sign the log's present head, or return the last one when nothing came since. Repeatable at any time.

    `kept` is the file outside the database that keeps the last head (`keeping`); without one, as in a test of the tree,
    nothing is compared with it. The session has appended nothing itself: what is kept must not be rolled back.

    If we stop before the commit, a head may have been signed that nobody saw but the file; the next try signs the same
    tree again, or one that begins with it.
    Raises: LogBehindCheckpoint when what is stored does not continue the last head; KeptHeadMissing,
    KeptHeadUnreadable. Then nothing is signed.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(_PUBLISHER_LOCK)))
    head = newest(session)
    size = next_index(session)
    read = reader(session)
    if head is not None and (size < head.tree_size or tlog.Tree(read, head.tree_size).root() != head.root):
        raise LogBehindCheckpoint(head.tree_size, size)
    if kept is not None:
        check_kept(session, vault, kept)
    if head is None or size > head.tree_size:
        root = tlog.Tree(read, size).root()
        signed = tlog.Checkpoint(origin(session, vault), size, root)
        head = Checkpoint(size, root, tlog.sign_checkpoint(signed, note_signers(session, vault)), now)
        row = {"tree_size": size, "root": root, "note": head.note, "published_at": now}
        session.execute(sa.insert(CheckpointRow).values(shard=SHARD, **row))
    if kept is not None and read_kept(kept) != head.note:
        keep(kept, head.note)
    return head


def erase(session: Session, record_ids: Iterable[UUID]) -> None:
    """Forget the salts of these records: the log stays whole and no longer says anything about them. For good."""
    wanted = list(record_ids)
    for start in range(0, len(wanted), _ERASED_AT_ONCE):
        some = wanted[start : start + _ERASED_AT_ONCE]
        session.execute(sa.update(LogLeaf).where(LogLeaf.record_id.in_(some)).values(salt=None))
