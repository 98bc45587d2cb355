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

# (table, columns) that the database itself keeps from changing
APPEND_ONLY = [
    ('action', ['id', 'kind', 'action_bytes', 'proposed_by', 'proposed_at', 'expires_at']),
    ('action_end', ['action_id', 'outcome', 'ended_by', 'ended_at']),
    ('action_signature', ['action_id', 'number', 'staff_id', 'signature', 'signed_at']),
]


def upgrade() -> None:
    op.create_table('access_challenge',
    sa.Column('binding_hash', sa.LargeBinary(), nullable=False),
    sa.Column('purpose', sa.Text(), nullable=False),
    sa.Column('nonce', sa.LargeBinary(), nullable=False),
    sa.Column('subject_id', db.Id(), nullable=True),
    sa.Column('address', sa.Text(), nullable=True),
    sa.Column('expires_at', db.UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('binding_hash', name=op.f('pk_access_challenge'))
    )
    with op.batch_alter_table('access_challenge', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_access_challenge_expires_at'), ['expires_at'], unique=False)

    op.create_table('passkey',
    sa.Column('id', db.Id(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('subject_id', db.Id(), nullable=False),
    sa.Column('credential_id', sa.LargeBinary(), nullable=False),
    sa.Column('public_key', sa.LargeBinary(), nullable=False),
    sa.Column('sign_count', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('added_at', db.UtcDateTime(), nullable=False),
    sa.Column('used_at', db.UtcDateTime(), nullable=True),
    sa.CheckConstraint("kind IN ('staff', 'resident')", name=op.f('ck_passkey_kind')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_passkey')),
    sa.UniqueConstraint('credential_id', name=op.f('uq_passkey_credential_id'))
    )
    with op.batch_alter_table('passkey', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_passkey_subject_id'), ['subject_id'], unique=False)

    op.create_table('action',
    sa.Column('id', db.Id(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('action_bytes', sa.LargeBinary(), nullable=False),
    sa.Column('proposed_by', db.Id(), nullable=False),
    sa.Column('proposed_at', db.UtcDateTime(), nullable=False),
    sa.Column('expires_at', db.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['proposed_by'], ['staff.id'], name=op.f('fk_action_proposed_by_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_action')),
    info={'append_only': ()}
    )
    with op.batch_alter_table('action', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_action_proposed_at'), ['proposed_at'], unique=False)

    op.create_table('staff_card',
    sa.Column('id', db.Id(), nullable=False),
    sa.Column('staff_id', db.Id(), nullable=False),
    sa.Column('card_id', db.Id(), nullable=False),
    sa.Column('sign_in_key_id', sa.LargeBinary(), nullable=False),
    sa.Column('sign_in_key', sa.LargeBinary(), nullable=False),
    sa.Column('signature_key_id', sa.LargeBinary(), nullable=False),
    sa.Column('signature_key', sa.LargeBinary(), nullable=False),
    sa.Column('bound_by', db.Id(), nullable=False),
    sa.Column('bound_at', db.UtcDateTime(), nullable=False),
    sa.Column('unbound_at', db.UtcDateTime(), nullable=True),
    sa.Column('unbound_why', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_staff_card_staff_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_staff_card'))
    )
    with op.batch_alter_table('staff_card', schema=None) as batch_op:
        batch_op.create_index('ix_staff_card_signature_key_id', ['signature_key_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_staff_card_staff_id'), ['staff_id'], unique=False)
        batch_op.create_index('uq_staff_card_sign_in', ['sign_in_key_id'], unique=True, sqlite_where=sa.text('unbound_at IS NULL'), postgresql_where=sa.text('unbound_at IS NULL'))
        batch_op.create_index('uq_staff_card_signature', ['signature_key_id'], unique=True, sqlite_where=sa.text('unbound_at IS NULL'), postgresql_where=sa.text('unbound_at IS NULL'))

    op.create_table('action_end',
    sa.Column('action_id', db.Id(), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('ended_by', db.Id(), nullable=False),
    sa.Column('ended_at', db.UtcDateTime(), nullable=False),
    sa.CheckConstraint("outcome IN ('done', 'withdrawn')", name=op.f('ck_action_end_outcome')),
    sa.ForeignKeyConstraint(['action_id'], ['action.id'], name=op.f('fk_action_end_action_id_action')),
    sa.ForeignKeyConstraint(['ended_by'], ['staff.id'], name=op.f('fk_action_end_ended_by_staff')),
    sa.PrimaryKeyConstraint('action_id', name=op.f('pk_action_end')),
    info={'append_only': ()}
    )
    op.create_table('action_signature',
    sa.Column('action_id', db.Id(), nullable=False),
    sa.Column('number', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('staff_id', db.Id(), nullable=False),
    sa.Column('signature', sa.LargeBinary(), nullable=False),
    sa.Column('signed_at', db.UtcDateTime(), nullable=False),
    sa.CheckConstraint('number IN (1, 2)', name=op.f('ck_action_signature_number')),
    sa.ForeignKeyConstraint(['action_id'], ['action.id'], name=op.f('fk_action_signature_action_id_action')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_action_signature_staff_id_staff')),
    sa.PrimaryKeyConstraint('action_id', 'number', name=op.f('pk_action_signature')),
    sa.UniqueConstraint('action_id', 'staff_id', name=op.f('uq_action_signature_action_id_staff_id')),
    info={'append_only': ()}
    )
    with op.batch_alter_table('sign_in', schema=None) as batch_op:
        batch_op.add_column(sa.Column('method', sa.Text(), nullable=True))
        batch_op.add_column(sa.Column('key_id', sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column('address', sa.Text(), nullable=True))
        batch_op.add_column(sa.Column('agent', sa.Text(), nullable=True))

    with op.batch_alter_table('sign_in_failure', schema=None) as batch_op:
        batch_op.add_column(sa.Column('address', sa.Text(), nullable=True))
        batch_op.create_index(batch_op.f('ix_sign_in_failure_address_at'), ['address', 'at'], unique=False)

    connection = op.get_bind()
    dialect = connection.dialect.name
    for table, columns in APPEND_ONLY:
        for statement in db.append_only_ddl(dialect, table, columns):
            connection.exec_driver_sql(statement)


def downgrade() -> None:
    with op.batch_alter_table('sign_in_failure', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_sign_in_failure_address_at'))
        batch_op.drop_column('address')

    with op.batch_alter_table('sign_in', schema=None) as batch_op:
        batch_op.drop_column('agent')
        batch_op.drop_column('address')
        batch_op.drop_column('key_id')
        batch_op.drop_column('method')

    op.drop_table('action_signature')
    op.drop_table('action_end')
    with op.batch_alter_table('staff_card', schema=None) as batch_op:
        batch_op.drop_index('uq_staff_card_signature', sqlite_where=sa.text('unbound_at IS NULL'), postgresql_where=sa.text('unbound_at IS NULL'))
        batch_op.drop_index('uq_staff_card_sign_in', sqlite_where=sa.text('unbound_at IS NULL'), postgresql_where=sa.text('unbound_at IS NULL'))
        batch_op.drop_index(batch_op.f('ix_staff_card_staff_id'))
        batch_op.drop_index('ix_staff_card_signature_key_id')

    op.drop_table('staff_card')
    with op.batch_alter_table('action', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_action_proposed_at'))

    op.drop_table('action')
    with op.batch_alter_table('passkey', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_passkey_subject_id'))

    op.drop_table('passkey')
    with op.batch_alter_table('access_challenge', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_access_challenge_expires_at'))

    op.drop_table('access_challenge')
