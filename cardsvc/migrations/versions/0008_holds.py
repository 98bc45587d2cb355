"""holds, and purses by their owner

Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

from cardsvc import db

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None

_CENTS = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.add_column('account', sa.Column('owner', sa.Text(), nullable=True))
    for column in ('owner', 'expires_at'):
        where = sa.text(f'{column} IS NOT NULL')
        op.create_index(f'ix_account_{column}', 'account', [column], unique=False, sqlite_where=where, postgresql_where=where)
    op.create_table('hold',
    sa.Column('id', db.Id(length=16), nullable=False),
    sa.Column('account', sa.Text(), nullable=False),
    sa.Column('beneficiary', sa.Text(), nullable=False),
    sa.Column('purpose', sa.Text(), nullable=False),
    sa.Column('placed_cents', _CENTS, nullable=False),
    sa.Column('captured_cents', _CENTS, nullable=False),
    sa.Column('left_cents', _CENTS, nullable=False),
    sa.Column('limit_cents', _CENTS, nullable=False),
    sa.Column('expires_at', db.UtcDateTime(), nullable=True),
    sa.Column('placed_at', db.UtcDateTime(), nullable=False),
    sa.Column('ended_at', db.UtcDateTime(), nullable=True),
    sa.CheckConstraint('left_cents >= 0 AND left_cents <= placed_cents AND placed_cents > 0', name=op.f('ck_hold_left')),
    sa.CheckConstraint('captured_cents >= 0 AND captured_cents <= limit_cents', name=op.f('ck_hold_captured')),
    sa.CheckConstraint('(left_cents = 0) = (ended_at IS NOT NULL)', name=op.f('ck_hold_ended')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_hold'))
    )
    with op.batch_alter_table('hold', schema=None) as batch_op:
        standing = sa.text('ended_at IS NULL')
        batch_op.create_index('ix_hold_account', ['account', 'placed_at'], unique=False)
        batch_op.create_index('ix_hold_standing', ['expires_at'], unique=False, sqlite_where=standing, postgresql_where=standing)


def downgrade() -> None:
    op.drop_table('hold')
    for column in ('owner', 'expires_at'):
        op.drop_index(f'ix_account_{column}', 'account')
    op.drop_column('account', 'owner')
