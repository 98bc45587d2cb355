"""The proof of the snapshots: each is computed again from the postings of its block."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.ledger.queries.blocks import BEFORE_ALL

# Of every account: what the mark found is the sum of what was posted up to it.
_RUNNING = """
SELECT account.code FROM account
LEFT JOIN running_balance AS kept ON kept.account_id = account.id
LEFT JOIN (
  SELECT account_id, SUM(amount_cents) AS cents, COUNT(*) AS postings FROM posting
  WHERE entry_seq <= (SELECT entry_seq FROM snapshot_mark) GROUP BY account_id
) AS summed ON summed.account_id = account.id
LEFT JOIN (
  SELECT account_id, MAX(entry_seq) AS entry_seq, SUM(block_cents) AS cents
  FROM balance_snapshot GROUP BY account_id
) AS closed ON closed.account_id = account.id
WHERE COALESCE(kept.cents, 0) <> COALESCE(summed.cents, 0)
   OR COALESCE(kept.postings, 0) <> COALESCE(summed.postings, 0)
   OR COALESCE(kept.after_seq, :before_all) <> COALESCE(closed.entry_seq, :before_all)
   OR COALESCE(kept.block_cents, 0) <> COALESCE(kept.cents, 0) - COALESCE(closed.cents, 0)
ORDER BY account.id LIMIT 1
"""
# The blocks of an account follow each other without a gap, and its balances are their sums.
_CHAIN = """
SELECT account.code FROM (
  SELECT account_id, entry_seq, after_seq, cents, block_cents,
    LAG(entry_seq, 1, :before_all) OVER (PARTITION BY account_id ORDER BY entry_seq) AS previous_seq,
    LAG(cents, 1, CAST(0 AS BIGINT)) OVER (PARTITION BY account_id ORDER BY entry_seq) AS previous_cents
  FROM balance_snapshot
) AS chained JOIN account ON account.id = chained.account_id
WHERE after_seq <> previous_seq OR cents <> previous_cents + block_cents
ORDER BY account.id, entry_seq LIMIT 1
"""
_BLOCKS = """
SELECT account.code FROM balance_snapshot AS kept JOIN account ON account.id = kept.account_id {join} (
  SELECT {key} SUM(posting.amount_cents) AS cents, MIN(entry.happened_at) AS a, MAX(entry.happened_at) AS b,
    MIN(entry.recorded_at) AS c, MAX(entry.recorded_at) AS d, MIN({booked}) AS e, MAX({booked}) AS f
  FROM {blocks} posting {on} JOIN entry ON entry.seq = posting.entry_seq {where}
) AS found {matched}
WHERE found.cents IS NULL OR kept.block_cents <> found.cents
   OR kept.happened_min <> found.a OR kept.happened_max <> found.b
   OR kept.recorded_min <> found.c OR kept.recorded_max <> found.d
   OR kept.booked_min <> found.e OR kept.booked_max <> found.f
ORDER BY account.id, kept.entry_seq LIMIT 1
"""
_IN_BLOCK = (
    "posting.account_id = {0}.account_id AND posting.entry_seq > {0}.after_seq AND posting.entry_seq <= {0}.entry_seq"
)
# Both read each block's postings by one walk over the index, which PostgreSQL has to be told.
_BLOCKS_OF = {
    "postgresql": _BLOCKS.format(
        join="LEFT JOIN LATERAL",
        key="",
        booked="COALESCE(entry.booked_on, (to_timestamp(entry.recorded_at / 1000) AT TIME ZONE 'Asia/Manila')::date)",
        blocks="",
        on="",
        where=f"WHERE {_IN_BLOCK.format('kept')}",
        matched="ON TRUE",
    ),
    "sqlite": _BLOCKS.format(
        join="LEFT JOIN",
        key="block.account_id, block.entry_seq,",
        booked="COALESCE(entry.booked_on, date(entry.recorded_at / 1000 + 8 * 3600, 'unixepoch'))",
        blocks="balance_snapshot AS block CROSS JOIN",
        on=f"ON {_IN_BLOCK.format('block')}",
        where="GROUP BY block.account_id, block.entry_seq",
        matched="ON found.account_id = kept.account_id AND found.entry_seq = kept.entry_seq",
    ),
}


def wrong_snapshot(session: Session) -> str | None:
    """The first account whose snapshots are not what its entries make of them; None: all are right."""
    before_all = {"before_all": BEFORE_ALL}
    for statement, given in (
        (_RUNNING, before_all),
        (_CHAIN, before_all),
        (_BLOCKS_OF[session.get_bind().dialect.name], {}),
    ):
        typed = [sa.bindparam(name, value, sa.BigInteger) for name, value in given.items()]
        found: str | None = session.scalar(sa.text(statement).bindparams(*typed))
        if found is not None:
            return found
    return None
