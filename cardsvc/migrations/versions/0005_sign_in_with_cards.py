"""sign-in with cards and passkeys, actions of two

Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

from cardsvc import db

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
