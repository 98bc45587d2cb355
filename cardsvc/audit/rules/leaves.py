"""The log without a database: what a leaf says, and the tree computed again from nothing but its leaves."""

from dataclasses import dataclass, field
from uuid import UUID

from crypto import tlog
from crypto.wire import receipt


@dataclass(frozen=True, slots=True)
class Contents:
    """What a leaf commits to. `reason` is there where the outcome is "rejected", `entry_hash` where money moved."""

    record_hash: bytes
    outcome: str
    reason: str | None
    entry_hash: bytes | None


@dataclass(frozen=True, slots=True)
class Leaf:
    """An outcome for the log. `salt` is 32 random bytes, which only the receipt and the service know."""

    record_id: UUID
    record_hash: bytes
    outcome: str
    reason: str | None
    entry_hash: bytes | None
    salt: bytes

    def commitment(self) -> bytes:
        contents = Contents(self.record_hash, self.outcome, self.reason, self.entry_hash)
        return commitment(self.salt, self.record_id, contents)


def commitment(salt: bytes, record_id: UUID, contents: Contents) -> bytes:
    """What the log keeps of the outcome; without the salt it says nothing about anybody."""
    return receipt.commitment(
        salt, record_id, contents.record_hash, contents.outcome, contents.reason, contents.entry_hash
    )


def leaf_hash(committed: bytes) -> bytes:
    return tlog.leaf_hash(receipt.leaf_data(committed))


@dataclass(slots=True)
class Frontier:
    """The tree, leaf by leaf, in memory that does not grow with it: the roots of its full subtrees, left to right.

    It shares nothing with how the log is written, so that the two check each other.
    """

    size: int = 0
    _subtrees: list[tuple[int, bytes]] = field(default_factory=list)  # (height, root), heights falling

    def push(self, leaf: bytes) -> list[tlog.NewHash]:
        """Take the next leaf's hash; the roots of tiles that it completes, lowest first."""
        height, root = 0, leaf
        completed: list[tlog.NewHash] = []
        while self._subtrees and self._subtrees[-1][0] == height:
            root = tlog.node_hash(self._subtrees.pop()[1], root)
            height += 1
            if height % tlog.TILE_HEIGHT == 0:
                completed.append(tlog.NewHash(height // tlog.TILE_HEIGHT, self.size >> height, root))
        self._subtrees.append((height, root))
        self.size += 1
        return completed

    def root(self) -> bytes:
        """The root of the leaves so far (RFC 9162 2.1.1)."""
        if not self._subtrees:
            return tlog.EMPTY_ROOT
        root = self._subtrees[-1][1]
        for _, left in reversed(self._subtrees[:-1]):
            root = tlog.node_hash(left, root)
        return root
