"""claims of riders

Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

from cardsvc import db

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
APPEND_ONLY = [
    ('ride_claim', ['id', 'wallet_id', 'ride_id', 'reason', 'stop_id', 'said', 'fare_cents', 'opened_at']),
    ('claim_approval', ['claim_id', 'action_id', 'fare_cents', 'approved_at']),
    ('claim_decision', ['claim_id', 'outcome', 'why', 'decided_by', 'decided_at', 'record_id', 'action_id', 'fare_cents',
                        'subsidy_cents', 'fare_day', 'network', 'agency', 'paid_by', 'product']),
]


def upgrade() -> None:
    op.create_table('ride_claim',
    sa.Column('id', db.Id(), nullable=False),
    sa.Column('wallet_id', db.Id(), nullable=False),
    sa.Column('ride_id', db.Id(), nullable=False),
    sa.Column('reason', sa.String(length=12), nullable=False),
    sa.Column('stop_id', sa.String(length=64), nullable=True),
    sa.Column('said', sa.String(length=400), nullable=False),
    sa.Column('fare_cents', _BIG, nullable=False),
    sa.Column('opened_at', db.UtcDateTime(), nullable=False),
    sa.CheckConstraint("reason IN ('not_me', 'wrong_stop', 'missing_exit')", name=op.f('ck_ride_claim_reason')),
    sa.CheckConstraint("(reason = 'not_me') = (stop_id IS NULL)", name=op.f('ck_ride_claim_stop')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ride_claim')),
    info={'append_only': ()}
    )
    op.create_index('ix_ride_claim_opened', 'ride_claim', ['opened_at', 'id'], unique=False)
    op.create_index('ix_ride_claim_ride', 'ride_claim', ['ride_id'], unique=False)
    op.create_index('ix_ride_claim_wallet', 'ride_claim', ['wallet_id', 'opened_at'], unique=False)
    op.create_table('claim_approval',
    sa.Column('claim_id', db.Id(), nullable=False),
    sa.Column('action_id', db.Id(), nullable=False),
    sa.Column('fare_cents', _BIG, nullable=False),
    sa.Column('approved_at', db.UtcDateTime(), nullable=False),
    sa.CheckConstraint('fare_cents > 0', name=op.f('ck_claim_approval_fare_cents')),
    sa.ForeignKeyConstraint(['claim_id'], ['ride_claim.id'], name=op.f('fk_claim_approval_claim_id_ride_claim')),
    sa.PrimaryKeyConstraint('claim_id', 'action_id', name=op.f('pk_claim_approval')),
    info={'append_only': ()}
    )
    op.create_table('claim_decision',
    sa.Column('claim_id', db.Id(), nullable=False),
    sa.Column('outcome', sa.String(length=8), nullable=False),
    sa.Column('why', sa.String(length=200), nullable=False),
    sa.Column('decided_by', db.Id(), nullable=False),
    sa.Column('decided_at', db.UtcDateTime(), nullable=False),
    sa.Column('record_id', db.Id(), nullable=True),
    sa.Column('action_id', db.Id(), nullable=True),
    sa.Column('fare_cents', _BIG, nullable=False),
    sa.Column('subsidy_cents', _BIG, nullable=False),
    sa.Column('fare_day', sa.Date(), nullable=False),
    sa.Column('network', sa.String(length=64), nullable=False),
    sa.Column('agency', sa.String(length=64), nullable=False),
    sa.Column('paid_by', sa.String(length=64), nullable=False),
    sa.Column('product', sa.String(length=64), nullable=False),
    sa.CheckConstraint("outcome IN ('refunded', 'refused')", name=op.f('ck_claim_decision_outcome')),
    sa.CheckConstraint("(outcome = 'refunded') = (record_id IS NOT NULL)", name=op.f('ck_claim_decision_record')),
    sa.CheckConstraint("(outcome = 'refunded') = (fare_cents > 0)", name=op.f('ck_claim_decision_fare_cents')),
    sa.CheckConstraint('subsidy_cents >= 0', name=op.f('ck_claim_decision_subsidy_cents')),
    sa.ForeignKeyConstraint(['claim_id'], ['ride_claim.id'], name=op.f('fk_claim_decision_claim_id_ride_claim')),
    sa.PrimaryKeyConstraint('claim_id', name=op.f('pk_claim_decision')),
    sa.UniqueConstraint('record_id', name=op.f('uq_claim_decision_record_id')),
    info={'append_only': ()}
    )
    dialect = op.get_bind().dialect.name
    for table, columns in APPEND_ONLY:
        for statement in db.append_only_ddl(dialect, table, columns):
            op.execute(statement)


def downgrade() -> None:
    for table in ('claim_decision', 'claim_approval', 'ride_claim'):
        op.drop_table(table)
