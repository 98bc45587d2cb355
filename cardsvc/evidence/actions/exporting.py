"""Writing an export: one consistent moment of the city, at a sealed position of its log, file by file.

The manifest is written last and its seal behind it, each whole or not at all. If we stop before that, the folder has no
manifest and is not an export; begin again in an empty one.
"""

import hashlib
import itertools
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.db import Base, to_ms
from cardsvc.evidence.queries import collecting, stating
from cardsvc.evidence.rules import tables
from cardsvc.evidence.rules.errors import FolderNotEmpty, FolderUnusable, NothingSealed
from cardsvc.evidence.rules.lines import Table, text, write
from cardsvc.vault import Vault, write_durably
from crypto.tlog import EMPTY_ROOT
from crypto.wire.evidence import Seal, sign_seal

Progress = Callable[[int, int], None]
"""Told how many leaves are written, of how many."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written. `manifest_hash` is what the city's seal names."""

    folder: Path
    tree_size: int
    root: bytes
    files: int
    size: int
    manifest_hash: bytes


@dataclass(frozen=True, slots=True)
class _Written:
    path: str
    sha256: str
    size: int
    lines: int


def export(
    session: Session, vault: Vault, folder: Path, *, program: str, now: datetime, progress: Progress
) -> Exported:
    """Write everything into the folder. `session` is read-only and sees one moment to its end.

    Raises: FolderNotEmpty, FolderUnusable, NothingSealed.
    """
    size, root = _sealed(session)
    _prepare(folder)
    writer = _Writer(folder)
    now_ms = to_ms(now)
    writer.add(tables.CITY_KEYS_FILE, vault.city_keys().format().encode())
    writer.table(tables.KEYS, stating.statements(session, vault, now_ms))
    writer.table(tables.ACCOUNTS, collecting.accounts(session, size))
    writer.table(tables.CHECKPOINTS, collecting.checkpoints(session, size))
    writer.table(tables.COSIGNATURES, collecting.cosignatures(session, size))
    writer.table(tables.TILES, collecting.tiles(session, size))
    writer.table(tables.REFUSED, collecting.refused(session))
    writer.table(tables.PERIODS, collecting.periods(session))
    writer.folder_of(tables.CARDS, collecting.card_keys(session), tables.CARDS_A_FILE)
    progress(0, size)
    for segment in collecting.segments(session, size):
        writer.lines(tables.JOURNAL, segment.first, segment.journal)
        writer.lines(tables.BATCHES, segment.first, segment.batches)
        progress(segment.first + len(segment.journal), size)
    facts = [
        ("format", tables.FORMAT),
        ("program", program),
        ("schema", collecting.schema(session)),
        ("city", vault.city_name),
        ("log", vault.log_origin),
        ("tree_size", str(size)),
        ("root", root.hex()),
        ("taken_at", str(now_ms)),
    ]
    manifest_hash = writer.finish(facts)
    seal = Seal(manifest_hash=manifest_hash, tree_size=size, root=root, taken_at_ms=now_ms)
    write_durably(folder / tables.SEAL_FILE, sign_seal(seal, vault.signer("receipt")))
    return Exported(folder, size, root, len(writer.written) + 2, writer.size, manifest_hash)


def _sealed(session: Session) -> tuple[int, bytes]:
    """The newest signed head that this session sees: what stands behind it is not of this export."""
    table = Base.metadata.tables["checkpoint"]
    query = sa.select(table.c.tree_size, table.c.root).where(table.c.shard == 0)
    row = session.execute(query.order_by(table.c.tree_size.desc()).limit(1)).one_or_none()
    if row is None:
        raise NothingSealed
    return row.tree_size, row.root if row.tree_size else EMPTY_ROOT


def _prepare(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if any(folder.iterdir()):
            raise FolderNotEmpty(folder)
        for table in tables.FOLDERS:
            (folder / table.name).mkdir(mode=0o700)
    except OSError as error:
        raise FolderUnusable(folder, error.strerror or str(error)) from error


class _Writer:
    """Writes files and remembers what the manifest says of each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.written: list[_Written] = []
        self.size = 0

    def table(self, table: Table, rows: Iterable[tuple[str, ...]]) -> None:
        """A table in one file."""
        self.lines(table, None, (write(number, fields) for number, fields in enumerate(rows)))

    def folder_of(self, table: Table, rows: Iterable[tuple[str, ...]], lines_max: int) -> None:
        """A table in files of so many lines, which are numbered through."""
        some: list[bytes] = []
        number = 0
        for number, fields in enumerate(rows, start=1):
            some.append(write(number - 1, fields))
            if len(some) == lines_max:
                self.lines(table, number - lines_max, some)
                some = []
        if some:
            self.lines(table, number - len(some), some)

    def lines(self, table: Table, first: int | None, lines: Iterable[bytes]) -> None:
        path = tables.path_of(table, first)
        hashed, size, count = hashlib.sha256(), 0, 0
        with self._open(path) as file:
            for line in itertools.chain([table.header], lines):
                file.write(line)
                hashed.update(line)
                size, count = size + len(line), count + 1
        self._note(path, hashed.hexdigest(), size, count)

    def add(self, path: str, data: bytes) -> None:
        with self._open(path) as file:
            file.write(data)
        self._note(path, hashlib.sha256(data).hexdigest(), len(data), data.count(b"\n"))

    def finish(self, facts: Iterable[tuple[str, str]]) -> bytes:
        """The manifest, durably; its SHA-256."""
        rows = [(name, text(value), "", "", "") for name, value in facts]
        files = sorted(self.written, key=lambda one: one.path)
        rows += [("file", one.path, one.sha256, str(one.size), str(one.lines)) for one in files]
        data = tables.MANIFEST.header + b"".join(write(number, fields) for number, fields in enumerate(rows))
        write_durably(self._folder / tables.MANIFEST_FILE, data)
        return hashlib.sha256(data).digest()

    def _open(self, path: str) -> IO[bytes]:
        """Nobody else may read it: it says who paid what."""
        return open(self._folder / path, "xb", opener=_private)

    def _note(self, path: str, sha256: str, size: int, lines: int) -> None:
        self.written.append(_Written(path, sha256, size, lines))
        self.size += size


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
