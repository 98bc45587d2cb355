"""The day sheet: what finance staff look at every day."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from flask import render_template, request, url_for

from cardsvc import ledger, web
from cardsvc.access import guard
from cardsvc.clock import business_date
from cardsvc.finance import queries
from cardsvc.finance.pages.asking import READERS, asked_day, pages

LINES_SHOWN: Final = 100
_PERMILLE: Final = 1000


@dataclass(frozen=True, slots=True)
class LineRow:
    seq: int
    entry_id: UUID
    entry_url: str
    kind: int
    happened_at: datetime
    account: str
    amount_cents: int
    is_first: bool


@pages.route("/finance")
@guard.requires(*READERS)
def day_sheet() -> str:
    """One day: totals, ledger, drawers, bank."""
    session, today = web.session(), business_date(web.now())
    day = asked_day("date") or today
    sheet = queries.day_sheet(session, day, after=request.args.get("after", type=int), limit=LINES_SHOWN)
    following = url_for("finance_pages.day_sheet", date=day.isoformat(), after=sheet.next_after)
    return render_template(
        "finance/day.html",
        day=day,
        books=ledger.booking_state(web.session(), day).value,
        previous=day - timedelta(days=1),
        following=day + timedelta(days=1) if day < today else None,
        totals=sheet.totals,
        lines=[row for entry in sheet.entries for row in _lines(entry)],
        next_url="" if sheet.next_after is None else following,
        trial_difference_cents=sheet.trial_difference_cents,
        drawers=sheet.drawers,
        bank=sheet.bank,
        closing=sheet.closing,
    )


def _lines(entry: ledger.StoredEntry) -> list[LineRow]:
    return [
        LineRow(
            entry.seq,
            entry.entry_id,
            url_for("finance_pages.entry", entry_id=entry.entry_id),
            entry.kind,
            entry.happened_at,
            line.account,
            line.amount_cents,
            is_first=number == 0,
        )
        for number, line in enumerate(entry.lines)
    ]
