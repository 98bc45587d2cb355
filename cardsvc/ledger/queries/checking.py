"""The proof of the books: everything that the ledger promises, recomputed from its entries."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.ledger.queries.holds import wrong_hold
from cardsvc.ledger.queries.proving import wrong_snapshot
from cardsvc.ledger.rules import BooksDoNotBalance


@dataclass(frozen=True, slots=True)
class BooksChecked:
    """How much was looked at; all of it was right."""

    entries: int
    postings: int
    accounts: int


@dataclass(frozen=True, slots=True)
class _Law:
    """`broken` finds the first row that breaks the law and names it; `problem` is filled with the name."""

    problem: str
    broken: str


# Each in one pass over an index.
_LAWS = (
    _Law(
        "entry {} has no lines or does not sum to zero",
        """
        SELECT entry.seq FROM entry LEFT JOIN posting ON posting.entry_seq = entry.seq
        GROUP BY entry.seq HAVING COUNT(posting.line) < 2 OR SUM(posting.amount_cents) <> 0
        ORDER BY entry.seq LIMIT 1
        """,
    ),
    _Law(
        "a posting names entry {}, which does not exist",
        """
        SELECT posting.entry_seq FROM posting LEFT JOIN entry ON entry.seq = posting.entry_seq
        WHERE entry.seq IS NULL ORDER BY posting.entry_seq LIMIT 1
        """,
    ),
    _Law(
        "entry {} is posted to an account that does not exist or has another currency",
        """
        SELECT entry.seq FROM posting JOIN entry ON entry.seq = posting.entry_seq
        LEFT JOIN account ON account.id = posting.account_id
        WHERE account.id IS NULL OR account.currency <> entry.currency ORDER BY entry.seq LIMIT 1
        """,
    ),
    _Law(
        "entry {} reverses an entry that does not exist",
        """
        SELECT entry.seq FROM entry LEFT JOIN entry AS undone ON undone.id = entry.reverses
        WHERE entry.reverses IS NOT NULL AND undone.id IS NULL ORDER BY entry.seq LIMIT 1
        """,
    ),
    _Law(
        "account {} has a live balance and should not, or should and has none, or has another floor there",
        """
        SELECT account.code FROM account LEFT JOIN balance ON balance.account_id = account.id
        WHERE (account.policy = 'checked') <> (balance.account_id IS NOT NULL)
           OR COALESCE(account.floor_cents, 1) <> COALESCE(balance.floor_cents, 1)
        ORDER BY account.id LIMIT 1
        """,
    ),
    _Law(
        "the live balance of account {} is not the sum of its postings, or below its floor",
        """
        SELECT account.code FROM balance JOIN account ON account.id = balance.account_id
        LEFT JOIN (SELECT account_id, SUM(amount_cents) AS cents FROM posting GROUP BY account_id) AS summed
          ON summed.account_id = account.id
        WHERE balance.balance_cents
              <> COALESCE(summed.cents, 0) * CASE WHEN account.kind IN ('asset', 'expense') THEN 1 ELSE -1 END
           OR balance.balance_cents < balance.floor_cents
        ORDER BY account.id LIMIT 1
        """,
    ),
)


def check_books(session: Session) -> BooksChecked:
    """Recompute everything from the entries.

    Raises: BooksDoNotBalance, naming the first entry or account that is wrong.
    """
    for law in _LAWS:
        broken = session.scalar(sa.text(law.broken))
        if broken is not None:
            raise BooksDoNotBalance(law.problem.format(broken))
    wrong = wrong_hold(session)
    if wrong is not None:
        raise BooksDoNotBalance(
            f"hold {wrong} is not what the entries make of it, or another amount lies on its account"
        )
    account = wrong_snapshot(session)
    if account is not None:
        raise BooksDoNotBalance(f"a snapshot of account {account} is not what its entries make of it")
    counted = [session.scalar(sa.text(f"SELECT COUNT(*) FROM {name}")) or 0 for name in ("entry", "posting", "account")]  # noqa: S608 - fixed names
    return BooksChecked(*counted)
