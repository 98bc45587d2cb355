"""What is wrong with an export: where, about what, and in one sentence."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Finding:
    """`line` counts from 1 as an editor does, the line of column names included; None: the file as a whole.

    `subject` names the entry, record, leaf, account or key; `code` is stable.
    """

    file: str
    line: int | None
    subject: str
    code: str
    message: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.subject}: {self.message}" if self.subject else f"{place}: {self.message}"


@dataclass(slots=True)
class Findings:
    """All that was found, up to a limit; those beyond it are counted."""

    limit: int | None = None
    found: list[Finding] = field(default_factory=list)
    beyond: int = 0

    def add(self, finding: Finding) -> None:
        if self.limit is not None and len(self.found) >= self.limit:
            self.beyond += 1
        else:
            self.found.append(finding)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.found)

    def __bool__(self) -> bool:
        return bool(self.found or self.beyond)


def named(what: str, digits: bytes | str) -> str:
    """`record` or `entry` and its id, however broken the digits are."""
    text = digits.decode(errors="replace") if isinstance(digits, bytes) else digits
    try:
        return f"{what} {UUID(text)}"
    except ValueError:
        return f"{what} {text}"
