"""prices of cards: what a kind of issue costs from a day on, what was paid for an order, what was waived

Revises: 0018
"""

import sqlalchemy as sa
from alembic import op

from cardsvc import db

revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
_ISSUES = "issue IN ('damaged', 'deceased', 'first', 'fraud', 'lost', 'moved', 'renewal', 'stolen', 'withdrawn')"


def upgrade() -> None:
    # without a row every card is free, as it was before: orders that are under way go on as they were
    price = op.create_table('card_price',
    sa.Column('action_id', db.Id(), nullable=False),
    sa.Column('issue', sa.String(length=12), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('amount_cents', _BIG, nullable=False),
    sa.Column('set_at', db.UtcDateTime(), nullable=False),
    sa.CheckConstraint(_ISSUES, name=op.f('ck_card_price_issue_known')),
    sa.CheckConstraint('amount_cents >= 0', name=op.f('ck_card_price_amount_cents')),
    sa.PrimaryKeyConstraint('action_id', name=op.f('pk_card_price')),
    info={'append_only': ()}
    )
    payment = op.create_table('card_payment',
    sa.Column('record_id', db.Id(), nullable=False),
    sa.Column('card_id', db.Id(), nullable=False),
    sa.Column('shift_id', db.Id(), nullable=False),
    sa.Column('amount_cents', _BIG, nullable=False),
    sa.Column('taken_at', db.UtcDateTime(), nullable=False),
    sa.CheckConstraint('amount_cents > 0', name=op.f('ck_card_payment_amount_cents')),
    sa.ForeignKeyConstraint(['card_id'], ['card.id'], name=op.f('fk_card_payment_card_id_card')),
    sa.PrimaryKeyConstraint('record_id', name=op.f('pk_card_payment')),
    info={'append_only': ()}
    )
    op.create_index('ix_card_payment_card_id', 'card_payment', ['card_id'], unique=False)
    op.create_index('ix_card_payment_shift_id', 'card_payment', ['shift_id'], unique=False)
    waiver = op.create_table('card_waiver',
    sa.Column('card_id', db.Id(), nullable=False),
    sa.Column('action_id', db.Id(), nullable=False),
    sa.Column('waived_at', db.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['card_id'], ['card.id'], name=op.f('fk_card_waiver_card_id_card')),
    sa.PrimaryKeyConstraint('card_id', name=op.f('pk_card_waiver')),
    sa.UniqueConstraint('action_id', name=op.f('uq_card_waiver_action_id')),
    info={'append_only': ()}
    )
    for table in (price, payment, waiver):
        for statement in db.append_only_ddl(op.get_bind().dialect.name, table.name, [c.name for c in table.columns]):
            op.execute(statement)


def downgrade() -> None:
    for table in ('card_waiver', 'card_payment', 'card_price'):
        op.drop_table(table)
