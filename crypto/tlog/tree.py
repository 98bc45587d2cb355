"""The Merkle tree of RFC 9162 2.1, computed from the hashes that tiles keep.

Stored are the leaf hashes and, for every full tile of 256, its root: tile level L holds the roots of 256^L leaves.
What lies between is computed again when it is needed, at most 255 hashes a tile.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from crypto.errors import InvalidProof

TILE_HEIGHT = 8  # C2SP tlog-tiles: a tile has 2^8 hashes
TILE_WIDTH = 1 << TILE_HEIGHT
HASH_BYTES = 32

EMPTY_ROOT = hashlib.sha256(b"").digest()  # RFC 9162 2.1.1

# (tile level, index) -> hash. Level 0 are the leaves, level 1 the roots of 256 leaves each, level 2 of 65,536 each.
Read: TypeAlias = Callable[[int, int], bytes]


def leaf_hash(data: bytes) -> bytes:
    """RFC 9162 2.1.1: a leaf is hashed behind a zero byte."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 9162 2.1.1: two nodes are hashed behind a one."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class NewHash:
    """One hash that must be stored, at a tile level."""

    level: int
    index: int
    hash: bytes


def append(read: Read, size: int, leaf_hashes: Sequence[bytes]) -> list[NewHash]:
    """What a log of `size` leaves must store when these leaves come after them: the leaves, and tiles that became full.

    `read` is asked for older hashes only.
    """
    new: dict[tuple[int, int], bytes] = {}

    def read_both(level: int, index: int) -> bytes:
        return new[level, index] if (level, index) in new else read(level, index)

    for offset, leaf in enumerate(leaf_hashes):
        new[0, size + offset] = leaf
        level, index = 0, size + offset
        while index % TILE_WIDTH == TILE_WIDTH - 1:  # this hash is the last of its tile
            tile = index // TILE_WIDTH
            hashes = [read_both(level, tile * TILE_WIDTH + column) for column in range(TILE_WIDTH)]
            level, index = level + 1, tile
            new[level, index] = _fold(hashes)
    return [NewHash(level, index, value) for (level, index), value in new.items()]


def _fold(hashes: Sequence[bytes]) -> bytes:
    """The root of a full subtree."""
    while len(hashes) > 1:
        hashes = [node_hash(hashes[i], hashes[i + 1]) for i in range(0, len(hashes), 2)]
    return hashes[0]


class Tree:
    """The tree at one size. Inner hashes are kept for its life, so the proofs of a batch share their work."""

    def __init__(self, read: Read, size: int) -> None:
        self._read = read
        self._nodes: dict[tuple[int, int], bytes] = {}
        self.size = size

    def root(self) -> bytes:
        """The Merkle tree hash of all leaves; the hash of nothing for an empty tree."""
        return self._range(0, self.size) if self.size else EMPTY_ROOT

    def inclusion_proof(self, index: int) -> tuple[bytes, ...]:
        """The path from the leaf to this tree's root (RFC 9162 2.1.3.1). Raises: InvalidProof."""
        if not 0 <= index < self.size:
            raise InvalidProof(f"The log has {self.size} leaves; there is no leaf {index}.")
        return tuple(self._path(index, 0, self.size))

    def consistency_proof(self, old_size: int) -> tuple[bytes, ...]:
        """That this tree begins with the tree of `old_size` (RFC 9162 2.1.4.1). Raises: InvalidProof."""
        if not 0 < old_size <= self.size:
            raise InvalidProof(f"A log of {self.size} leaves cannot be compared with one of {old_size}.")
        return tuple(self._subproof(old_size, 0, self.size, complete=True))

    def _path(self, index: int, start: int, end: int) -> Iterator[bytes]:
        if end - start == 1:
            return
        middle = start + _split(end - start)
        if index < middle:
            yield from self._path(index, start, middle)
            yield self._range(middle, end)
        else:
            yield from self._path(index, middle, end)
            yield self._range(start, middle)

    def _subproof(self, old: int, start: int, end: int, *, complete: bool) -> Iterator[bytes]:
        if old == end:
            if not complete:
                yield self._range(start, end)
            return
        middle = start + _split(end - start)
        if old <= middle:
            yield from self._subproof(old, start, middle, complete=complete)
            yield self._range(middle, end)
        else:
            yield from self._subproof(old, middle, end, complete=False)
            yield self._range(start, middle)

    def _range(self, start: int, end: int) -> bytes:
        """The hash of leaves start..end; `start` is where such a subtree begins, so a power of two is a node."""
        count = end - start
        if count & (count - 1) == 0:
            level = count.bit_length() - 1
            return self._node(level, start >> level)
        middle = start + _split(count)
        return node_hash(self._range(start, middle), self._range(middle, end))

    def _node(self, level: int, index: int) -> bytes:
        """A full subtree of 2^level leaves."""
        known = self._nodes.get((level, index))
        if known is None:
            if level % TILE_HEIGHT == 0:
                known = self._read(level // TILE_HEIGHT, index)
            else:
                known = node_hash(self._node(level - 1, 2 * index), self._node(level - 1, 2 * index + 1))
            self._nodes[level, index] = known
        return known


def _split(count: int) -> int:
    """RFC 9162 2.1.1: the largest power of two smaller than `count`."""
    return 1 << (count - 1).bit_length() - 1
