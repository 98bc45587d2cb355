"""What a cycle must be before anybody may approve it, and who may claim what of it."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar
from uuid import UUID

from cardsvc.errors import CityError, ErrorKind
from cardsvc.money import AMOUNT_MAX, CURRENCY
from cardsvc.transactions import Reason, Rejected
from crypto import cbor

ERRORS_SHOWN = 100


class InvalidCycle(CityError):
    """The draft cannot be stored; `fields` names the wrong lines."""

    code: ClassVar[str] = "invalid_cycle"
    kind: ClassVar[ErrorKind] = ErrorKind.UNPROCESSABLE


class UnknownProgramme(CityError):
    code: ClassVar[str] = "unknown_programme"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND

    def __init__(self, code: str) -> None:
        super().__init__(f"There is no programme {code}. Create it first, or check the code.")


class ProgrammeExists(CityError):
    code: ClassVar[str] = "programme_exists"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT

    def __init__(self, code: str) -> None:
        super().__init__(f"The programme {code} exists already. Use it, or choose another code.")


class UnknownCycle(CityError):
    code: ClassVar[str] = "unknown_cycle"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("There is no cycle with this id. Check the id, or draft the cycle first.")


class CycleExists(CityError):
    code: ClassVar[str] = "cycle_exists"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT

    def __init__(self, label: str) -> None:
        super().__init__(f"This programme has a cycle {label!r} already. Choose another label.")


@dataclass(frozen=True, slots=True)
class CycleLine:
    """One person and the amount, as drafted."""

    resident_id: UUID
    amount_cents: int


def fund_account(programme_code: str) -> str:
    return f"benefits:{programme_code}:fund"


def reserve_account(cycle_id: UUID) -> str:
    return f"benefits:{cycle_id}:reserve"


def list_hash(lines: Sequence[CycleLine]) -> bytes:
    """SHA-256 of the list that is approved: whoever approves signs this, so that no line can change afterwards."""
    ordered = sorted((line.resident_id.bytes, line.amount_cents) for line in lines)
    return hashlib.sha256(cbor.encode([[resident, amount] for resident, amount in ordered])).digest()


def check_draft(lines: Sequence[CycleLine], *, count: int, total_cents: int, claim_until: date, today: date) -> None:
    """Control totals, amounts, no person twice, a last day that is still to come.

    Raises: InvalidCycle naming every wrong line.
    """
    wrong: dict[str, list[str]] = {}
    if not lines:
        wrong["lines"] = ["The list is empty."]
    if len(lines) != count:
        wrong["count"] = [f"The list has {len(lines)} lines, the control count says {count}."]
    if sum(line.amount_cents for line in lines) != total_cents:
        wrong["total_cents"] = [
            f"The lines sum to {sum(line.amount_cents for line in lines)} cents, not {total_cents}."
        ]
    if claim_until < today:
        wrong["claim_until"] = ["The last day to claim has passed."]
    times = Counter(line.resident_id for line in lines)
    for number, line in enumerate(lines):
        if not 1 <= line.amount_cents <= AMOUNT_MAX:
            wrong.setdefault(f"lines.{number}", []).append("The amount must be at least one centavo.")
        if times[line.resident_id] > 1:
            wrong.setdefault(f"lines.{number}", []).append("This resident stands in the list more than once.")
    refuse_lines(wrong)


def refuse_lines(wrong: dict[str, list[str]]) -> None:
    """Raises: InvalidCycle when something is wrong; the first hundred places are named, all are counted."""
    if wrong:
        shown = dict(list(wrong.items())[:ERRORS_SHOWN])
        raise InvalidCycle(
            f"The cycle was not stored: {len(wrong)} places are wrong. Correct them and send the whole list again.",
            fields=shown,
        )


@dataclass(frozen=True, slots=True)
class Claimable:
    """An entitlement with what its cycle says of it."""

    entitlement_id: UUID
    cycle_id: UUID
    resident_id: UUID
    amount_cents: int
    state: str
    claim_until: date


def check_claim(
    claimable: Claimable | None, *, resident_id: UUID, amount_cents: int, currency: str, today: date
) -> Rejected | None:
    """May this resident take this amount of this entitlement today?"""
    if claimable is None or claimable.resident_id != resident_id or claimable.state == "pending":
        return Rejected(Reason.UNKNOWN_REFERENCE, "There is nothing of that kind to claim with this card.")
    if (amount_cents, currency) != (claimable.amount_cents, CURRENCY):
        return Rejected(Reason.WRONG_AMOUNT, "The amount is not the one that was approved. Look again, then claim.")
    if claimable.state == "claimed":
        return Rejected(Reason.ALREADY_DONE, "This was claimed before. The statement shows when and where.")
    if claimable.state == "expired" or today > claimable.claim_until:
        return Rejected(
            Reason.ALREADY_DONE, f"The last day to claim was {claimable.claim_until}. Ask the benefits office."
        )
    return None
