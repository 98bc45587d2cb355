"""A window of dates as conditions on entries and on blocks of postings."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from cardsvc.ledger.models import BalanceSnapshot, Entry
from cardsvc.ledger.rules import DateBasis, Window, day_of_books

_ENTRY = {DateBasis.HAPPENED: Entry.happened_at, DateBasis.RECORDED: Entry.recorded_at}
_BLOCK = {
    DateBasis.HAPPENED: (BalanceSnapshot.happened_min, BalanceSnapshot.happened_max),
    DateBasis.RECORDED: (BalanceSnapshot.recorded_min, BalanceSnapshot.recorded_max),
    DateBasis.BOOKED: (BalanceSnapshot.booked_min, BalanceSnapshot.booked_max),
}


def on_entry(window: Window) -> sa.ColumnElement[bool]:
    """Whether the entry's date lies in the window."""
    if window.by is not DateBasis.BOOKED:
        return _between(_ENTRY[window.by], *window.moments)
    first, end = window.days
    start, stop = (None if day is None else day_of_books(day)[0] for day in (first, end))
    return sa.or_(
        sa.and_(Entry.booked_on.is_(None), _between(Entry.recorded_at, start, stop)),
        sa.and_(Entry.booked_on.is_not(None), _between(Entry.booked_on, first, end)),
    )


def whole(window: Window) -> sa.ColumnElement[bool]:
    """Whether every posting of the block lies in the window."""
    first, end = window.days if window.by is DateBasis.BOOKED else window.moments
    least, most = _BLOCK[window.by]
    return sa.and_(sa.true() if first is None else least >= first, sa.true() if end is None else most < end)


def touched(window: Window) -> sa.ColumnElement[bool]:
    """Whether a posting of the block may lie in the window."""
    first, end = window.days if window.by is DateBasis.BOOKED else window.moments
    least, most = _BLOCK[window.by]
    return sa.and_(sa.true() if first is None else most >= first, sa.true() if end is None else least < end)


def _between(column: Any, first: date | datetime | None, end: date | datetime | None) -> sa.ColumnElement[bool]:
    return sa.and_(sa.true() if first is None else column >= first, sa.true() if end is None else column < end)
