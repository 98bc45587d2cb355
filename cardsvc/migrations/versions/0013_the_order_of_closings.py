"""where in the log a month was closed and opened again, and under which key somebody asked

Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

from cardsvc import db

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What was done before keeps NULL: only the clock says when that was."""
    op.add_column('period_event', sa.Column('after_seq', sa.BigInteger(), nullable=True))
    op.add_column('period_event', sa.Column('request_id', db.Id(), nullable=True))
    op.add_column('assertion_withdrawal', sa.Column('request_id', db.Id(), nullable=True))


def downgrade() -> None:
    op.drop_column('assertion_withdrawal', 'request_id')
    op.drop_column('period_event', 'request_id')
    op.drop_column('period_event', 'after_seq')
