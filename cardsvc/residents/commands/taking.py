"""Taking a file in: every row is looked at before the first is written, then parts of it, each in a unit of its own."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Final
from uuid import UUID

from sqlalchemy.orm import Session

from cardsvc import db, web
from cardsvc.residents import actions, queries
from cardsvc.residents.actions import OnRegistered
from cardsvc.residents.queries import Import
from cardsvc.residents.rules import LINE_BYTES_MAX, Layout, Outcome, RefusedRow, Row, RowError, UnreadableFile, read
from crypto import cbor

PART: Final = 2000
"""Rows of one unit: a writer waits about a second for it, and a crash loses no more than this."""

Progress = Callable[[str, int], None]
"""Told what is being done and how many more bytes or rows of it are."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to take in, and how. `accept_good_rows`: wrong rows are left out instead of keeping everybody out."""

    file: Path
    layout: Layout
    by: UUID
    accept_good_rows: bool = False


@dataclass(slots=True)
class Checked:
    """What a first look at the file found. Nothing was written."""

    file_hash: bytes
    good: int = 0
    refused: int = 0
    errors: list[RowError] = field(default_factory=list)
    ignored: tuple[str, ...] = ()


def check_file(city: web.City, order: Order, progress: Progress) -> Checked:
    """Read the whole file and note what is wrong with it."""
    found = Checked(_hash(order))
    try:
        with order.file.open("rb") as lines:
            heading, rows = read(_lines(lines), order.layout, city.clock.now())
            found.ignored = heading.ignored
            for row in rows:
                if isinstance(row, RefusedRow):
                    found.refused += 1
                    found.errors += row.errors
                else:
                    found.good += 1
                progress("checking", 1)
    except UnreadableFile as error:
        # rows after this place were never seen: taking the others in would look like the whole file
        found.errors.append(error.error)
        found.good = 0
    if not found.errors and not found.good:
        found.errors.append(RowError(2, "", "no_rows", "The file has a heading and nobody under it."))
    return found


def index(city: web.City) -> None:
    """Let everybody in the register be found. Keys of comparison only: of no resident anything changes."""
    while db.run(city.engine, actions.index_register):
        pass


def try_file(city: web.City, order: Order, progress: Progress) -> dict[Outcome, int]:
    """What would become of each good row. No row is written; entries wait in memory for those that come after."""
    index(city)
    counts = dict.fromkeys(Outcome, 0)
    pool, now = actions.Pool(), city.clock.now()
    with db.unit_of_work(city.engine, read_only=True) as session:
        for part in parts(city, order):
            entries = [actions.entry_of(row.registration, now, city.random_bytes) for row in part]
            for _, decision in actions.decide_entries(session, entries, pool, city.settings.dedupe):
                counts[decision.outcome] += 1
            progress("comparing", len(part))
    return counts


def take_file(
    city: web.City, order: Order, checked: Checked, on_registered: OnRegistered, progress: Progress
) -> tuple[Import, bool]:
    """Take every good row in; the import, and whether it was done before. Goes on where an interrupted one stopped."""
    engine, name = city.engine, order.file.name
    begun = db.run(
        engine,
        lambda session: actions.begin_import(
            session, checked.file_hash, name, by=order.by, now=city.clock.now(), random_bytes=city.random_bytes
        ),
    )
    if begun.is_done:
        return begun, True
    index(city)
    for part in parts(city, order):
        if part[-1].line > begun.line_done:
            db.run(engine, _taking(city, order, begun.id, part, on_registered))
        progress("taking in", len(part))
    ended = db.run(
        engine,
        lambda session: actions.end_import(session, begun.id, refused=checked.refused, now=city.clock.now()),
    )
    return ended, False


def known_import(city: web.City, checked: Checked) -> Import | None:
    """The import of this very file, where it was begun or finished before."""
    find = queries.import_of_file
    return db.run(city.engine, lambda session: find(session, checked.file_hash), read_only=True)


def _taking(
    city: web.City, order: Order, import_id: UUID, part: Sequence[Row], on_registered: OnRegistered
) -> Callable[[Session], Import]:
    def take(session: Session) -> Import:
        return actions.import_rows(
            session,
            import_id,
            part,
            thresholds=city.settings.dedupe,
            by=order.by,
            now=city.clock.now(),
            random_bytes=city.random_bytes,
            on_registered=on_registered,
        )

    return take


def parts(city: web.City, order: Order) -> Iterator[list[Row]]:
    """The good rows of the file, so many at a time as one unit takes."""
    with order.file.open("rb") as lines:
        _, rows = read(_lines(lines), order.layout, city.clock.now())
        good = (row for row in rows if isinstance(row, Row))
        while part := list(islice(good, PART)):
            yield part


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """Lines, but never more of one than somebody could be written on: a file without line ends is not read whole."""
    while line := file.readline(LINE_BYTES_MAX + 1):
        yield line


def _hash(order: Order) -> bytes:
    """Of the file and how it is read: the same file read otherwise is another import."""
    with order.file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256")
    layout = order.layout
    columns = [text for pair in sorted(layout.columns.items()) for text in pair]
    digest.update(cbor.encode([layout.encoding, layout.delimiter, layout.dates, *columns]))
    return digest.digest()
