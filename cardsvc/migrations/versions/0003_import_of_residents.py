"""import of residents, and who looked at whom

Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

from cardsvc import db

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
