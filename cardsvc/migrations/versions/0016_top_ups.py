"""top-ups by bank transfer, and by themselves

Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

from cardsvc import db

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
APPEND_ONLY = [
    ('bank_transfer', ['entry_id', 'line_id', 'reference', 'amount_cents', 'wallet_id', 'why', 'taken_by', 'taken_at']),
    ('transfer_assignment', ['entry_id', 'transfer_id', 'wallet_id']),
    ('top_up_mandate', ['id', 'wallet_id', 'source', 'threshold_cents', 'amount_cents', 'day_max', 'consent', 'given_by',
                        'given_at']),
    ('top_up_mandate_end', ['mandate_id', 'ended_by', 'ended_at']),
    ('auto_top_up', ['entry_id', 'mandate_id', 'day']),
]


def upgrade() -> None:
    op.create_table('bank_transfer',
    sa.Column('entry_id', db.Id(), nullable=False),
    sa.Column('line_id', db.Id(), nullable=False),
    sa.Column('reference', sa.String(length=64), nullable=True),
    sa.Column('amount_cents', sa.BigInteger(), nullable=False),
    sa.Column('wallet_id', db.Id(), nullable=True),
    sa.Column('why', sa.String(length=120), nullable=False),
    sa.Column('taken_by', db.Id(), nullable=False),
    sa.Column('taken_at', db.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['line_id'], ['statement_line.id'], name=op.f('fk_bank_transfer_line_id_statement_line')),
    sa.PrimaryKeyConstraint('entry_id', name=op.f('pk_bank_transfer')),
    sa.UniqueConstraint('line_id', name=op.f('uq_bank_transfer_line_id')),
    info={'append_only': ()}
    )
    op.create_table('transfer_assignment',
    sa.Column('entry_id', db.Id(), nullable=False),
    sa.Column('transfer_id', db.Id(), nullable=False),
    sa.Column('wallet_id', db.Id(), nullable=False),
    sa.ForeignKeyConstraint(['transfer_id'], ['bank_transfer.entry_id'], name=op.f('fk_transfer_assignment_transfer_id_bank_transfer')),
    sa.PrimaryKeyConstraint('entry_id', name=op.f('pk_transfer_assignment')),
    info={'append_only': ()}
    )
    op.create_index('ix_transfer_assignment_transfer_id', 'transfer_assignment', ['transfer_id'], unique=False)
    op.create_table('top_up_mandate',
    sa.Column('id', db.Id(), nullable=False),
    sa.Column('wallet_id', db.Id(), nullable=False),
    sa.Column('source', sa.String(length=32), nullable=False),
    sa.Column('threshold_cents', sa.BigInteger(), nullable=False),
    sa.Column('amount_cents', sa.BigInteger(), nullable=False),
    sa.Column('day_max', _BIG, nullable=False),
    sa.Column('consent', sa.String(length=200), nullable=False),
    sa.Column('given_by', db.Id(), nullable=False),
    sa.Column('given_at', db.UtcDateTime(), nullable=False),
    sa.CheckConstraint('threshold_cents > 0 AND amount_cents > 0 AND day_max > 0', name=op.f('ck_top_up_mandate_positive')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_top_up_mandate')),
    info={'append_only': ()}
    )
    op.create_index('ix_top_up_mandate_wallet_id', 'top_up_mandate', ['wallet_id'], unique=False)
    op.create_table('top_up_mandate_end',
    sa.Column('mandate_id', db.Id(), nullable=False),
    sa.Column('ended_by', db.Id(), nullable=False),
    sa.Column('ended_at', db.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['mandate_id'], ['top_up_mandate.id'], name=op.f('fk_top_up_mandate_end_mandate_id_top_up_mandate')),
    sa.PrimaryKeyConstraint('mandate_id', name=op.f('pk_top_up_mandate_end')),
    info={'append_only': ()}
    )
    op.create_table('auto_top_up',
    sa.Column('entry_id', db.Id(), nullable=False),
    sa.Column('mandate_id', db.Id(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.ForeignKeyConstraint(['mandate_id'], ['top_up_mandate.id'], name=op.f('fk_auto_top_up_mandate_id_top_up_mandate')),
    sa.PrimaryKeyConstraint('entry_id', name=op.f('pk_auto_top_up')),
    info={'append_only': ()}
    )
    op.create_index('ix_auto_top_up_mandate_id', 'auto_top_up', ['mandate_id', 'day'], unique=False)
    dialect = op.get_bind().dialect.name
    for table, columns in APPEND_ONLY:
        for statement in db.append_only_ddl(dialect, table, columns):
            op.execute(statement)


def downgrade() -> None:
    for table in ('auto_top_up', 'top_up_mandate_end', 'top_up_mandate', 'transfer_assignment', 'bank_transfer'):
        op.drop_table(table)
