"""Balance assertions: what somebody signed off stays as it was, or it is withdrawn first."""

from collections.abc import Mapping
from datetime import date

from cardsvc.ledger.rules.entries import Draft, Reason, Refused


def check(draft: Draft, asserted: Mapping[str, date]) -> Refused | None:
    """Refused where the draft would change a balance that stands asserted; `asserted` has each account's last such day.

    Only what is booked on a day of its own can: days are asserted when they are over.
    """
    if draft.booked_on is None or not asserted:
        return None
    for line in draft.lines:
        for code in (line.account, *line.then):
            day = asserted.get(code)
            if day is not None and draft.booked_on <= day:
                detail = (
                    f"The balance of account {code} on {day} was signed off. Book it on a later day, or have the"
                    " assertion withdrawn."
                )
                return Refused(draft.entry_id, Reason.BALANCE_ASSERTED, detail)
    return None
