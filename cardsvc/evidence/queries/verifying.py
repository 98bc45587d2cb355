"""Verifying an export with nothing but its folder and the city's public keys: no database, no vault, no settings."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cardsvc.evidence.queries.working import (
    CARDS,
    STRETCH,
    Bench,
    Piece,
    Sealed,
    cores,
    judge_all,
    read_file,
    say_if_changed,
)
from cardsvc.evidence.rules import entries, small, tables
from cardsvc.evidence.rules.cosigning import Cosignatures, Witnessing, read_cosignatures
from cardsvc.evidence.rules.errors import KeysUnreadable, NoExport
from cardsvc.evidence.rules.files import File
from cardsvc.evidence.rules.findings import Finding, Findings, named
from cardsvc.evidence.rules.holders import Holders
from cardsvc.evidence.rules.journal import Law, Permit
from cardsvc.evidence.rules.lines import BadLine, Table
from cardsvc.evidence.rules.manifest import Manifest, read_manifest
from cardsvc.evidence.rules.merging import Whole
from cardsvc.evidence.rules.periods import read_periods
from cardsvc.evidence.rules.results import Counts, Judged, Undoing
from crypto.errors import CryptoError
from crypto.pki import to_der
from crypto.tlog import TrustPolicy
from crypto.wire.citykeys import CityKeys

Progress = Callable[[int, int, int], None]
"""Told how many leaves are judged, of how many, and how many signatures were verified."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`holds` only when everything was judged and nothing was found. `unread` lines could not be judged.

    `witnessing` is how far witnesses vouch for the log; too few of them are no finding.
    """

    holds: bool
    findings: tuple[Finding, ...]
    beyond: int
    unread: int
    counts: Counts
    witnessing: Witnessing
    facts: Mapping[str, str]
    keys_from_export: bool
    seconds: float
    jobs: int


def verify(
    folder: Path,
    *,
    keys_text: str | None,
    permits: Mapping[int, Permit],
    witnesses: TrustPolicy | None = None,
    jobs: int | None = None,
    limit: int | None = None,
    progress: Progress = lambda _done, _all, _signatures: None,
) -> Verdict:
    """Judge everything in the folder. `keys_text` are the city's public keys; None: those that lie in the export.
    `witnesses` are those that count, from outside the export too; cosignatures are verified without them as well.

    Memory grows with the cards, accounts and signed heads of the city, not with its entries.

    Raises: NoExport, KeysUnreadable.
    """
    began = time.monotonic()
    data = _read(folder / tables.MANIFEST_FILE)
    if data is None:
        raise NoExport(folder)
    own_keys = _read(folder / tables.CITY_KEYS_FILE)
    city_keys = _city_keys(keys_text, own_keys)
    findings = Findings(limit)
    first: list[Finding] = []
    manifest = read_manifest(data, _read(folder / tables.SEAL_FILE), city_keys, first)
    first += _compare_folder(folder, manifest)
    for finding in first:
        findings.add(finding)
    run = _Run(folder, manifest, city_keys, permits, findings, cores() if jobs is None else jobs)
    whole = run.judge(progress)
    return Verdict(
        holds=not findings and not whole.unread,
        findings=tuple(findings),
        beyond=findings.beyond,
        unread=whole.unread,
        counts=whole.counts,
        witnessing=run.cosignatures.counted(witnesses),
        facts=manifest.facts,
        keys_from_export=keys_text is None,
        seconds=time.monotonic() - began,
        jobs=run.jobs,
    )


class _Run:
    """One verification under way."""

    def __init__(
        self,
        folder: Path,
        manifest: Manifest,
        city_keys: CityKeys,
        permits: Mapping[int, Permit],
        findings: Findings,
        jobs: int,
    ) -> None:
        self._folder, self._manifest, self._city_keys = folder, manifest, city_keys
        self._permits, self._findings = permits, findings
        self.jobs = jobs
        self.cosignatures = Cosignatures()

    def judge(self, progress: Progress) -> Whole:
        holders = Holders(self._city_keys)
        stated = self._judged(holders.read_statements, tables.KEYS)
        heads_file = self._file(tables.path_of(tables.CHECKPOINTS))
        heads_judged, heads = small.read_heads(heads_file, self._city_keys.logs)
        tiles_file = self._file(tables.path_of(tables.TILES))
        tiles_judged, tiles = small.read_tiles(tiles_file)
        accounts_file = self._file(tables.path_of(tables.ACCOUNTS))
        accounts_judged, accounts = small.read_accounts(accounts_file)
        months_judged, closings = read_periods(self._file(tables.path_of(tables.PERIODS)))
        cosigned = self._read_cosignatures(heads_judged, heads)
        whole = Whole(accounts, heads, tiles, self._findings)
        whole.unread = sum(not (self._folder / path).is_file() for path in self._manifest.files)
        refused = self._judged(small.read_refused, tables.REFUSED)
        for judged in (stated, heads_judged, cosigned, tiles_judged, accounts_judged, months_judged, refused):
            self._check_bytes(judged)
            whole.take(judged)
        for first, path in self._manifest.numbered(tables.CARDS.name):
            judged = holders.read_cards(self._file(path), first)
            self._check_bytes(judged)
            whole.take(judged)
        # a line of the manifest that cannot be read may have named the keys of cards
        holders.book.whole = self._manifest.readable and not whole.unread
        self._check_bytes(Judged(tables.CITY_KEYS_FILE, 0), always=True)
        pieces = list(self._pieces(certificates=not stated.unread))
        self.jobs = max(1, min(self.jobs, len(pieces)))
        law = Law(self._permits, closings)
        bench = Bench(self._folder, holders.book, tuple(map(to_der, holders.authorities)), law)
        for judged in judge_all(bench, pieces, self.jobs):
            whole.take(judged)
            progress(whole.counts.leaves, self._manifest.tree_size, whole.counts.signatures)
        self._check_undoings(whole)
        if self._manifest.readable:
            whole.finish(self._manifest.tree_size, self._manifest.root)
        else:
            whole.unread += 1
        return whole

    def _read_cosignatures(self, heads_judged: Judged, heads: Sequence[small.Head]) -> Judged:
        path = tables.path_of(tables.COSIGNATURES)
        if path not in self._manifest.files:  # of the format before, or said where the manifest was read
            self.cosignatures = Cosignatures(len(heads))
            return Judged(path, 0)
        lost = heads_judged.unread or heads_judged.findings or heads_judged.counts.checkpoints == 0
        judged, self.cosignatures = read_cosignatures(self._file(path), heads, all_heads=not lost)
        return judged

    def _sealed(self, path: str) -> Sealed:
        listed = self._manifest.files.get(path)
        return Sealed(path, listed.sha256 if listed is not None and self._manifest.sealed else "")

    def _file(self, path: str) -> File:
        return read_file(self._folder, self._sealed(path))

    def _judged(self, judge: Callable[[File], Judged], table: Table) -> Judged:
        return judge(self._file(tables.path_of(table)))

    def _check_bytes(self, judged: Judged, *, always: bool = False) -> None:
        say_if_changed(self._file(judged.name), self._sealed(judged.name), judged)
        if always:
            for finding in judged.findings:
                self._findings.add(finding)

    def _pieces(self, *, certificates: bool) -> Iterator[Piece]:
        """`certificates`: every authority is known, so that they can be judged."""
        if certificates:
            for first, path in self._manifest.numbered(tables.CARDS.name):
                yield Piece(CARDS, first, self._sealed(path))
        for first, path in self._manifest.numbered(tables.JOURNAL.name):
            beside = tables.path_of(tables.BATCHES, first)
            yield Piece(STRETCH, first, self._sealed(path), self._sealed(beside))

    def _check_undoings(self, whole: Whole) -> None:
        """An entry that takes another back has its lines the other way round."""
        places = dict(self._manifest.numbered(tables.JOURNAL.name))
        starts = sorted(places)
        held: tuple[str, list[bytes]] = ("", [])
        for undoing in sorted(whole.undoings, key=lambda one: one.target_leaf or 0):
            assert undoing.target_leaf is not None
            start = max((one for one in starts if one <= undoing.target_leaf), default=None)
            if start is None or whole.unread:
                continue
            if held[0] != places[start]:
                held = places[start], self._file(places[start]).data.split(b"\n")
            problem = _undoing_fault(undoing, held[1][1 + undoing.target_leaf - start])
            if problem:
                own = max(one for one in starts if one <= undoing.leaf)
                name = named("entry", undoing.entry_id)
                self._findings.add(Finding(places[own], undoing.leaf - own + 2, name, "reversal", problem))


def _undoing_fault(undoing: Undoing, line: bytes) -> str | None:
    fields = line.split(b"\t")
    target = named("entry", undoing.target_id)
    if fields[tables.JOURNAL.place("entry_id")].decode() != undoing.target_id:
        return f"it takes back {target}, which is not at leaf {undoing.target_leaf}"
    kind = fields[tables.JOURNAL.place("entry_kind")]
    if kind == b"%d" % entries.REVERSAL:
        return f"it takes back {target}, which takes one back itself"
    try:
        there = entries.read_postings(fields[tables.JOURNAL.place("postings")])
        own = entries.read_postings(undoing.lines.encode())
    except BadLine:
        return None  # said where the line was judged
    return None if entries.opposite(there) == entries.same_lines(own) else f"its lines do not take {target} back"


def _city_keys(given: str | None, own: bytes | None) -> CityKeys:
    if given is None and own is None:
        raise KeysUnreadable(tables.CITY_KEYS_FILE, "the export has none; name a file with --keys.")
    text = given if given is not None else (own or b"").decode(errors="replace")
    try:
        return CityKeys.parse(text)
    except CryptoError as error:
        raise KeysUnreadable(tables.CITY_KEYS_FILE if given is None else "the file given", str(error)) from error


def _compare_folder(folder: Path, manifest: Manifest) -> Iterator[Finding]:
    """Nothing missing, nothing extra."""
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    known = {tables.MANIFEST_FILE, tables.SEAL_FILE, *manifest.files}
    for path in sorted(manifest.files.keys() - there):
        yield Finding(path, None, "", "missing", "the manifest names this file, and it is not there")
    if not manifest.readable:
        return  # which files belong here stands in a line that cannot be read, and that is said already
    for path in sorted(there - known):
        yield Finding(path, None, "", "extra", "the manifest does not name this file")
    for first, path in manifest.numbered(tables.JOURNAL.name):
        if tables.path_of(tables.BATCHES, first) not in manifest.files:
            yield Finding(path, None, "", "missing", "the batches beside this file are missing")


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
