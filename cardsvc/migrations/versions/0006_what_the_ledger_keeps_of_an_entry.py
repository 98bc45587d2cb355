"""what the ledger keeps of an entry and an account

Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

from cardsvc import db

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('account', sa.Column('purpose', sa.Text(), nullable=True))
    op.add_column('account', sa.Column('expires_at', db.UtcDateTime(), nullable=True))
    op.add_column('account', sa.Column('priority', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True))
    op.add_column('account', sa.Column('returns_to', sa.Text(), nullable=True))
    op.add_column('entry', sa.Column('booked_on', sa.Date(), nullable=True))
    op.add_column('entry', sa.Column('notes', sa.Text(), nullable=True))


def downgrade() -> None:
    for table, columns in (('entry', ('notes', 'booked_on')), ('account', ('returns_to', 'priority', 'expires_at', 'purpose'))):
        for column in columns:
            op.drop_column(table, column)
