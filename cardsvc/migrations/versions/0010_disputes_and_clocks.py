"""disputes and clocks of terminals, their chains in full, passkeys that sign, roles at the time of signing

Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

from cardsvc import db

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
_DISPUTE = ['record_id', 'device_id', 'kind', 'reason', 'happened_at', 'received_at', 'offset_ms', 'amount_cents', 'currency',
            'card_id', 'resident_id']
# Tables whose rows the database itself keeps: name, columns.
APPEND_ONLY = [
    ('dispute', _DISPUTE),
    ('dispute_approval', ['record_id', 'action_id', 'decision', 'approved_at']),
    ('dispute_decision', ['record_id', 'outcome', 'why', 'decided_by', 'decided_at', 'settled_by', 'action_id']),
    ('device_filled', ['device_id', 'sequence', 'record_id', 'since', 'filled_at']),
    ('device_fork', ['device_id', 'record_id', 'other_id', 'sequence', 'why', 'record_hash', 'other_hash', 'seen_at']),
    ('passkey_key', ['key_id', 'credential_id', 'public_key', 'resident_id', 'origin', 'kept_at']),
]


def upgrade() -> None:
    op.add_column('batch', sa.Column('sent_at', db.UtcDateTime(), nullable=True))
    op.create_index('ix_batch_device_received', 'batch', ['device_id', 'received_at'], unique=False)
    op.add_column('action_signature', sa.Column('roles', sa.Text(), nullable=True))
    _make_disputes()
    _make_chains()
    op.create_table('passkey_key',
    sa.Column('key_id', sa.LargeBinary(), nullable=False),
    sa.Column('credential_id', sa.LargeBinary(), nullable=False),
    sa.Column('public_key', sa.LargeBinary(), nullable=False),
    sa.Column('resident_id', db.Id(), nullable=False),
    sa.Column('origin', sa.Text(), nullable=False),
    sa.Column('kept_at', db.UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('key_id', name=op.f('pk_passkey_key')),
    sa.UniqueConstraint('credential_id', name=op.f('uq_passkey_key_credential_id')),
    info={'append_only': ()}
    )
    op.create_index(op.f('ix_passkey_key_resident_id'), 'passkey_key', ['resident_id'], unique=False)
    dialect = op.get_bind().dialect.name
    for table, columns in APPEND_ONLY:
        for statement in db.append_only_ddl(dialect, table, columns):
            op.execute(statement)


def _make_disputes() -> None:
    op.create_table('dispute',
    sa.Column('record_id', db.Id(), nullable=False),
    sa.Column('device_id', db.Id(), nullable=False),
    sa.Column('kind', _BIG, nullable=False),
    sa.Column('reason', sa.String(length=40), nullable=False),
    sa.Column('happened_at', db.UtcDateTime(), nullable=False),
    sa.Column('received_at', db.UtcDateTime(), nullable=False),
    sa.Column('offset_ms', sa.BigInteger(), nullable=True),
    sa.Column('amount_cents', sa.BigInteger(), nullable=True),
    sa.Column('currency', sa.String(length=3), nullable=True),
    sa.Column('card_id', db.Id(), nullable=True),
    sa.Column('resident_id', db.Id(), nullable=True),
    sa.ForeignKeyConstraint(['record_id'], ['transaction.record_id'], name=op.f('fk_dispute_record_id_transaction')),
    sa.PrimaryKeyConstraint('record_id', name=op.f('pk_dispute')),
    info={'append_only': ()}
    )
    op.create_index('ix_dispute_received', 'dispute', ['received_at', 'record_id'], unique=False)
    op.create_table('dispute_approval',
    sa.Column('record_id', db.Id(), nullable=False),
    sa.Column('action_id', db.Id(), nullable=False),
    sa.Column('decision', sa.String(length=8), nullable=False),
    sa.Column('approved_at', db.UtcDateTime(), nullable=False),
    sa.CheckConstraint("decision IN ('settle', 'refuse')", name=op.f('ck_dispute_approval_decision')),
    sa.ForeignKeyConstraint(['record_id'], ['dispute.record_id'], name=op.f('fk_dispute_approval_record_id_dispute')),
    sa.PrimaryKeyConstraint('record_id', 'action_id', name=op.f('pk_dispute_approval')),
    info={'append_only': ()}
    )
    op.create_table('dispute_decision',
    sa.Column('record_id', db.Id(), nullable=False),
    sa.Column('outcome', sa.String(length=8), nullable=False),
    sa.Column('why', sa.String(length=400), nullable=False),
    sa.Column('decided_by', db.Id(), nullable=False),
    sa.Column('decided_at', db.UtcDateTime(), nullable=False),
    sa.Column('settled_by', db.Id(), nullable=True),
    sa.Column('action_id', db.Id(), nullable=True),
    sa.CheckConstraint("(outcome = 'settled') = (settled_by IS NOT NULL)", name=op.f('ck_dispute_decision_settled_by')),
    sa.CheckConstraint("outcome IN ('settled', 'refused')", name=op.f('ck_dispute_decision_outcome')),
    sa.ForeignKeyConstraint(['record_id'], ['dispute.record_id'], name=op.f('fk_dispute_decision_record_id_dispute')),
    sa.PrimaryKeyConstraint('record_id', name=op.f('pk_dispute_decision')),
    sa.UniqueConstraint('settled_by', name=op.f('uq_dispute_decision_settled_by')),
    info={'append_only': ()}
    )


def _make_chains() -> None:
    op.create_table('device_missing',
    sa.Column('device_id', db.Id(), nullable=False),
    sa.Column('sequence', _BIG, autoincrement=False, nullable=False),
    sa.Column('until_sequence', _BIG, nullable=False),
    sa.Column('since', db.UtcDateTime(), nullable=False),
    sa.CheckConstraint('until_sequence >= sequence', name=op.f('ck_device_missing_until')),
    sa.ForeignKeyConstraint(['device_id'], ['device.id'], name=op.f('fk_device_missing_device_id_device')),
    sa.PrimaryKeyConstraint('device_id', 'sequence', name=op.f('pk_device_missing'))
    )
    op.create_table('device_filled',
    sa.Column('device_id', db.Id(), nullable=False),
    sa.Column('sequence', _BIG, autoincrement=False, nullable=False),
    sa.Column('record_id', db.Id(), nullable=False),
    sa.Column('since', db.UtcDateTime(), nullable=False),
    sa.Column('filled_at', db.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['device_id'], ['device.id'], name=op.f('fk_device_filled_device_id_device')),
    sa.PrimaryKeyConstraint('device_id', 'sequence', name=op.f('pk_device_filled')),
    info={'append_only': ()}
    )
    op.create_table('device_fork',
    sa.Column('device_id', db.Id(), nullable=False),
    sa.Column('record_id', db.Id(), nullable=False),
    sa.Column('other_id', db.Id(), nullable=False),
    sa.Column('sequence', _BIG, nullable=False),
    sa.Column('why', sa.String(length=8), nullable=False),
    sa.Column('record_hash', sa.LargeBinary(), nullable=False),
    sa.Column('other_hash', sa.LargeBinary(), nullable=False),
    sa.Column('seen_at', db.UtcDateTime(), nullable=False),
    sa.CheckConstraint("why IN ('place', 'previous')", name=op.f('ck_device_fork_why_known')),
    sa.ForeignKeyConstraint(['device_id'], ['device.id'], name=op.f('fk_device_fork_device_id_device')),
    sa.PrimaryKeyConstraint('device_id', 'record_id', 'other_id', name=op.f('pk_device_fork')),
    info={'append_only': ()}
    )
    # Gaps that were seen before this revision: which of their records came late nobody noted, so all of each is asked for.
    op.execute(
        'INSERT INTO device_missing (device_id, sequence, until_sequence, since) '
        'SELECT device_id, sequence, max(until_sequence), min(seen_at) FROM device_anomaly '
        "WHERE kind = 'gap' GROUP BY device_id, sequence"
    )


def downgrade() -> None:
    for table in ('passkey_key', 'device_fork', 'device_filled', 'device_missing', 'dispute_decision', 'dispute_approval', 'dispute'):
        op.drop_table(table)
    op.drop_column('action_signature', 'roles')
    op.drop_index('ix_batch_device_received', 'batch')
    op.drop_column('batch', 'sent_at')
