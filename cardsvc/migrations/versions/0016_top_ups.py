"""top-ups by bank transfer

Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

from cardsvc import db

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None

APPEND_ONLY = [
    ('bank_transfer', ['entry_id', 'line_id', 'reference', 'amount_cents', 'wallet_id', 'why', 'taken_by', 'taken_at']),
    ('transfer_assignment', ['entry_id', 'transfer_id', 'wallet_id']),
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
    dialect = op.get_bind().dialect.name
    for table, columns in APPEND_ONLY:
        for statement in db.append_only_ddl(dialect, table, columns):
            op.execute(statement)


def downgrade() -> None:
    for table in ('transfer_assignment', 'bank_transfer'):
        op.drop_table(table)
