"""The proof of the log: the whole tree computed again from its leaves, beside everything that was signed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.audit.models import CheckpointRow, LogLeaf, LogNode
from cardsvc.audit.queries.reading import SHARD, StoredLeaf
from cardsvc.audit.rules import Contents, Frontier, LogBroken, commitment, leaf_hash
from crypto import tlog
from crypto.errors import CryptoError

_PAGE = 4096

# What the records behind these leaves say now, by record id: the room that keeps the records answers.
Source = Callable[[Session, Sequence[UUID]], Mapping[UUID, Contents]]


@dataclass(frozen=True, slots=True)
class LogChecked:
    """How much was looked at; all of it was right. `erased` leaves no longer say what they stand for."""

    leaves: int
    erased: int
    checkpoints: int


def check_log(session: Session, verifiers: Sequence[tlog.NoteVerifier], *, source: Source | None = None) -> LogChecked:
    """Compute every hash again from the commitments, and compare with what is stored and signed; with a `source`, also
    the commitments from the records. Memory does not grow with the log.

    Raises: LogBroken, naming the first leaf, tile or checkpoint that is wrong.
    """
    frontier = Frontier()
    heads = _heads(session)
    head = next(heads, None)
    nodes = 0
    erased = 0
    checked = 0
    while True:
        while head is not None and head.tree_size == frontier.size:
            _check_head(head, frontier, verifiers)
            checked += 1
            head = next(heads, None)
        page = _page(session, frontier.size, frontier.size + _PAGE if head is None else head.tree_size)
        if not page:
            break
        if source is not None:
            _check_contents(page, source(session, [leaf.record_id for leaf in page]))
        completed = [node for leaf in page for node in _push(frontier, leaf)]
        _check_nodes(session, completed)
        nodes += len(completed)
        erased += sum(leaf.salt is None for leaf in page)
    if head is not None:
        raise LogBroken(f"a checkpoint of {head.tree_size} leaves is signed, and there are {frontier.size}")
    _check_counts(session, frontier.size, nodes)
    return LogChecked(frontier.size, erased, checked)


def _heads(session: Session) -> Iterator[CheckpointRow]:
    size = -1
    while True:
        query = sa.select(CheckpointRow).where(CheckpointRow.shard == SHARD, CheckpointRow.tree_size > size)
        page = session.scalars(query.order_by(CheckpointRow.tree_size).limit(_PAGE)).all()
        if not page:
            return
        yield from page
        size = page[-1].tree_size


def _page(session: Session, start: int, end: int) -> list[StoredLeaf]:
    """The leaves from `start` up to `end` or a page's worth, whichever is less."""
    rows = session.execute(
        sa.select(LogLeaf.leaf_index, LogLeaf.record_id, LogLeaf.leaf_hash, LogLeaf.commitment, LogLeaf.salt)
        .where(LogLeaf.shard == SHARD, LogLeaf.leaf_index >= start, LogLeaf.leaf_index < min(end, start + _PAGE))
        .order_by(LogLeaf.leaf_index)
    )
    return [StoredLeaf(*row) for row in rows]


def _push(frontier: Frontier, leaf: StoredLeaf) -> list[tlog.NewHash]:
    if leaf.leaf_index != frontier.size:
        raise LogBroken(f"leaf {frontier.size} is missing")
    if leaf_hash(leaf.commitment) != leaf.leaf_hash:
        raise LogBroken(f"the hash of leaf {leaf.leaf_index} is not that of its commitment")
    return frontier.push(leaf.leaf_hash)


def _check_contents(page: Sequence[StoredLeaf], contents: Mapping[UUID, Contents]) -> None:
    for leaf in page:
        if leaf.record_id not in contents:
            raise LogBroken(f"record {leaf.record_id} of leaf {leaf.leaf_index} is not kept any more")
        if leaf.salt is not None and commitment(leaf.salt, leaf.record_id, contents[leaf.record_id]) != leaf.commitment:
            raise LogBroken(f"record {leaf.record_id} is not what leaf {leaf.leaf_index} commits to")


def _check_nodes(session: Session, completed: Sequence[tlog.NewHash]) -> None:
    for node in completed:
        stored = session.scalar(
            sa.select(LogNode.hash).where(
                LogNode.shard == SHARD, LogNode.level == node.level, LogNode.idx == node.index
            )
        )
        if stored != node.hash:
            raise LogBroken(f"the root of tile {node.index} at level {node.level - 1} is wrong or missing")


def _check_head(head: CheckpointRow, frontier: Frontier, verifiers: Sequence[tlog.NoteVerifier]) -> None:
    try:
        signed = tlog.open_checkpoint(head.note, verifiers)
    except CryptoError as error:
        raise LogBroken(f"the checkpoint of {head.tree_size} leaves does not verify: {error}") from error
    if (signed.size, signed.root) != (head.tree_size, frontier.root()) or head.root != signed.root:
        raise LogBroken(f"the signed checkpoint of {head.tree_size} leaves is not the head of these leaves")


def _check_counts(session: Session, leaves: int, nodes: int) -> None:
    """Nothing extra: neither behind a gap nor beside the tree."""
    stored_leaves = session.scalar(sa.select(sa.func.count()).select_from(LogLeaf).where(LogLeaf.shard == SHARD))
    if stored_leaves != leaves:
        raise LogBroken(f"leaf {leaves} is missing and later ones are there")
    stored_nodes = session.scalar(sa.select(sa.func.count()).select_from(LogNode).where(LogNode.shard == SHARD))
    if stored_nodes != nodes:
        raise LogBroken(f"{stored_nodes} tile roots are stored where {nodes} belong")
