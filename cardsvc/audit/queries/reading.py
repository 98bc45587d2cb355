"""What the log can be asked: its leaves, its signed heads, its tiles and its proofs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.audit.models import CheckpointRow, LogLeaf, LogNode
from cardsvc.audit.rules import NotInLog
from crypto import tlog
from crypto.wire import receipt

SHARD = 0
_SALTS_AT_ONCE = 500  # record ids in one statement


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed head of the log: `note` is what anybody verifies, the rest is what it says."""

    tree_size: int
    root: bytes
    note: str
    published_at: datetime


@dataclass(frozen=True, slots=True)
class StoredLeaf:
    """`salt` is None once it was erased: then nobody can tell any more what the leaf stands for."""

    leaf_index: int
    record_id: UUID
    leaf_hash: bytes
    commitment: bytes
    salt: bytes | None


def next_index(session: Session) -> int:
    """The place that the next leaf takes, which is also the log's size. True until the session ends only for whoever
    holds the writer's lock.
    """
    newest = session.scalar(sa.select(sa.func.max(LogLeaf.leaf_index)).where(LogLeaf.shard == SHARD))
    return 0 if newest is None else newest + 1


def leaf(session: Session, leaf_index: int) -> StoredLeaf:
    """Raises: NotInLog."""
    row = session.execute(
        sa.select(LogLeaf.leaf_index, LogLeaf.record_id, LogLeaf.leaf_hash, LogLeaf.commitment, LogLeaf.salt).where(
            LogLeaf.shard == SHARD, LogLeaf.leaf_index == leaf_index
        )
    ).one_or_none()
    if row is None:
        raise NotInLog(f"there is no leaf {leaf_index}")
    return StoredLeaf(*row)


def salts(session: Session, record_ids: Sequence[UUID]) -> dict[UUID, bytes | None]:
    """The salts of these records' leaves; None where it was erased."""
    found: dict[UUID, bytes | None] = {}
    for start in range(0, len(record_ids), _SALTS_AT_ONCE):
        some = record_ids[start : start + _SALTS_AT_ONCE]
        rows = session.execute(sa.select(LogLeaf.record_id, LogLeaf.salt).where(LogLeaf.record_id.in_(some)))
        found.update({row.record_id: row.salt for row in rows})
    return found


def erased(session: Session) -> list[UUID]:
    """The records whose leaves no longer say what they stand for, in the order of the log."""
    query = sa.select(LogLeaf.record_id).where(LogLeaf.shard == SHARD, LogLeaf.salt.is_(None))
    return list(session.scalars(query.order_by(LogLeaf.leaf_index)))


def newest(session: Session) -> Checkpoint | None:
    """The last signed head; None before the first."""
    return _checkpoint(session, _HEADS.order_by(CheckpointRow.tree_size.desc()))


def covering(session: Session, leaf_index: int) -> Checkpoint | None:
    """The first signed head whose tree has the leaf; None while it is not published yet."""
    later = _HEADS.where(CheckpointRow.tree_size > leaf_index)
    return _checkpoint(session, later.order_by(CheckpointRow.tree_size))


_HEADS = sa.select(CheckpointRow.tree_size, CheckpointRow.root, CheckpointRow.note, CheckpointRow.published_at).where(
    CheckpointRow.shard == SHARD
)


def _checkpoint(session: Session, query: sa.Select[int, bytes, str, datetime]) -> Checkpoint | None:
    row = session.execute(query.limit(1)).one_or_none()
    return Checkpoint(*row) if row else None


def reader(session: Session) -> tlog.Read:
    """The stored hashes at tile levels; each tile is read once, whole, because neighbours are asked for next."""
    tiles: dict[tuple[int, int], dict[int, bytes]] = {}

    def read(level: int, index: int) -> bytes:
        place = level, index // tlog.TILE_WIDTH
        if place not in tiles:
            tiles[place] = _tile_hashes(session, *place)
        if index not in tiles[place]:
            raise NotInLog(f"hash {index} of level {level} is not stored")
        return tiles[place][index]

    return read


def _tile_hashes(session: Session, level: int, tile_index: int) -> dict[int, bytes]:
    first, last = tile_index * tlog.TILE_WIDTH, (tile_index + 1) * tlog.TILE_WIDTH - 1
    if level == 0:
        query = sa.select(LogLeaf.leaf_index, LogLeaf.leaf_hash).where(
            LogLeaf.shard == SHARD, LogLeaf.leaf_index.between(first, last)
        )
    else:
        query = sa.select(LogNode.idx, LogNode.hash).where(
            LogNode.shard == SHARD, LogNode.level == level, LogNode.idx.between(first, last)
        )
    return {index: value for index, value in session.execute(query)}  # noqa: C416 - rows are not pairs to mypy


def inclusion(session: Session, leaf_index: int, tree_size: int) -> list[bytes]:
    """The path from a leaf to the root of the tree of `tree_size`. Raises: NotInLog."""
    return inclusions(session, [leaf_index], tree_size)[leaf_index]


def inclusions(session: Session, leaf_indexes: Iterable[int], tree_size: int) -> dict[int, list[bytes]]:
    """The paths of many leaves to the same root, which share their work. Raises: NotInLog."""
    tree = _tree(session, tree_size)
    paths: dict[int, list[bytes]] = {}
    for leaf_index in leaf_indexes:
        if not 0 <= leaf_index < tree_size:
            raise NotInLog(f"a tree of {tree_size} leaves has no leaf {leaf_index}")
        paths[leaf_index] = list(tree.inclusion_proof(leaf_index))
    return paths


def consistency(session: Session, old_size: int, new_size: int) -> list[bytes]:
    """That the tree of `new_size` begins with the tree of `old_size`. Raises: NotInLog."""
    if not 0 < old_size <= new_size:
        raise NotInLog(f"a tree of {new_size} leaves cannot be compared with one of {old_size}")
    return list(_tree(session, new_size).consistency_proof(old_size))


def _tree(session: Session, size: int) -> tlog.Tree:
    stored = next_index(session)
    if not 0 < size <= stored:
        raise NotInLog(f"the log has {stored} leaves, not {size}")
    return tlog.Tree(reader(session), size)


def tile(session: Session, wanted: tlog.Tile) -> bytes:
    """The content of a tile, or of an entry bundle, of the published log. Raises: NotInLog."""
    head = newest(session)
    size = head.tree_size if head else 0
    level = max(wanted.level, 0)
    first = wanted.index * tlog.TILE_WIDTH
    if first + wanted.width > size >> level * tlog.TILE_HEIGHT:
        raise NotInLog(f"{wanted.path()} is not published")
    if wanted.level != tlog.ENTRIES:
        return tlog.tile_bytes(reader(session), wanted)
    commitments = session.scalars(
        sa.select(LogLeaf.commitment)
        .where(LogLeaf.shard == SHARD, LogLeaf.leaf_index.between(first, first + wanted.width - 1))
        .order_by(LogLeaf.leaf_index)
    )
    return tlog.encode_bundle([receipt.leaf_data(committed) for committed in commitments])
