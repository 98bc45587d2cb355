"""Holds: money set aside for a named beneficiary, taken in parts or given back.

Placing moves the money from the holder's accounts onto an account that ends in `:held`; a capture takes it from there,
a release gives it back. What is held can be taken up to the moment the hold expires, by the clock of the recording and
that moment excluded; so neither a terminal's clock nor the hour at which the expired are given back decides.

A capture takes the parts of a hold in the order in which they were set aside, so money for one purpose is spent first;
what is given back is what remains at the end.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from cardsvc.ledger.rules.entries import Draft, EntryKind, HoldStep, HoldVerb, Line, Reason, Refused
from cardsvc.money import CURRENCY

HELD_SUFFIX: Final = ":held"


@dataclass(frozen=True, slots=True)
class Terms:
    """For whom money is held and why: captures credit the account `beneficiary`; `purpose` says which purses may pay.

    `limit_cents` is the most that captures may take together, at least what is held; `expires_at` None: until somebody
    ends it.
    """

    beneficiary: str
    purpose: str
    limit_cents: int
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class KnownHold:
    """A hold as it stands. `account` is where its `left_cents` are; nothing left: it has ended. `over`: its time is."""

    hold_id: UUID
    account: str
    terms: Terms
    placed_cents: int
    captured_cents: int
    left_cents: int
    over: bool = False

    @property
    def ended(self) -> bool:
        return self.left_cents == 0


@dataclass(frozen=True, slots=True)
class Part:
    """What a hold took from one account. Is that a purse that has expired meanwhile, its money goes to `returns_to`."""

    account: str
    amount_cents: int
    returns_to: str | None = None


# ------------------------------------------------------------------------------------------------------------ decisions


def check(draft: Draft, hold: KnownHold | None) -> Refused | None:
    """Whether the draft may do its step to the hold as it stands; None: it is not known. First what comes first in
    `Reason`. Funds are not looked at here.
    """
    step = draft.hold
    if step is None:
        return _check_stepless(draft)
    if step.verb is HoldVerb.PLACE:
        return _check_placing(draft, step)
    if hold is None:
        return _refused(draft, Reason.UNKNOWN_HOLD, f"There is no hold {step.hold_id}.")
    if step.verb is HoldVerb.RESTORE:
        return None if step.amount_cents <= hold.captured_cents else _not_as_said(draft)
    return _check_ending(draft, step, hold) or _check_moving(draft, step, hold)


def _check_stepless(draft: Draft) -> Refused | None:
    for code in (code for line in draft.lines for code in (line.account, *line.then)):
        if code.endswith(HELD_SUFFIX):
            return _refused(draft, Reason.UNKNOWN_HOLD, f"What is on account {code} moves by its hold only.")
    return None


def _check_placing(draft: Draft, step: HoldStep) -> Refused | None:
    if step.hold_id != draft.entry_id:
        return _refused(draft, Reason.UNKNOWN_HOLD, "A hold has the id of the entry that places it.")
    if step.limit_cents < step.amount_cents:
        return _refused(draft, Reason.HOLD_EXCEEDED, "The limit of a hold is not below what it holds.")
    held = [line for line in draft.lines if line.account.endswith(HELD_SUFFIX)]
    return None if [line.amount_cents for line in held] == [-step.amount_cents] else _not_as_said(draft)


def _check_ending(draft: Draft, step: HoldStep, hold: KnownHold) -> Refused | None:
    if hold.ended:
        return _refused(draft, Reason.HOLD_ENDED, f"Hold {step.hold_id} has ended: nothing is held any more.")
    if hold.over and step.verb is HoldVerb.CAPTURE:
        return _refused(draft, Reason.HOLD_ENDED, f"Hold {step.hold_id} has expired. What is left goes back.")
    return None


def _check_moving(draft: Draft, step: HoldStep, hold: KnownHold) -> Refused | None:
    taken = sum(line.amount_cents for line in draft.lines if line.account == hold.account)
    if step.verb is HoldVerb.RELEASE:
        return None if taken == step.amount_cents == hold.left_cents else _not_as_said(draft)
    allowed = hold.terms.limit_cents - hold.captured_cents
    if step.amount_cents > allowed:
        detail = f"Hold {step.hold_id} lets {allowed} cents more be taken, not {step.amount_cents}."
        return _refused(draft, Reason.HOLD_EXCEEDED, detail)
    expected = hold.left_cents if step.final else min(step.amount_cents, hold.left_cents)
    return None if taken == expected else _not_as_said(draft)


def _not_as_said(draft: Draft) -> Refused:
    return _refused(
        draft, Reason.HOLD_EXCEEDED, "The entry's lines move another amount than its step of the hold says."
    )


def _refused(draft: Draft, reason: Reason, detail: str) -> Refused:
    return Refused(draft.entry_id, reason, detail)


def after(draft: Draft, hold: KnownHold | None) -> KnownHold:
    """The hold after a draft that `check` let pass."""
    step = draft.hold
    assert step is not None
    if step.verb is HoldVerb.PLACE:
        account = next(line.account for line in draft.lines if line.account.endswith(HELD_SUFFIX))
        terms = Terms(step.beneficiary, step.purpose, step.limit_cents, step.expires_at)
        return KnownHold(step.hold_id, account, terms, step.amount_cents, 0, step.amount_cents)
    assert hold is not None
    left = hold.left_cents - sum(line.amount_cents for line in draft.lines if line.account == hold.account)
    taken = {HoldVerb.CAPTURE: step.amount_cents, HoldVerb.RESTORE: -step.amount_cents}.get(step.verb, 0)
    return replace(hold, left_cents=left, captured_cents=hold.captured_cents + taken)


# --------------------------------------------------------------------------------------------------------------- drafts


@dataclass(frozen=True, slots=True)
class Act:
    """The entry that a step becomes: its id, its time, the rule that made it."""

    entry_id: UUID
    happened_at: datetime
    rule: str
    currency: str = CURRENCY


def place(act: Act, terms: Terms, *, held: str, sources: Sequence[str], amount_cents: int) -> Draft:
    """Set money aside: from the accounts `sources`, in order, onto the account `held`."""
    step = HoldStep(
        act.entry_id,
        HoldVerb.PLACE,
        amount_cents,
        terms.expires_at,
        limit_cents=terms.limit_cents,
        beneficiary=terms.beneficiary,
        purpose=terms.purpose,
    )
    lines = Line(sources[0], amount_cents, tuple(sources[1:])), Line(held, -amount_cents)
    notes = {
        "beneficiary": terms.beneficiary,
        "hold": str(act.entry_id),
        "limit_cents": str(terms.limit_cents),
        "purpose": terms.purpose or "any",
    }
    if terms.expires_at is not None:
        notes["expires_at"] = terms.expires_at.isoformat(timespec="milliseconds")
    return _draft(act, EntryKind.HOLD_PLACED, lines, notes, step)


def capture(
    act: Act,
    hold: KnownHold,
    parts: Sequence[Part],
    *,
    amount_cents: int,
    final: bool = False,
    sources: Sequence[str] = (),
) -> Draft:
    """Take from the hold for its beneficiary; `final` gives the rest back in the same entry. What is more than is left
    is drawn from the accounts `sources`, in order: the hold's limit decides whether it may be.
    """
    more = max(0, amount_cents - hold.left_cents)
    back = hold.left_cents - amount_cents if final and not more else 0
    lines = [Line(hold.account, hold.left_cents if more or final else amount_cents)]
    if more:
        lines.append(Line(sources[0], more, tuple(sources[1:])))
    lines.append(Line(hold.terms.beneficiary, -amount_cents))
    lines += _back(parts, back)
    step = HoldStep(hold.hold_id, HoldVerb.CAPTURE, amount_cents, final=final)
    notes = {"captured_cents": str(amount_cents), "hold": str(hold.hold_id)}
    return _draft(act, EntryKind.HOLD_CAPTURED, lines, notes, step)


def release(act: Act, hold: KnownHold, parts: Sequence[Part]) -> Draft:
    """Give back all that is left."""
    lines = [Line(hold.account, hold.left_cents), *_back(parts, hold.left_cents)]
    step = HoldStep(hold.hold_id, HoldVerb.RELEASE, hold.left_cents)
    return _draft(act, EntryKind.HOLD_RELEASED, lines, {"hold": str(hold.hold_id)}, step)


def _back(parts: Sequence[Part], cents: int) -> list[Line]:
    """The last `cents` of the parts, each to where it came from; an expired purse passes it on."""
    lines: list[Line] = []
    for part in reversed(parts):
        given = min(cents, part.amount_cents)
        if given:
            lines.append(Line(part.account, -given, () if part.returns_to is None else (part.returns_to,)))
        cents -= given
    return lines[::-1]


def _draft(act: Act, kind: EntryKind, lines: Sequence[Line], notes: dict[str, str], step: HoldStep) -> Draft:
    metadata = tuple(sorted(notes.items()))
    return Draft(
        act.entry_id, kind, tuple(lines), act.happened_at, act.rule, act.currency, metadata=metadata, hold=step
    )
