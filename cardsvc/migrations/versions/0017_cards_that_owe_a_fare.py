"""cards that owe a fare

Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('deny_owing',
    sa.Column('card_id', sa.LargeBinary(), nullable=False),
    sa.Column('number', _BIG, autoincrement=False, nullable=False),
    sa.Column('until_number', _BIG, nullable=True),
    sa.ForeignKeyConstraint(['number'], ['deny_list.number'], name=op.f('fk_deny_owing_number_deny_list')),
    sa.ForeignKeyConstraint(['until_number'], ['deny_list.number'], name=op.f('fk_deny_owing_until_number_deny_list')),
    sa.PrimaryKeyConstraint('card_id', 'number', name=op.f('pk_deny_owing'))
    )
    op.create_index('ix_deny_owing_until_number', 'deny_owing', ['until_number'], unique=False)


def downgrade() -> None:
    op.drop_table('deny_owing')
