"""Which bank line is which movement of ours: pure, in a stated order, and every match says why.

Order: (1) a reference of the line is the movement's reference, and the amounts agree; (2) amount and date within
`DAYS_MAX` days, where exactly one movement and one line fit. Anything else stays open for a person, and so does money
that came with a resident's top-up reference: it is a transfer to be signed in, whatever else has its amount.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from cardsvc import wallets

DAYS_MAX = 3


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A line to be explained. `amount_cents` as the account sees it: money in is positive."""

    line_id: UUID
    booked_on: date
    amount_cents: int
    references: tuple[str, ...]
    text: str

    @property
    def top_up(self) -> str | None:
        """The top-up reference that money which came in carries; None: it carries none."""
        return wallets.carried((*self.references, self.text)) if self.amount_cents > 0 else None


@dataclass(frozen=True, slots=True)
class OpenMovement:
    """Money that our books say went to or came from the bank, and no line explains yet."""

    entry_id: UUID
    happened_on: date
    amount_cents: int
    reference: str


@dataclass(frozen=True, slots=True)
class Match:
    line_id: UUID
    entry_id: UUID
    why: str


def match(lines: Sequence[OpenLine], movements: Sequence[OpenMovement]) -> list[Match]:
    """The certain matches; each line and each movement at most once. The same input gives the same answer."""
    found = _by_reference(lines, movements)
    taken_lines = {m.line_id for m in found}
    taken_entries = {m.entry_id for m in found}
    rest = [line for line in lines if line.line_id not in taken_lines and line.top_up is None]
    left = [movement for movement in movements if movement.entry_id not in taken_entries]
    return found + _by_amount(rest, left)


def _by_reference(lines: Sequence[OpenLine], movements: Sequence[OpenMovement]) -> list[Match]:
    waiting: dict[tuple[str, int], list[OpenMovement]] = {}
    for movement in movements:
        waiting.setdefault((movement.reference, movement.amount_cents), []).append(movement)
    found = []
    for line in lines:
        for reference in (*line.references, *line.text.split()):
            candidates = waiting.get((reference, line.amount_cents))
            if candidates:
                movement = candidates.pop(0)
                found.append(Match(line.line_id, movement.entry_id, f"Reference {reference} and the amount agree."))
                break
    return found


def _by_amount(lines: Sequence[OpenLine], movements: Sequence[OpenMovement]) -> list[Match]:
    fitting = {line.line_id: [movement for movement in movements if _fits(line, movement)] for line in lines}
    rivals: dict[UUID, int] = {}
    for candidates in fitting.values():
        for movement in candidates:
            rivals[movement.entry_id] = rivals.get(movement.entry_id, 0) + 1
    return [
        Match(
            line.line_id,
            candidates[0].entry_id,
            f"The only movement of this amount within {DAYS_MAX} days, and no other line fits it.",
        )
        for line in lines
        if len(candidates := fitting[line.line_id]) == 1 and rivals[candidates[0].entry_id] == 1
    ]


def _fits(line: OpenLine, movement: OpenMovement) -> bool:
    days = abs((movement.happened_on - line.booked_on).days)
    return movement.amount_cents == line.amount_cents and days <= DAYS_MAX


def why_open(line: OpenLine, movements: Sequence[OpenMovement]) -> str:
    """Why a line stayed open, for the person who takes it up; `movements` are those that no line explains."""
    if line.top_up is not None:
        return f"A transfer with the top-up reference {line.top_up}: sign it in under bank transfers."
    if any(movement.reference in line.references for movement in movements):
        return "A movement has this reference but another amount."
    near = [movement for movement in movements if _fits(line, movement)]
    if len(near) > 1:
        return f"{len(near)} movements have this amount within {DAYS_MAX} days: choose by hand."
    if near:
        return "Other lines fit the one movement of this amount as well: choose by hand."
    return "No movement in the books has this reference, or this amount near this date."
