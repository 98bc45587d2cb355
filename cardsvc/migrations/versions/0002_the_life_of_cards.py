"""the life of cards

Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

from cardsvc import db

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
