"""How far the books are closed, and what was done to the months."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.ledger.models import PeriodEvent
from cardsvc.ledger.rules.periods import OPEN_BOOKS, Books


def books(session: Session) -> Books:
    """How far the books are closed. One row, whatever their age."""
    row = session.execute(
        sa.select(PeriodEvent.closed_to, PeriodEvent.soft_closed_to).order_by(PeriodEvent.number.desc()).limit(1)
    ).one_or_none()
    return OPEN_BOOKS if row is None else Books(row.closed_to, row.soft_closed_to)
