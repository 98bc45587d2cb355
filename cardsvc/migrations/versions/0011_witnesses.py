"""witnesses of the log, and what was lost with a database

Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

from cardsvc import db

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None

# (table, columns) that the database itself keeps from changing
APPEND_ONLY = [
    ('cosignature', ['shard', 'tree_size', 'vkey', 'line', 'signed_at']),
    ('log_recovery', ['action_id', 'origin', 'tree_size', 'root', 'lost', 'reason', 'recovered_at']),
]


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
    op.create_table('cosignature',
    sa.Column('shard', number, autoincrement=False, nullable=False),
    sa.Column('tree_size', number, autoincrement=False, nullable=False),
    sa.Column('vkey', sa.Text(), nullable=False),
    sa.Column('line', sa.Text(), nullable=False),
    sa.Column('signed_at', db.UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('shard', 'tree_size', 'vkey', name=op.f('pk_cosignature'))
    )
    op.create_table('log_recovery',
    sa.Column('action_id', db.Id(), nullable=False),
    sa.Column('origin', sa.Text(), nullable=False),
    sa.Column('tree_size', number, nullable=False),
    sa.Column('root', sa.LargeBinary(), nullable=False),
    sa.Column('lost', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('recovered_at', db.UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('action_id', name=op.f('pk_log_recovery'))
    )
    for table, columns in APPEND_ONLY:
        for statement in db.append_only_ddl(op.get_bind().dialect.name, table, columns):
            op.execute(sa.DDL(statement.replace('%', '%%')))


def downgrade() -> None:
    op.drop_table('log_recovery')
    op.drop_table('cosignature')
