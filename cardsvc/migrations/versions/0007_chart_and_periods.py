"""chart of accounts by version, periods, balance assertions

Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

from cardsvc import db

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
# Tables whose rows the database itself keeps: name, columns.
APPEND_ONLY = [
    ('chart_document', ['content_hash', 'document']),
    ('chart_version', ['number', 'content_hash', 'adopted_at', 'adopted_by', 'action_id']),
    ('period_event', ['number', 'month', 'verb', 'closed_to', 'soft_closed_to', 'done_at', 'done_by', 'action_id', 'reason',
                      'log_size', 'balance', 'balance_hash']),
    ('balance_assertion', ['id', 'account_code', 'day', 'asserted_cents', 'found_cents', 'held', 'document', 'asserted_by',
                           'asserted_at']),
    ('assertion_withdrawal', ['assertion_id', 'reason', 'withdrawn_by', 'withdrawn_at']),
]


def upgrade() -> None:
    op.create_table('chart_document',
    sa.Column('content_hash', sa.LargeBinary(), nullable=False),
    sa.Column('document', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('content_hash', name=op.f('pk_chart_document')),
    info={'append_only': ()}
    )
    op.create_table('chart_version',
    sa.Column('number', _BIG, autoincrement=False, nullable=False),
    sa.Column('content_hash', sa.LargeBinary(), nullable=False),
    sa.Column('adopted_at', db.UtcDateTime(), nullable=False),
    sa.Column('adopted_by', db.Id(), nullable=True),
    sa.Column('action_id', db.Id(), nullable=True),
    sa.CheckConstraint('(adopted_by IS NULL) = (action_id IS NULL)', name=op.f('ck_chart_version_by_two')),
    sa.ForeignKeyConstraint(['content_hash'], ['chart_document.content_hash'], name=op.f('fk_chart_version_content_hash_chart_document')),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_chart_version')),
    info={'append_only': ()}
    )
    op.create_table('period_event',
    sa.Column('number', _BIG, autoincrement=False, nullable=False),
    sa.Column('month', sa.Text(), nullable=False),
    sa.Column('verb', sa.Text(), nullable=False),
    sa.Column('closed_to', sa.Date(), nullable=True),
    sa.Column('soft_closed_to', sa.Date(), nullable=True),
    sa.Column('done_at', db.UtcDateTime(), nullable=False),
    sa.Column('done_by', db.Id(), nullable=False),
    sa.Column('action_id', db.Id(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('log_size', _BIG, nullable=True),
    sa.Column('balance', sa.Text(), nullable=True),
    sa.Column('balance_hash', sa.LargeBinary(), nullable=True),
    sa.CheckConstraint("verb IN ('soft_close', 'close', 'reopen')", name=op.f('ck_period_event_verb')),
    sa.CheckConstraint("verb = 'soft_close' OR action_id IS NOT NULL", name=op.f('ck_period_event_by_two')),
    sa.CheckConstraint("verb <> 'reopen' OR reason IS NOT NULL", name=op.f('ck_period_event_reopened_for_a_reason')),
    sa.CheckConstraint("(verb = 'close') = (balance IS NOT NULL AND balance_hash IS NOT NULL AND log_size IS NOT NULL)", name=op.f('ck_period_event_sealed')),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_period_event')),
    info={'append_only': ()}
    )
    op.create_table('balance_assertion',
    sa.Column('id', db.Id(), nullable=False),
    sa.Column('account_code', sa.Text(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('asserted_cents', _BIG, nullable=False),
    sa.Column('found_cents', _BIG, nullable=False),
    sa.Column('held', sa.Boolean(), nullable=False),
    sa.Column('document', sa.Text(), nullable=False),
    sa.Column('asserted_by', db.Id(), nullable=False),
    sa.Column('asserted_at', db.UtcDateTime(), nullable=False),
    sa.CheckConstraint('held = (asserted_cents = found_cents)', name=op.f('ck_balance_assertion_held')),
    sa.ForeignKeyConstraint(['account_code'], ['account.code'], name=op.f('fk_balance_assertion_account_code_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_balance_assertion')),
    info={'append_only': ()}
    )
    op.create_index('ix_balance_assertion_account_day', 'balance_assertion', ['account_code', 'day'], unique=False)
    op.create_table('assertion_withdrawal',
    sa.Column('assertion_id', db.Id(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('withdrawn_by', db.Id(), nullable=False),
    sa.Column('withdrawn_at', db.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['assertion_id'], ['balance_assertion.id'], name=op.f('fk_assertion_withdrawal_assertion_id_balance_assertion')),
    sa.PrimaryKeyConstraint('assertion_id', name=op.f('pk_assertion_withdrawal')),
    info={'append_only': ()}
    )
    for table, columns in APPEND_ONLY:
        for statement in db.append_only_ddl(op.get_bind().dialect.name, table, columns):
            op.execute(sa.text(statement))


def downgrade() -> None:
    for table, _ in reversed(APPEND_ONLY):
        op.drop_table(table)
