"""The ledger's functions in PostgreSQL: the two ends of a batch, arrays in and arrays out, one round trip each.

Their plans are pinned: left to itself the planner joins a batch with every account there is, or compiles the statement
first, which takes longer than running it. SQLite needs none of them: there a statement costs no round trip.
"""

import sqlalchemy as sa
from sqlalchemy import event

from cardsvc.ledger.models.core import Posting

_PINNED = (
    "SET jit = off SET enable_hashjoin = off SET enable_mergejoin = off"
    " SET enable_seqscan = off SET enable_bitmapscan = off"
)

_FUNCTIONS = (
    # The accounts of these codes, each with its place among them; the live balances; which of the ids are entries.
    """
CREATE OR REPLACE FUNCTION ledger_known(
  codes text[], ids uuid[],
  OUT places bigint[], OUT account_ids bigint[], OUT kinds text[], OUT policies text[], OUT currencies text[],
  OUT floors bigint[], OUT closed boolean[], OUT expiries bigint[],
  OUT live_ids bigint[], OUT live_cents bigint[], OUT entry_ids uuid[]
) LANGUAGE plpgsql STABLE PINNED AS $$
BEGIN
  SELECT array_agg(wanted.place), array_agg(account.id), array_agg(account.kind), array_agg(account.policy),
         array_agg(account.currency), array_agg(account.floor_cents), array_agg(account.closed_at IS NOT NULL),
         array_agg(account.expires_at)
    INTO places, account_ids, kinds, policies, currencies, floors, closed, expiries
    FROM unnest(codes) WITH ORDINALITY AS wanted (code, place) JOIN account ON account.code = wanted.code;
  SELECT array_agg(account_id), array_agg(balance_cents) INTO live_ids, live_cents
    FROM balance WHERE account_id = ANY (account_ids);
  SELECT array_agg(entry.id) INTO entry_ids FROM unnest(ids) AS named (id) JOIN entry ON entry.id = named.id;
END $$
""",
    # Balances are set, not moved: the one writer read them, and a movement of a whole batch may not fit in 64 bits.
    """
CREATE OR REPLACE FUNCTION ledger_set_balances(ids bigint[], cents bigint[]) RETURNS void
LANGUAGE plpgsql PINNED AS $$
BEGIN
  UPDATE balance SET balance_cents = now.cents FROM unnest(ids, cents) AS now (id, cents)
    WHERE balance.account_id = now.id;
END $$
""",
)

FUNCTIONS_DDL = tuple(function.replace("PINNED", _PINNED) for function in _FUNCTIONS)


@event.listens_for(Posting.__table__, "after_create")
def _add_functions(_table: sa.Table, connection: sa.Connection, **_: object) -> None:
    if connection.dialect.name == "postgresql":
        for statement in FUNCTIONS_DDL:
            connection.exec_driver_sql(statement)
