"""the life of cards

Revises: 0001
"""

import sqlalchemy as sa
from alembic import op
from cryptography import x509

from cardsvc import db

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
_REASONS = "revoked_reason IN ('damaged', 'deceased', 'fraud', 'lost', 'moved', 'stolen', 'superseded', 'withdrawn')"
_CHUNK = 1000

APPEND_ONLY = [
    ('blank_event', ['serial', 'number', 'to_state', 'card_id', 'actor', 'at', 'reason', 'note']),
    ('card_bulk_item', ['bulk_id', 'card_id']),
]
REFUSED = [
    (
        'card',
        'stays_stopped',
        "OLD.state IN ('revoked', 'expired', 'destroyed') AND NEW.state NOT IN (OLD.state, 'destroyed')",
        'a stopped card stays stopped',
    ),
    (
        'blank',
        'stays_away',
        "OLD.state IN ('spoiled', 'returned') AND NEW.state <> OLD.state",
        'a blank that was spoiled or returned is not stock again',
    ),
]


def upgrade() -> None:
    _new_columns()
    _fill()
    _new_constraints()
    _objects_and_keys()
    _stock()
    _bulk()
    connection = op.get_bind()
    for table, columns in APPEND_ONLY:
        for statement in db.append_only_ddl(connection.dialect.name, table, columns):
            connection.exec_driver_sql(statement)
    for table, name, when, message in REFUSED:
        for statement in db.refuse_ddl(connection.dialect.name, table, name, 'UPDATE', when=when, message=message):
            connection.exec_driver_sql(statement)


def _new_columns() -> None:
    op.add_column('card', sa.Column('state_since', db.UtcDateTime(), nullable=True))
    op.add_column('card', sa.Column('order_kind', sa.String(length=12), server_default='first', nullable=False))
    op.add_column('card', sa.Column('replaces', db.Id(), nullable=True))
    op.add_column('card', sa.Column('authority', sa.LargeBinary(), nullable=True))
    op.add_column('card', sa.Column('management_algorithm', _BIG, nullable=True))
    op.add_column('card', sa.Column('management_key', sa.String(length=12), nullable=True))
    op.add_column('card', sa.Column('terminal_id', db.Id(), nullable=True))


def _fill() -> None:
    """Since when each card is as it is: from its history. Who certified it: from its certificates, so that the cards of
    a weak authority are found whenever they were made.
    """
    op.execute(
        'UPDATE card SET state_since = coalesce('
        '(SELECT max(card_event.at) FROM card_event WHERE card_event.card_id = card.id), requested_at)'
    )
    connection = op.get_bind()
    certificates = sa.text("SELECT card_id, certificate FROM card_key WHERE active AND slot = '9E'")
    found = [
        {'id': card_id, 'authority': _authority(bytes(certificate))}
        for card_id, certificate in connection.execute(certificates)
    ]
    for start in range(0, len(found), _CHUNK):
        connection.execute(sa.text('UPDATE card SET authority = :authority WHERE id = :id'), found[start : start + _CHUNK])
    op.execute("UPDATE card SET management_key = 'diversified' WHERE handed_over_at IS NOT NULL")


def _authority(certificate: bytes) -> bytes | None:
    try:
        found = x509.load_der_x509_certificate(certificate).extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    except (ValueError, x509.ExtensionNotFound):
        return None
    return found.value.key_identifier


def _new_constraints() -> None:
    with op.batch_alter_table('card', schema=None) as batch_op:
        batch_op.alter_column('state_since', existing_type=db.UtcDateTime(), nullable=False)
        batch_op.drop_constraint(op.f('ck_card_revoked_reason_known'), type_='check')
        batch_op.create_check_constraint(op.f('ck_card_revoked_reason_known'), _REASONS)
        batch_op.create_check_constraint(
            op.f('ck_card_order_kind_known'), "order_kind IN ('first', 'renewal', 'replacement')"
        )
        batch_op.create_check_constraint(
            op.f('ck_card_replaces_a_card'), "(order_kind = 'first') = (replaces IS NULL)"
        )
        batch_op.create_check_constraint(op.f('ck_card_replaces_another'), 'replaces <> id')
        batch_op.create_check_constraint(
            op.f('ck_card_management_key_known'), "management_key IN ('diversified', 'kept')"
        )
        batch_op.create_foreign_key(op.f('fk_card_replaces_card'), 'card', ['replaces'], ['id'])
        batch_op.create_index('ix_card_state_since', ['state', 'state_since'], unique=False)
        batch_op.create_index(batch_op.f('ix_card_replaces'), ['replaces'], unique=False)


def _objects_and_keys() -> None:
    op.create_index('ix_card_event_at', 'card_event', ['at'], unique=False)
    op.create_table('card_object',
    sa.Column('card_id', db.Id(), nullable=False),
    sa.Column('tag', sa.String(length=6), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['card_id'], ['card.id'], name=op.f('fk_card_object_card_id_card')),
    sa.PrimaryKeyConstraint('card_id', 'tag', name=op.f('pk_card_object'))
    )
    op.create_index('ix_card_key_superseded', 'card_key', ['not_after'], unique=False, sqlite_where=sa.text('NOT active'), postgresql_where=sa.text('NOT active'))


def _stock() -> None:
    op.create_table('blank_batch',
    sa.Column('id', db.Id(), nullable=False),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('product', sa.String(length=40), nullable=False),
    sa.Column('delivered_by', sa.String(length=120), nullable=False),
    sa.Column('delivered_on', sa.Date(), nullable=False),
    sa.Column('delivered', _BIG, nullable=False),
    sa.Column('transport_key_reference', sa.String(length=120), nullable=True),
    sa.Column('file_hash', sa.LargeBinary(length=32), nullable=False),
    sa.Column('taken_in_by', db.Id(), nullable=False),
    sa.Column('taken_in_at', db.UtcDateTime(), nullable=False),
    sa.CheckConstraint('delivered >= 1', name=op.f('ck_blank_batch_delivered')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_blank_batch')),
    sa.UniqueConstraint('file_hash', name=op.f('uq_blank_batch_file_hash')),
    sa.UniqueConstraint('name', name=op.f('uq_blank_batch_name'))
    )
    op.create_table('blank',
    sa.Column('serial', sa.String(length=64), nullable=False),
    sa.Column('batch_id', db.Id(), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('card_id', db.Id(), nullable=True),
    sa.CheckConstraint("state IN ('in_stock', 'returned', 'spoiled', 'used')", name=op.f('ck_blank_state_known')),
    sa.CheckConstraint("state <> 'used' OR card_id IS NOT NULL", name=op.f('ck_blank_used_for_a_card')),
    sa.CheckConstraint("state NOT IN ('in_stock', 'returned') OR card_id IS NULL", name=op.f('ck_blank_unused')),
    sa.ForeignKeyConstraint(['batch_id'], ['blank_batch.id'], name=op.f('fk_blank_batch_id_blank_batch')),
    sa.ForeignKeyConstraint(['card_id'], ['card.id'], name=op.f('fk_blank_card_id_card')),
    sa.PrimaryKeyConstraint('serial', name=op.f('pk_blank'))
    )
    op.create_index('ix_blank_batch', 'blank', ['batch_id', 'state'], unique=False)
    op.create_index('uq_blank_card_id_used', 'blank', ['card_id'], unique=True, sqlite_where=sa.text("state = 'used'"), postgresql_where=sa.text("state = 'used'"))
    op.create_table('blank_event',
    sa.Column('serial', sa.String(length=64), nullable=False),
    sa.Column('number', _BIG, autoincrement=False, nullable=False),
    sa.Column('to_state', sa.String(length=10), nullable=False),
    sa.Column('card_id', db.Id(), nullable=True),
    sa.Column('actor', db.Id(), nullable=False),
    sa.Column('at', db.UtcDateTime(), nullable=False),
    sa.Column('reason', sa.String(length=20), nullable=True),
    sa.Column('note', sa.String(length=200), nullable=True),
    sa.ForeignKeyConstraint(['serial'], ['blank.serial'], name=op.f('fk_blank_event_serial_blank')),
    sa.PrimaryKeyConstraint('serial', 'number', name=op.f('pk_blank_event'))
    )
    op.create_index('ix_blank_event_to_state', 'blank_event', ['to_state', 'at'], unique=False)


def _bulk() -> None:
    op.create_table('card_bulk',
    sa.Column('id', db.Id(), nullable=False),
    sa.Column('kind', sa.String(length=10), nullable=False),
    sa.Column('reason', sa.String(length=150), nullable=False),
    sa.Column('revoked_reason', sa.String(length=20), nullable=True),
    sa.Column('criteria', sa.Text(), nullable=False),
    sa.Column('card_count', _BIG, nullable=False),
    sa.Column('list_hash', sa.LargeBinary(length=32), nullable=False),
    sa.Column('proposed_by', db.Id(), nullable=False),
    sa.Column('proposed_at', db.UtcDateTime(), nullable=False),
    sa.Column('approved_by', db.Id(), nullable=True),
    sa.Column('executed_at', db.UtcDateTime(), nullable=True),
    sa.Column('changed', _BIG, nullable=True),
    sa.CheckConstraint("kind IN ('resume', 'revoke', 'suspend')", name=op.f('ck_card_bulk_kind_known')),
    sa.CheckConstraint('approved_by <> proposed_by', name=op.f('ck_card_bulk_approver_differs')),
    sa.CheckConstraint('(approved_by IS NULL) = (executed_at IS NULL) AND (executed_at IS NULL) = (changed IS NULL)', name=op.f('ck_card_bulk_executed')),
    sa.CheckConstraint("(kind = 'revoke') = (revoked_reason IS NOT NULL)", name=op.f('ck_card_bulk_revoked_for_a_reason')),
    sa.CheckConstraint('card_count >= 1', name=op.f('ck_card_bulk_card_count')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_card_bulk'))
    )
    op.create_table('card_bulk_item',
    sa.Column('bulk_id', db.Id(), nullable=False),
    sa.Column('card_id', db.Id(), nullable=False),
    sa.ForeignKeyConstraint(['bulk_id'], ['card_bulk.id'], name=op.f('fk_card_bulk_item_bulk_id_card_bulk')),
    sa.ForeignKeyConstraint(['card_id'], ['card.id'], name=op.f('fk_card_bulk_item_card_id_card')),
    sa.PrimaryKeyConstraint('bulk_id', 'card_id', name=op.f('pk_card_bulk_item')),
    info={'append_only': ()}
    )


def downgrade() -> None:
    for table in ('card_bulk_item', 'card_bulk', 'blank_event', 'blank', 'blank_batch', 'card_object'):
        op.drop_table(table)
    op.drop_index('ix_card_key_superseded', 'card_key')
    op.drop_index('ix_card_event_at', 'card_event')
    if op.get_bind().dialect.name == 'postgresql':
        op.execute('DROP TRIGGER card_stays_stopped ON card')
    else:
        op.execute('DROP TRIGGER card_stays_stopped')
    with op.batch_alter_table('card', schema=None) as batch_op:
        batch_op.drop_index('ix_card_state_since')
        batch_op.drop_index(batch_op.f('ix_card_replaces'))
        batch_op.drop_constraint(op.f('fk_card_replaces_card'), type_='foreignkey')
        for name in ('order_kind_known', 'replaces_a_card', 'replaces_another', 'management_key_known'):
            batch_op.drop_constraint(op.f(f'ck_card_{name}'), type_='check')
        batch_op.drop_constraint(op.f('ck_card_revoked_reason_known'), type_='check')
        batch_op.create_check_constraint(
            op.f('ck_card_revoked_reason_known'),
            "revoked_reason IN ('damaged', 'deceased', 'fraud', 'lost', 'moved', 'stolen', 'withdrawn')",
        )
        for name in (
            'state_since', 'order_kind', 'replaces', 'authority', 'management_algorithm', 'management_key', 'terminal_id'
        ):
            batch_op.drop_column(name)
