"""Closing and reopening months of books. Softly by one officer; for good, and back again, by two.

If we stop before the commit, the month is as it was; the ledger's lock lets nothing be posted between the checks and
the close.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import access
from cardsvc.ledger.actions.accounts import lock
from cardsvc.ledger.actions.chart import FINANCE
from cardsvc.ledger.models import Entry, PeriodEvent
from cardsvc.ledger.queries import asserting, check_books
from cardsvc.ledger.queries import periods as queries
from cardsvc.ledger.rules import city_date
from cardsvc.ledger.rules import periods as rules
from cardsvc.ledger.rules.errors import KeyReused, NotReadyToClose
from cardsvc.ledger.rules.periods import PeriodVerb
from cardsvc.money import show

Obstacle = Callable[[Session, date], Sequence[str]]
"""What another room has against closing the books up to a day, in sentences."""
CLOSE_KIND = "ledger.close_period"
REOPEN_KIND = "ledger.reopen_period"
_REASON_LETTERS = range(3, 201)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What closing must know and the ledger cannot: `obstacles` of other rooms, and how many leaves of the log a
    published checkpoint covers. Wired by `app`.
    """

    obstacles: tuple[Obstacle, ...]
    published: Callable[[Session], int]


def soft_close(session: Session, month: str, *, by: UUID, now: datetime, key: UUID | None = None) -> rules.Books:
    """From now on the month takes adjustments only. Asked again under its `key`, nothing more is done.

    Raises: InvalidMonth, PeriodOutOfOrder; KeyReused.
    """
    lock(session)
    before = None if key is None else session.scalar(sa.select(PeriodEvent).where(PeriodEvent.request_id == key))
    if before is not None:
        if (before.verb, before.month, before.done_by) != (PeriodVerb.SOFT_CLOSE, month, by):
            raise KeyReused
        return queries.books(session)
    after = _after(session, PeriodVerb.SOFT_CLOSE, month, now)
    _enter(session, PeriodVerb.SOFT_CLOSE, month, after, {"done_by": by, "done_at": now, "request_id": key})
    return after


def handlers(around: Surroundings) -> tuple[access.ActionHandler, access.ActionHandler]:
    """The actions of two that close a month (`{"month"}`) and reopen one (`{"month", "reason"}`)."""

    def describe_close(session: Session, payload: dict[str, Any]) -> str:
        month = _month(payload)
        lines, _ = _seal(session, month, around)
        debits = sum(line.debit_cents for line in lines)
        return f"Close the books of {month}: nothing can be booked into it any more. Debits and credits {show(debits)}"

    def close(session: Session, payload: dict[str, Any], action: access.ActionView, now: datetime) -> None:
        month = _month(payload)
        lock(session)
        after = _after(session, PeriodVerb.CLOSE, month, now)
        check_books(session)
        lines, log_size = _seal(session, month, around)
        sealed = {
            "log_size": log_size,
            "balance": queries.write_balance(lines),
            "balance_hash": queries.balance_hash(month, log_size, lines),
        }
        _enter(session, PeriodVerb.CLOSE, month, after, _by_two(action, now) | sealed)

    return (
        access.ActionHandler(CLOSE_KIND, FINANCE, FINANCE, close, describe_close),
        access.ActionHandler(REOPEN_KIND, FINANCE, FINANCE, _reopen, _describe_reopen),
    )


def propose(
    session: Session,
    handler: access.ActionHandler,
    payload: dict[str, Any],
    *,
    by: UUID,
    now: datetime,
    random_bytes: Callable[[int], bytes],
) -> access.ActionView:
    """Write one of these actions down for two people to sign. Raises: what its handler's `describe` raises."""
    assert handler.describe is not None
    summary = handler.describe(session, payload)
    return access.propose(session, handler, payload, summary, by=by, now=now, random_bytes=random_bytes)


def _describe_reopen(session: Session, payload: dict[str, Any]) -> str:
    month, reason = _month(payload, "reason"), payload["reason"]
    if not isinstance(reason, str) or len(reason) not in _REASON_LETTERS or not reason.isprintable():
        raise access.UnsuitableAction("Say the reason in a line of 3 to 200 characters.")
    before = queries.books(session)
    rules.apply(before, PeriodVerb.REOPEN, month, first_booked=None, today=date.max)
    closed = before.state(rules.last_day(month)) is rules.PeriodState.CLOSED
    return f"Reopen the books of {month} {'for adjustments' if closed else 'to everything'}: {reason}"[:400]


def _reopen(session: Session, payload: dict[str, Any], action: access.ActionView, now: datetime) -> None:
    month = _month(payload, "reason")
    lock(session)
    after = _after(session, PeriodVerb.REOPEN, month, now)
    _enter(session, PeriodVerb.REOPEN, month, after, _by_two(action, now) | {"reason": payload["reason"]})


def _month(payload: dict[str, Any], *others: str) -> str:
    if set(payload) != {"month", *others} or not isinstance(payload["month"], str):
        raise access.UnsuitableAction(f"Say {' and '.join(('month', *others))}, nothing else.")
    rules.last_day(payload["month"])
    return payload["month"]


def _after(session: Session, verb: PeriodVerb, month: str, now: datetime) -> rules.Books:
    return rules.apply(
        queries.books(session), verb, month, first_booked=queries.first_booked(session), today=city_date(now)
    )


def _seal(session: Session, month: str, around: Surroundings) -> tuple[tuple[queries.ClosingLine, ...], int]:
    """The month's closing balance and how far the log is published. Raises: NotReadyToClose, with all that is amiss."""
    day = rules.last_day(month)
    lines, published = queries.closing_balance(session, day), around.published(session)
    problems = [problem for obstacle in around.obstacles for problem in obstacle(session, day)]
    unbalanced = queries.imbalance(lines)
    if unbalanced is not None:
        problems.append(unbalanced)
    problems += [
        f"The balance of {failed.account_code} asserted for {failed.day} did not hold: assert it again, or withdraw it."
        for failed in asserting.open_failures(session, until=day)
    ]
    last = session.scalar(sa.select(sa.func.max(Entry.seq)).where(queries.booked_by(day)))
    if last is not None and last >= published:
        problems.append("The log with the month's last entries is not published yet: try again in a minute.")
    if problems:
        raise NotReadyToClose(month, problems)
    return lines, published


def _by_two(action: access.ActionView, now: datetime) -> dict[str, Any]:
    return {"done_by": action.ended_by, "done_at": now, "action_id": action.id}


def _enter(session: Session, verb: PeriodVerb, month: str, after: rules.Books, facts: dict[str, Any]) -> None:
    # The lock decides what came first, not the clocks that were read before it: `after_seq` says so, and nothing that
    # is booked already may look later than the event.
    latest = session.execute(
        sa.select(sa.func.max(Entry.recorded_at), sa.select(sa.func.max(PeriodEvent.done_at)).scalar_subquery())
    ).one()
    facts["done_at"] = max([facts["done_at"], *(at for at in latest if at is not None)])
    row = {"number": queries.last_number(session) + 1, "verb": verb.value, "month": month, **facts}
    last_seq = session.scalar(sa.select(sa.func.max(Entry.seq)))
    row["after_seq"] = -1 if last_seq is None else max(-1, last_seq)  # imported entries stand below the log
    marks = {"closed_to": after.closed_to, "soft_closed_to": after.soft_closed_to}
    session.execute(sa.insert(PeriodEvent).values(**row, **marks))
