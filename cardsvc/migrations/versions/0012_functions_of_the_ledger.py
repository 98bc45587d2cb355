"""the ledger's functions, and a sum of zero that looks at new lines only

Revises: 0011
"""

from alembic import op

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None

ZERO_SUM = """
CREATE OR REPLACE FUNCTION ledger_zero_sum() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM added GROUP BY entry_seq HAVING sum(amount_cents) <> 0) THEN
    RAISE EXCEPTION USING MESSAGE = 'posting: every entry sums to zero', ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""
ZERO_SUM_BEFORE = """
CREATE OR REPLACE FUNCTION ledger_zero_sum() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT 1 FROM posting WHERE entry_seq IN (SELECT entry_seq FROM added)
    GROUP BY entry_seq HAVING sum(amount_cents) <> 0
  ) THEN
    RAISE EXCEPTION USING MESSAGE = 'posting: every entry sums to zero', ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""
KNOWN = """
CREATE OR REPLACE FUNCTION ledger_known(
  codes text[], ids uuid[],
  OUT places bigint[], OUT account_ids bigint[], OUT kinds text[], OUT policies text[], OUT currencies text[],
  OUT floors bigint[], OUT closed boolean[], OUT expiries bigint[],
  OUT live_ids bigint[], OUT live_cents bigint[], OUT entry_ids uuid[]
) LANGUAGE plpgsql STABLE SET jit = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET enable_bitmapscan = off AS $$
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
"""
SET_BALANCES = """
CREATE OR REPLACE FUNCTION ledger_set_balances(ids bigint[], cents bigint[]) RETURNS void
LANGUAGE plpgsql SET jit = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET enable_bitmapscan = off AS $$
BEGIN
  UPDATE balance SET balance_cents = now.cents FROM unnest(ids, cents) AS now (id, cents)
    WHERE balance.account_id = now.id;
END $$
"""


def upgrade() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        for statement in (ZERO_SUM, KNOWN, SET_BALANCES):
            op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        for statement in (ZERO_SUM_BEFORE, 'DROP FUNCTION ledger_known', 'DROP FUNCTION ledger_set_balances'):
            op.get_bind().exec_driver_sql(statement)
