"""rides, what was charged for each, and riders' rights

Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

from cardsvc import db

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    tables = [*_rides(), *_riders()]
    dialect = op.get_bind().dialect.name
    for table in tables:
        for statement in db.append_only_ddl(dialect, table.name, [column.name for column in table.columns]):
            op.execute(statement)


def _rides() -> list[sa.Table]:
    taps = op.create_table('ride_tap',
    sa.Column('record_id', db.Id(), nullable=False),
    sa.Column('wallet_id', db.Id(), nullable=False),
    sa.Column('device_id', db.Id(), nullable=False),
    sa.Column('seq', _BIG, nullable=False),
    sa.Column('at', db.UtcDateTime(), nullable=False),
    sa.Column('network', sa.Text(), nullable=False),
    sa.Column('stop_id', sa.Text(), nullable=False),
    sa.Column('direction', sa.Text(), nullable=False),
    sa.Column('tariff_version', _BIG, nullable=False),
    sa.CheckConstraint("direction IN ('in', 'out', 'flat')", name=op.f('ck_ride_tap_direction')),
    sa.PrimaryKeyConstraint('record_id', name=op.f('pk_ride_tap')),
    info={'append_only': ()}
    )
    op.create_index('ix_ride_tap_wallet_id_at', 'ride_tap', ['wallet_id', 'at'], unique=False)
    charges = op.create_table('ride_charge',
    sa.Column('id', _BIG, nullable=False),
    sa.Column('entry_id', db.Id(), nullable=False),
    sa.Column('wallet_id', db.Id(), nullable=False),
    sa.Column('ride_id', db.Id(), nullable=False),
    sa.Column('fare_day', sa.Date(), nullable=False),
    sa.Column('network', sa.Text(), nullable=False),
    sa.Column('agency', sa.Text(), nullable=False),
    sa.Column('fare_cents', _BIG, nullable=False),
    sa.Column('subsidy_cents', _BIG, nullable=False),
    sa.Column('paid_by', sa.Text(), nullable=False),
    sa.Column('explanation', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ride_charge')),
    info={'append_only': ()}
    )
    op.create_index('ix_ride_charge_entry_id', 'ride_charge', ['entry_id'], unique=False)
    op.create_index('ix_ride_charge_ride_id', 'ride_charge', ['ride_id'], unique=False)
    op.create_index('ix_ride_charge_wallet_id_fare_day', 'ride_charge', ['wallet_id', 'fare_day'], unique=False)
    return [taps, charges]


def _riders() -> list[sa.Table]:
    rights = op.create_table('rider_right',
    sa.Column('id', _BIG, nullable=False),
    sa.Column('right_id', db.Id(), nullable=False),
    sa.Column('resident_id', db.Id(), nullable=False),
    sa.Column('category', sa.Text(), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('valid_to', sa.Date(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('given_by', db.Id(), nullable=False),
    sa.Column('given_at', db.UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_rider_right')),
    info={'append_only': ()}
    )
    op.create_index('ix_rider_right_resident_id', 'rider_right', ['resident_id'], unique=False)
    passes = op.create_table('rider_pass',
    sa.Column('holding_id', db.Id(), nullable=False),
    sa.Column('wallet_id', db.Id(), nullable=False),
    sa.Column('pass_id', sa.Text(), nullable=False),
    sa.Column('valid_from', db.UtcDateTime(), nullable=False),
    sa.Column('valid_to', db.UtcDateTime(), nullable=False),
    sa.Column('rides', _BIG, nullable=True),
    sa.PrimaryKeyConstraint('holding_id', name=op.f('pk_rider_pass')),
    info={'append_only': ()}
    )
    op.create_index('ix_rider_pass_wallet_id', 'rider_pass', ['wallet_id'], unique=False)
    return [rights, passes]


def downgrade() -> None:
    for table in ('rider_pass', 'rider_right', 'ride_charge', 'ride_tap'):
        op.drop_table(table)
