"""balances of the past

Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

from cardsvc import db

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None

DATES = [
    (f'{name}_{end}', db.UtcDateTime() if name != 'booked' else sa.Date())
    for name in ('happened', 'recorded', 'booked') for end in ('min', 'max')
]
IMPORT = ['content_hash', 'imported_by', 'imported_at', 'statement', 'signature', 'accounts', 'entries']


def _number() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('balance_snapshot',
    sa.Column('account_id', _number(), autoincrement=False, nullable=False),
    sa.Column('entry_seq', _number(), autoincrement=False, nullable=False),
    sa.Column('after_seq', _number(), nullable=False),
    sa.Column('postings', _number(), nullable=False),
    sa.Column('cents', _number(), nullable=False),
    sa.Column('block_cents', _number(), nullable=False),
    *[sa.Column(name, kind, nullable=False) for name, kind in DATES],
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_balance_snapshot_account_id_account')),
    sa.PrimaryKeyConstraint('account_id', 'entry_seq', name=op.f('pk_balance_snapshot'))
    )
    op.create_table('running_balance',
    sa.Column('account_id', _number(), autoincrement=False, nullable=False),
    sa.Column('after_seq', _number(), nullable=False),
    sa.Column('postings', _number(), nullable=False),
    sa.Column('cents', _number(), nullable=False),
    sa.Column('block_cents', _number(), nullable=False),
    *[sa.Column(name, kind, nullable=True) for name, kind in DATES],
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_running_balance_account_id_account')),
    sa.PrimaryKeyConstraint('account_id', name=op.f('pk_running_balance'))
    )
    op.create_table('snapshot_mark',
    sa.Column('id', _number(), autoincrement=False, nullable=False),
    sa.Column('entry_seq', _number(), nullable=False),
    sa.CheckConstraint('id = 1', name=op.f('ck_snapshot_mark_one')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_snapshot_mark'))
    )
    op.create_table('ledger_import',
    sa.Column('content_hash', sa.LargeBinary(), nullable=False),
    sa.Column('imported_by', db.Id(), nullable=False),
    sa.Column('imported_at', db.UtcDateTime(), nullable=False),
    sa.Column('statement', sa.LargeBinary(), nullable=False),
    sa.Column('signature', sa.LargeBinary(), nullable=False),
    sa.Column('accounts', _number(), nullable=False),
    sa.Column('entries', _number(), nullable=False),
    sa.PrimaryKeyConstraint('content_hash', name=op.f('pk_ledger_import'))
    )
    dated = sa.text('booked_on IS NOT NULL')
    op.create_index('ix_entry_booked_on', 'entry', ['booked_on'], sqlite_where=dated, postgresql_where=dated)
    dialect = op.get_bind().dialect.name
    message = 'balance_snapshot is computed: throw it away and have it made again'
    for statement in (
        *db.append_only_ddl(dialect, 'ledger_import', IMPORT),
        *db.refuse_ddl(dialect, 'balance_snapshot', 'no_update', 'UPDATE', when='TRUE', message=message),
    ):
        op.execute(statement)


def downgrade() -> None:
    op.drop_index('ix_entry_booked_on', 'entry')
    for table in ('ledger_import', 'snapshot_mark', 'running_balance', 'balance_snapshot'):
        op.drop_table(table)
