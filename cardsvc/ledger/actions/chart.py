"""Adopting a chart of accounts: the first comes with the software, every other one by two people."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from importlib import resources
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import access
from cardsvc.ledger.actions.accounts import lock
from cardsvc.ledger.models import ChartDocument, ChartVersion
from cardsvc.ledger.queries import chart as queries
from cardsvc.ledger.rules.errors import InvalidChart
from cardsvc.ledger.rules.patterns import read_chart
from cardsvc.ledger.rules.succession import Changes, changes, completed, write_chart

RandomBytes = Callable[[int], bytes]
ACTION = "ledger.chart"
FINANCE = frozenset({access.Role.FINANCE, access.Role.TREASURER})
"""Who proposes and approves what concerns the books as a whole."""


def packaged_chart() -> str:
    """The chart that comes with this release."""
    return resources.files("cardsvc.ledger").joinpath("chart.toml").read_text("utf-8")


def adopt_packaged(session: Session, now: datetime) -> None:
    """See that there is a chart with everything that this release opens. Doing it again changes nothing.

    A city that keeps the packaged chart follows it; one that adopted its own gets the patterns that it lacks.
    Raises: InvalidChart where the release needs what the city's chart has otherwise.
    """
    lock(session)
    text = packaged_chart()
    before = queries.version(session)
    if before is None:
        _enter(session, text, 1, now)
        return
    packaged = read_chart(text)
    own = any(version.adopted_by is not None for version in queries.history(session))
    after = completed(before.chart, packaged) if own else packaged
    if changes(before.chart, after, queries.used_patterns(session, before.chart)):
        _enter(session, write_chart(after) if own else text, before.number + 1, now)


def check_chart(session: Session, text: str) -> Changes:
    """What adopting the chart would change. Raises: InvalidChart."""
    new, old = read_chart(text), queries.chart(session)
    if old is None:
        return Changes(tuple(pattern.pattern for pattern in new.patterns), (), (), ())
    found = changes(old, new, queries.used_patterns(session, old))
    if not found:
        raise InvalidChart("This chart is in force already.")
    return found


def propose_chart(
    session: Session, text: str, *, by: UUID, now: datetime, random_bytes: RandomBytes
) -> access.ActionView:
    """Write a chart down for two people to sign. Raises: InvalidChart; access.NotYourAction."""
    found = check_chart(session, text)
    content_hash = _keep(session, text)
    summary = f"Adopt a chart of accounts: {found}"
    if len(summary) > _SUMMARY_MAX:
        counts = len(found.added), len(found.changed), len(found.retired), len(found.removed)
        summary = "Adopt a chart of accounts: {} patterns added, {} changed, {} retired, {} removed".format(*counts)
    payload = {"content_hash": content_hash}
    return access.propose(session, CHART, payload, summary, by=by, now=now, random_bytes=random_bytes)


_SUMMARY_MAX = 400


def _run(session: Session, payload: dict[str, Any], action: access.ActionView, now: datetime) -> None:
    """Checked again: accounts may have been opened since it was proposed."""
    lock(session)
    text = queries.document(session, payload["content_hash"])
    if text is None:
        raise InvalidChart("The chart that was proposed is not here any more. Propose it again.")
    check_chart(session, text)
    before = queries.version(session)
    _enter(session, text, 1 if before is None else before.number + 1, now, action)


CHART = access.ActionHandler(ACTION, FINANCE, FINANCE, _run)


def _enter(session: Session, text: str, number: int, now: datetime, action: access.ActionView | None = None) -> None:
    row: dict[str, Any] = {"number": number, "content_hash": _keep(session, text), "adopted_at": now}
    if action is not None:
        row |= {"adopted_by": action.ended_by, "action_id": action.id}
    session.execute(sa.insert(ChartVersion).values(**row))


def _keep(session: Session, text: str) -> bytes:
    content_hash = hashlib.sha256(text.encode()).digest()
    if queries.document(session, content_hash) is None:
        session.execute(sa.insert(ChartDocument).values(content_hash=content_hash, document=text))
    return content_hash
