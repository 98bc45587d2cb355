"""What only the whole shows: the tree over all leaves, the balances of all entries, numbers and reversals across files.

Stretches are taken in the order of the log. Memory grows with the accounts, not with the entries.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cardsvc.evidence.rules import tables
from cardsvc.evidence.rules.findings import Finding, Findings, named
from cardsvc.evidence.rules.results import Counts, Judged, Movement, Undoing
from cardsvc.evidence.rules.small import Account, Head, StoredTile
from crypto import tlog

_HASH = 32


@dataclass(slots=True)
class Tree:
    """The log's tree, leaf by leaf: the roots of its full subtrees, left to right (RFC 9162 2.1.1)."""

    size: int = 0
    _subtrees: list[tuple[int, bytes]] = field(default_factory=list)  # (height, root), heights falling

    def push(self, leaf: bytes) -> Iterator[tuple[int, int, bytes]]:
        """Take the next leaf's hash; the roots of tiles that it completes, as level, index and root."""
        height, root = 0, leaf
        while self._subtrees and self._subtrees[-1][0] == height:
            root = tlog.node_hash(self._subtrees.pop()[1], root)
            height += 1
            if height % tlog.TILE_HEIGHT == 0:
                yield height // tlog.TILE_HEIGHT, self.size >> height, root
        self._subtrees.append((height, root))
        self.size += 1

    def root(self) -> bytes:
        if not self._subtrees:
            return tlog.EMPTY_ROOT
        root = self._subtrees[-1][1]
        for _, left in reversed(self._subtrees[:-1]):
            root = tlog.node_hash(left, root)
        return root


class Whole:
    """Takes one stretch after the other, then says what does not fit together."""

    def __init__(
        self,
        accounts: Mapping[str, Account],
        heads: Sequence[Head],
        tiles: Mapping[tuple[int, int], StoredTile],
        findings: Findings,
    ) -> None:
        self._accounts, self._heads, self._tiles, self._findings = accounts, heads, tiles, findings
        self._tree = Tree()
        self._next_head = 0
        self._tiles_met = 0
        self._sums: dict[str, int] = {}
        self._series: dict[str, int] = {}
        self._undone: dict[str, int] = {}
        self.undoings: list[Undoing] = []
        self.counts = Counts()
        self.unread = 0
        self._check_heads()

    @property
    def root(self) -> bytes:
        return self._tree.root()

    @property
    def size(self) -> int:
        return self._tree.size

    def take(self, judged: Judged) -> None:
        """The next stretch of the log, or a file of another kind."""
        for finding in judged.findings:
            self._findings.add(finding)
        self.counts.add(judged.counts)
        self.unread += judged.unread
        if self.unread:
            return  # what needs every line cannot be judged any more
        if judged.hashes and judged.first != self._tree.size:
            self._say(
                judged.name, None, f"leaf {self._tree.size}", "missing", "the leaves before this file are missing"
            )
        for start in range(0, len(judged.hashes), _HASH):
            for level, index, root in self._tree.push(judged.hashes[start : start + _HASH]):
                self._check_tile(level, index, root)
            self._check_heads()
        for code, movement in judged.movements.items():
            self._move(judged, code, movement)
        for series, run in judged.series.items():
            if run.first != self._series.get(series, 0) + 1:
                problem = f"number {run.first} of series {series} is not in its turn"
                self._say(
                    judged.name,
                    self._line(judged, run.first_leaf),
                    f"leaf {run.first_leaf}",
                    "official_number",
                    problem,
                )
            self._series[series] = run.last
        for undoing in judged.undoings:
            self._undo(judged, undoing)

    def _say(self, file: str, line: int | None, subject: str, code: str, message: str) -> None:
        self._findings.add(Finding(file, line, subject, code, message))

    def _line(self, judged: Judged, leaf: int) -> int:
        return leaf - judged.first + 2

    def _check_heads(self) -> None:
        while self._next_head < len(self._heads) and self._heads[self._next_head].size == self._tree.size:
            head = self._heads[self._next_head]
            self._next_head += 1
            if head.root != self._tree.root():
                problem = "the leaves do not give the signed head"
                self._say(tables.path_of(tables.CHECKPOINTS), head.line, f"checkpoint {head.size}", "tree", problem)

    def _check_tile(self, level: int, index: int, root: bytes) -> None:
        stored = self._tiles.get((level, index))
        self._tiles_met += 1
        file = tables.path_of(tables.TILES)
        if stored is None:
            self._say(file, None, f"tile {index} of level {level}", "tile", "its root is missing")
        elif stored.hash != root:
            self._say(file, stored.line, f"tile {index} of level {level}", "tile", "its root is not that of its leaves")

    def _move(self, judged: Judged, code: str, movement: Movement) -> None:
        account = self._accounts.get(code)
        before = self._sums.get(code, 0)
        self._sums[code] = before + movement.sum
        if account is None:
            return self._say(
                judged.name, self._line(judged, movement.first), f"account {code}", "account", "there is none"
            )
        if account.currency != movement.currency:
            problem = f"the account is kept in {account.currency}, the entry in {movement.currency}"
            self._say(judged.name, self._line(judged, movement.first), f"account {code}", "currency", problem)
        if movement.first_recorded < account.opened_at:
            self._say(
                judged.name, self._line(judged, movement.first), f"account {code}", "account", "it was not open yet"
            )
        if account.closed_at is not None and movement.last_recorded > account.closed_at:
            self._say(
                judged.name, self._line(judged, movement.last), f"account {code}", "account", "it was closed before"
            )
        if account.floor is not None:
            low, at = (
                (movement.lowest, movement.lowest_at) if account.sign > 0 else (-movement.highest, movement.highest_at)
            )
            if account.sign * before + low < account.floor:
                problem = (
                    f"the balance falls to {account.sign * before + low} cents, below its floor of {account.floor}"
                )
                self._say(judged.name, self._line(judged, at), f"account {code}", "floor", problem)
        return None

    def _undo(self, judged: Judged, undoing: Undoing) -> None:
        line = self._line(judged, undoing.leaf)
        if undoing.target_leaf is None or undoing.target_leaf >= undoing.leaf:
            problem = f"it takes back {named('entry', undoing.target_id)}, which is not there before it"
            return self._say(judged.name, line, named("entry", undoing.entry_id), "reversal", problem)
        if undoing.target_id in self._undone:
            problem = (
                f"{named('entry', undoing.target_id)} was taken back before, at leaf {self._undone[undoing.target_id]}"
            )
            self._say(judged.name, line, named("entry", undoing.entry_id), "reversal", problem)
        self._undone[undoing.target_id] = undoing.leaf
        self.undoings.append(undoing)
        return None

    def finish(self, size: int, root: bytes) -> None:
        """After the last stretch: the end of the tree, and every balance. `size` and `root` are the sealed ones."""
        if self.unread:
            return
        if self._tree.size != size:
            problem = f"there are {self._tree.size} leaves where {size} belong"
            self._say(tables.MANIFEST_FILE, None, "", "tree", problem)
        elif self._tree.root() != root:
            self._say(tables.MANIFEST_FILE, None, "", "tree", "the leaves do not give the root that it names")
        for head in self._heads[self._next_head :]:
            problem = "there are fewer leaves than it signs"
            self._say(tables.path_of(tables.CHECKPOINTS), head.line, f"checkpoint {head.size}", "tree", problem)
        if self._tiles_met < len(self._tiles):
            problem = f"{len(self._tiles)} roots are stored where {self._tiles_met} belong"
            self._say(tables.path_of(tables.TILES), None, "", "tile", problem)
        for code, account in self._accounts.items():
            natural = account.sign * self._sums.get(code, 0)
            if account.balance is not None and account.balance != natural:
                problem = f"its live balance is {account.balance} cents, its entries give {natural}"
                self._say(tables.path_of(tables.ACCOUNTS), account.line, f"account {code}", "balance", problem)
