"""The work that processes share: one file, or one stretch of the log, read and judged."""

import hashlib
import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from cardsvc.evidence.rules.files import File
from cardsvc.evidence.rules.findings import Finding
from cardsvc.evidence.rules.holders import check_certificates
from cardsvc.evidence.rules.journal import Journal, Law
from cardsvc.evidence.rules.keybook import KeyBook
from cardsvc.evidence.rules.results import Judged
from crypto.verifying import AcceleratorAbsent, Lanes, Portable, Verifier, open_accelerator

_AHEAD = 3  # pieces of work handed out for each process: enough that none waits, few enough that little is held
CARDS, STRETCH = "cards", "stretch"


@dataclass(frozen=True, slots=True)
class Sealed:
    """A file and the hash that the city sealed it under; empty where the manifest itself does not hold."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of work: the certificates of a file of cards, or a stretch of the log (`beside`: its batches)."""

    what: str
    first: int
    file: Sealed
    beside: Sealed | None = None


@dataclass(frozen=True, slots=True)
class Bench:
    """What every process needs beside its piece."""

    folder: Path
    book: KeyBook
    authorities: tuple[bytes, ...]
    law: Law


def read_file(folder: Path, sealed: Sealed) -> File:
    """The file's bytes; what the city sealed is taken as whole, everything else is looked at line by line."""
    try:
        data = (folder / sealed.path).read_bytes()
    except OSError:
        return File(sealed.path, b"", missing=True)
    same = bool(sealed.sha256) and hashlib.sha256(data).hexdigest() == sealed.sha256
    return File(sealed.path, data, sealed=same)


def say_if_changed(file: File, sealed: Sealed, judged: Judged) -> None:
    """A changed file whose lines show nothing is named all the same."""
    if (
        sealed.sha256
        and not file.sealed
        and not file.missing
        and not any(one.file == file.name for one in judged.findings)
    ):
        problem = "it is not the file that the city sealed"
        judged.findings.append(Finding(file.name, None, "", "file_changed", problem))


class Worker:
    """Judges pieces in one process."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._verifier = _verifier()
        self._authorities = [x509.load_der_x509_certificate(data) for data in bench.authorities]

    def judge(self, piece: Piece) -> Judged:
        file = read_file(self._bench.folder, piece.file)
        if piece.what == CARDS:
            return check_certificates(file, piece.first, self._authorities)
        assert piece.beside is not None
        beside = read_file(self._bench.folder, piece.beside)
        judged = Journal(file, beside, piece.first, self._bench.book, self._bench.law).judge(self._verifier)
        say_if_changed(file, piece.file, judged)
        say_if_changed(beside, piece.beside, judged)
        return judged


def _verifier() -> Verifier:
    """Eight signatures at a time where the processor can. One thread: the processes are the cores."""
    try:
        return Lanes(open_accelerator())
    except AcceleratorAbsent:
        return Portable()


def judge_all(bench: Bench, pieces: Iterable[Piece], jobs: int) -> Iterator[Judged]:
    """The verdicts in the order of the pieces, of which few are under way at any moment."""
    if jobs == 1:
        worker = Worker(bench)
        yield from map(worker.judge, pieces)
        return
    context = multiprocessing.get_context("fork" if _may_fork() else "spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin, initargs=(bench,)) as pool:
        waiting: deque[Future[Judged]] = deque()
        for piece in pieces:
            waiting.append(pool.submit(_judge, piece))
            if len(waiting) > jobs * _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _may_fork() -> bool:
    """A fork takes milliseconds and shares what was read; with other threads about it is not safe."""
    return threading.active_count() == 1 and "fork" in multiprocessing.get_all_start_methods()


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_WORKERS: list[Worker] = []  # of this process: one, once it began


def _begin(bench: Bench) -> None:
    _WORKERS[:] = [Worker(bench)]


def _judge(piece: Piece) -> Judged:
    return _WORKERS[0].judge(piece)
