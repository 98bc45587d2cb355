"""A file of an export, as its bytes are read: line by line, each finding at its place."""

from collections.abc import Iterator
from dataclasses import dataclass

from cardsvc.evidence.rules.findings import Finding
from cardsvc.evidence.rules.lines import BadLine, LineMoved, Reader, Table, body_lines

HEADER_LINES = 1


@dataclass(frozen=True, slots=True)
class File:
    """`sealed`: its bytes are those that the city sealed. `missing`: it is not there, which is said elsewhere."""

    name: str
    data: bytes
    sealed: bool = False
    missing: bool = False

    def lines(self, table: Table, found: list[Finding]) -> Iterator[tuple[int, bytes | None]]:
        """Each line below the column names with its place in the file; None where the names are not there."""
        if self.missing:
            return
        rest, named, ended = body_lines(self.data, table)
        if not named:
            found.append(Finding(self.name, 1, "", "line_changed", "the first line is not this table's column names"))
            yield 1, None
        if not ended:
            last = len(rest) + HEADER_LINES
            found.append(Finding(self.name, last, "", "file_cut", "the last line does not end: the file was cut off"))
        yield from enumerate(rest, start=1 + HEADER_LINES)

    def rows(self, table: Table, first: int, found: list[Finding]) -> Iterator[tuple[int, list[str] | None]]:
        """Each line's place and its fields, the number first; None for a line that cannot be read, the first too."""
        reader = Reader(table, first, self.sealed)
        for place, line in self.lines(table, found):
            if line is None:
                yield place, None
                continue
            try:
                yield place, reader.read(line)
            except LineMoved as error:
                found.append(Finding(self.name, place, "", "line_moved", str(error)))
                yield place, [field.decode(errors="replace") for field in line.split(b"\t")[:-1]]
            except BadLine as error:
                found.append(Finding(self.name, place, "", "line_changed", str(error)))
                yield place, None
