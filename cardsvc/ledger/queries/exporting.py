"""The journal as text for foreign tools, which judge our sums."""

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.ledger.models import Account
from cardsvc.ledger.queries.reading import entries
from cardsvc.ledger.rules import AccountKind, StoredEntry, city_date

_PAGE = 1000
_TOP = {
    AccountKind.ASSET: "assets",
    AccountKind.LIABILITY: "liabilities",
    AccountKind.EQUITY: "equity",
    AccountKind.REVENUE: "revenues",
    AccountKind.EXPENSE: "expenses",
}


def hledger_journal(session: Session) -> Iterator[str]:
    """The whole journal in hledger's format, entry by entry, in the order of the log.

    Accounts stand below the five of hledger; the date is that of recording, in the city; amounts have a decimal point.
    """
    top = {code: _TOP[AccountKind(kind)] for code, kind in session.execute(sa.select(Account.code, Account.kind))}
    after: int | None = None
    while True:
        page = entries(session, after=after, limit=_PAGE)
        yield from (_transaction(entry, top) for entry in page)
        if not page:
            return
        after = page[-1].seq


def _transaction(entry: StoredEntry, top: dict[str, str]) -> str:
    kind = entry.kind.name.lower().replace("_", " ")
    lines = [f"{city_date(entry.recorded_at)} ({entry.seq}) {kind}  ; id:{entry.entry_id}\n"]
    for line in entry.lines:
        sign = "-" if line.amount_cents < 0 else ""
        whole, cents = divmod(abs(line.amount_cents), 100)
        lines.append(f"    {top[line.account]}:{line.account}  {entry.currency} {sign}{whole}.{cents:02d}\n")
    return "".join([*lines, "\n"])
