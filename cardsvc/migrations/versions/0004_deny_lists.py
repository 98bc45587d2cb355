"""deny lists

Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

from cardsvc import db

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
# Tables whose rows the database itself keeps: name, columns.
APPEND_ONLY = [
    ('deny_list', ['number', 'issued_at', 'content_hash', 'cards_added', 'action_id']),
    ('deny_change', ['kind', 'entry', 'number', 'denied']),
]


def upgrade() -> None:
    op.add_column('policy_number', sa.Column('deny_number', _BIG, nullable=True))
    op.create_table('deny_list',
    sa.Column('number', _BIG, autoincrement=False, nullable=False),
    sa.Column('issued_at', db.UtcDateTime(), nullable=False),
    sa.Column('content_hash', sa.LargeBinary(), nullable=False),
    sa.Column('cards_added', _BIG, nullable=False),
    sa.Column('action_id', db.Id(), nullable=True),
    sa.CheckConstraint('cards_added >= 0', name=op.f('ck_deny_list_cards_added')),
    sa.CheckConstraint('number >= 1', name=op.f('ck_deny_list_number')),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_deny_list')),
    info={'append_only': ()}
    )
    op.create_index('ix_deny_list_issued_at', 'deny_list', ['issued_at'], unique=False)
    op.create_table('deny_change',
    sa.Column('kind', sa.String(length=4), nullable=False),
    sa.Column('entry', sa.LargeBinary(), nullable=False),
    sa.Column('number', _BIG, autoincrement=False, nullable=False),
    sa.Column('denied', sa.Boolean(), nullable=False),
    sa.CheckConstraint("kind IN ('card', 'key')", name=op.f('ck_deny_change_kind_known')),
    sa.ForeignKeyConstraint(['number'], ['deny_list.number'], name=op.f('fk_deny_change_number_deny_list')),
    sa.PrimaryKeyConstraint('kind', 'entry', 'number', name=op.f('pk_deny_change')),
    info={'append_only': ()}
    )
    op.create_index('ix_deny_change_number', 'deny_change', ['number'], unique=False)
    op.create_table('deny_held',
    sa.Column('card_id', sa.LargeBinary(), nullable=False),
    sa.Column('held_at', db.UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('card_id', name=op.f('pk_deny_held'))
    )
    op.create_table('revocation_list',
    sa.Column('authority', sa.LargeBinary(), nullable=False),
    sa.Column('number', _BIG, autoincrement=False, nullable=False),
    sa.Column('this_update', db.UtcDateTime(), nullable=False),
    sa.Column('next_update', db.UtcDateTime(), nullable=False),
    sa.Column('content_hash', sa.LargeBinary(), nullable=False),
    sa.Column('der', sa.LargeBinary(), nullable=False),
    sa.CheckConstraint('number >= 1', name=op.f('ck_revocation_list_number')),
    sa.PrimaryKeyConstraint('authority', 'number', name=op.f('pk_revocation_list'))
    )
    for table, columns in APPEND_ONLY:
        for statement in db.append_only_ddl(op.get_bind().dialect.name, table, columns):
            op.execute(statement)


def downgrade() -> None:
    for table in ('revocation_list', 'deny_held', 'deny_change', 'deny_list'):
        op.drop_table(table)
    op.drop_column('policy_number', 'deny_number')
