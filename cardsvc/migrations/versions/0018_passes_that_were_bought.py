"""passes that were bought: by which tariff, for how much, and who earned it

Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

from cardsvc import db

revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    # no release before this one sold passes: the table is made anew rather than guessed at
    _refuse_if_filled()
    op.drop_table('rider_pass')
    _create(
        sa.Column('tariff_version', _BIG, nullable=False),
        sa.Column('agency', sa.Text(), nullable=False),
        sa.Column('amount_cents', _BIG, nullable=False),
        sa.CheckConstraint('amount_cents > 0', name=op.f('ck_rider_pass_amount_cents')),
    )


def downgrade() -> None:
    _refuse_if_filled()
    op.drop_table('rider_pass')
    _create()


def _create(*more: sa.schema.SchemaItem) -> None:
    table = op.create_table('rider_pass',
    sa.Column('holding_id', db.Id(), nullable=False),
    sa.Column('wallet_id', db.Id(), nullable=False),
    sa.Column('pass_id', sa.Text(), nullable=False),
    sa.Column('valid_from', db.UtcDateTime(), nullable=False),
    sa.Column('valid_to', db.UtcDateTime(), nullable=False),
    sa.Column('rides', _BIG, nullable=True),
    *more,
    sa.PrimaryKeyConstraint('holding_id', name=op.f('pk_rider_pass')),
    info={'append_only': ()}
    )
    op.create_index('ix_rider_pass_wallet_id', 'rider_pass', ['wallet_id'], unique=False)
    for statement in db.append_only_ddl(op.get_bind().dialect.name, table.name, [c.name for c in table.columns]):
        op.execute(statement)


def _refuse_if_filled() -> None:
    if op.get_bind().scalar(sa.text('SELECT count(*) FROM rider_pass')):
        raise RuntimeError('rider_pass has rows: passes were sold by this schema, and none of them may be lost.')
