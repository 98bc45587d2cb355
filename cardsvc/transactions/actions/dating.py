"""Posting at the edge of a month: what residents did is honoured, in the first month that takes it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby

from sqlalchemy.orm import Session

from cardsvc import ledger


def post(
    session: Session, drafts: Sequence[ledger.Draft], *, first_seq: int, recorded_at: datetime
) -> list[ledger.Posted | ledger.Refused]:
    """`ledger.post`, and what was refused because the day of its recording is closed is booked on the first open day.

    Only a clock that was read before midnight, or was set back, comes here: a day is closed when it is over. What the
    office writes itself, and what has an accounting date of its own, stays refused.
    """
    answers = ledger.post(session, drafts, first_seq=first_seq, recorded_at=recorded_at)
    late = [place for place, answer in enumerate(answers) if _is_late(drafts[place], answer)]
    if not late:
        return answers
    day = ledger.first_open_day(session)
    for _, together in groupby(enumerate(late), lambda pair: pair[1] - pair[0]):
        places = [place for _, place in together]
        dated = [replace(drafts[place], booked_on=day) for place in places]
        found = ledger.post(session, dated, first_seq=first_seq + places[0], recorded_at=recorded_at)
        answers[places[0] : places[-1] + 1] = found
    return answers


def _is_late(draft: ledger.Draft, answer: ledger.Posted | ledger.Refused) -> bool:
    closed = isinstance(answer, ledger.Refused) and answer.reason is ledger.Reason.PERIOD_CLOSED
    return closed and draft.booked_on is None and draft.kind not in ledger.OFFICE
