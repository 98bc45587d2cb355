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

# Tables whose rows the database itself keeps.
APPEND_ONLY = {
    'resident_imported': ['import_id', 'line', 'outcome', 'resident_id'],
    'resident_look': ['id', 'resident_id', 'at', 'actor', 'actor_name', 'role', 'device_id', 'purpose', 'fields'],
    'resident_merge': ['id', 'kind', 'resident_id', 'into_id', 'at', 'actor', 'reason', 'score', 'why'],
}

# Of a photo that another one followed, the content goes; that it was there stays.
PHOTO = [
    'resident_id', 'number', 'media_type', 'width', 'height', 'content_hash', 'content', 'stored_at', 'stored_by',
]


def upgrade() -> None:
    op.create_table('resident_import',
    sa.Column('id', db.Id(), nullable=False),
    sa.Column('file_hash', sa.LargeBinary(length=32), nullable=False),
    sa.Column('file_name', sa.String(length=200), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('line_done', sa.Integer(), nullable=False),
    sa.Column('registered', sa.Integer(), nullable=False),
    sa.Column('known', sa.Integer(), nullable=False),
    sa.Column('merged', sa.Integer(), nullable=False),
    sa.Column('review', sa.Integer(), nullable=False),
    sa.Column('refused', sa.Integer(), nullable=False),
    sa.Column('began_at', db.UtcDateTime(), nullable=False),
    sa.Column('began_by', db.Id(), nullable=False),
    sa.Column('ended_at', db.UtcDateTime(), nullable=True),
    sa.CheckConstraint("state IN ('running', 'done')", name=op.f('ck_resident_import_state_known')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_resident_import')),
    sa.UniqueConstraint('file_hash', name=op.f('uq_resident_import_file_hash'))
    )
    op.create_table('resident_alias',
    sa.Column('resident_id', db.Id(), nullable=False),
    sa.Column('into_id', db.Id(), nullable=False),
    sa.CheckConstraint('resident_id <> into_id', name=op.f('ck_resident_alias_two_people')),
    sa.ForeignKeyConstraint(['into_id'], ['resident.id'], name=op.f('fk_resident_alias_into_id_resident')),
    sa.ForeignKeyConstraint(['resident_id'], ['resident.id'], name=op.f('fk_resident_alias_resident_id_resident')),
    sa.PrimaryKeyConstraint('resident_id', name=op.f('pk_resident_alias'))
    )
    with op.batch_alter_table('resident_alias', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_resident_alias_into_id'), ['into_id'], unique=False)

    op.create_table('resident_block',
    sa.Column('key', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('resident_id', db.Id(), nullable=False),
    sa.ForeignKeyConstraint(['resident_id'], ['resident.id'], name=op.f('fk_resident_block_resident_id_resident')),
    sa.PrimaryKeyConstraint('key', 'resident_id', name=op.f('pk_resident_block'))
    )
    with op.batch_alter_table('resident_block', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_resident_block_resident_id'), ['resident_id'], unique=False)

    op.create_table('resident_imported',
    sa.Column('import_id', db.Id(), nullable=False),
    sa.Column('line', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('outcome', sa.String(length=10), nullable=False),
    sa.Column('resident_id', db.Id(), nullable=False),
    sa.CheckConstraint("outcome IN ('registered', 'known', 'merged', 'review')", name=op.f('ck_resident_imported_outcome_known')),
    sa.ForeignKeyConstraint(['import_id'], ['resident_import.id'], name=op.f('fk_resident_imported_import_id_resident_import')),
    sa.ForeignKeyConstraint(['resident_id'], ['resident.id'], name=op.f('fk_resident_imported_resident_id_resident')),
    sa.PrimaryKeyConstraint('import_id', 'line', name=op.f('pk_resident_imported')),
    info={'append_only': ()}
    )
    with op.batch_alter_table('resident_imported', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_resident_imported_resident_id'), ['resident_id'], unique=False)

    op.create_table('resident_look',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('resident_id', db.Id(), nullable=False),
    sa.Column('at', db.UtcDateTime(), nullable=False),
    sa.Column('actor', db.Id(), nullable=False),
    sa.Column('actor_name', sa.String(length=100), nullable=False),
    sa.Column('role', sa.String(length=100), nullable=False),
    sa.Column('device_id', db.Id(), nullable=True),
    sa.Column('purpose', sa.String(length=200), nullable=False),
    sa.Column('fields', sa.String(length=200), nullable=False),
    sa.ForeignKeyConstraint(['resident_id'], ['resident.id'], name=op.f('fk_resident_look_resident_id_resident')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_resident_look')),
    info={'append_only': ()}
    )
    with op.batch_alter_table('resident_look', schema=None) as batch_op:
        batch_op.create_index('ix_resident_look_resident', ['resident_id', 'id'], unique=False)

    op.create_table('resident_merge',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('resident_id', db.Id(), nullable=False),
    sa.Column('into_id', db.Id(), nullable=False),
    sa.Column('at', db.UtcDateTime(), nullable=False),
    sa.Column('actor', db.Id(), nullable=False),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.Column('score', sa.Integer(), nullable=True),
    sa.Column('why', sa.Text(), nullable=True),
    sa.CheckConstraint("kind IN ('merged', 'parted')", name=op.f('ck_resident_merge_kind_known')),
    sa.ForeignKeyConstraint(['into_id'], ['resident.id'], name=op.f('fk_resident_merge_into_id_resident')),
    sa.ForeignKeyConstraint(['resident_id'], ['resident.id'], name=op.f('fk_resident_merge_resident_id_resident')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_resident_merge')),
    info={'append_only': ()}
    )
    with op.batch_alter_table('resident_merge', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_resident_merge_into_id'), ['into_id'], unique=False)
        batch_op.create_index('ix_resident_merge_resident', ['resident_id', 'id'], unique=False)

    op.create_table('resident_pair',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('first_id', db.Id(), nullable=False),
    sa.Column('second_id', db.Id(), nullable=False),
    sa.Column('score', sa.Integer(), nullable=False),
    sa.Column('why', sa.Text(), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('found_at', db.UtcDateTime(), nullable=False),
    sa.Column('import_id', db.Id(), nullable=True),
    sa.Column('decided_at', db.UtcDateTime(), nullable=True),
    sa.Column('decided_by', db.Id(), nullable=True),
    sa.Column('reason', sa.String(length=200), nullable=True),
    sa.CheckConstraint("(state = 'open') = (decided_at IS NULL) AND (decided_at IS NULL) = (decided_by IS NULL)", name=op.f('ck_resident_pair_decided')),
    sa.CheckConstraint("state IN ('open', 'merged', 'distinct')", name=op.f('ck_resident_pair_state_known')),
    sa.CheckConstraint('first_id < second_id', name=op.f('ck_resident_pair_ordered')),
    sa.ForeignKeyConstraint(['first_id'], ['resident.id'], name=op.f('fk_resident_pair_first_id_resident')),
    sa.ForeignKeyConstraint(['import_id'], ['resident_import.id'], name=op.f('fk_resident_pair_import_id_resident_import')),
    sa.ForeignKeyConstraint(['second_id'], ['resident.id'], name=op.f('fk_resident_pair_second_id_resident')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_resident_pair')),
    sa.UniqueConstraint('first_id', 'second_id', name=op.f('uq_resident_pair_first_id_second_id'))
    )
    with op.batch_alter_table('resident_pair', schema=None) as batch_op:
        batch_op.create_index('ix_resident_pair_open', ['state', 'score', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_resident_pair_second_id'), ['second_id'], unique=False)

    op.create_table('resident_photo',
    sa.Column('resident_id', db.Id(), nullable=False),
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('media_type', sa.String(length=20), nullable=False),
    sa.Column('width', sa.Integer(), nullable=False),
    sa.Column('height', sa.Integer(), nullable=False),
    sa.Column('content_hash', sa.LargeBinary(length=32), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=True),
    sa.Column('stored_at', db.UtcDateTime(), nullable=False),
    sa.Column('stored_by', db.Id(), nullable=False),
    sa.CheckConstraint("media_type IN ('image/jpeg', 'image/png')", name=op.f('ck_resident_photo_media_type_known')),
    sa.ForeignKeyConstraint(['resident_id'], ['resident.id'], name=op.f('fk_resident_photo_resident_id_resident')),
    sa.PrimaryKeyConstraint('resident_id', 'number', name=op.f('pk_resident_photo'))
    )

    connection = op.get_bind()
    for table, columns in APPEND_ONLY.items():
        for statement in db.append_only_ddl(connection.dialect.name, table, columns):
            connection.exec_driver_sql(statement)
    for statement in db.append_only_ddl(connection.dialect.name, 'resident_photo', PHOTO, ['content']):
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    op.drop_table('resident_photo')
    with op.batch_alter_table('resident_pair', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_resident_pair_second_id'))
        batch_op.drop_index('ix_resident_pair_open')

    op.drop_table('resident_pair')
    with op.batch_alter_table('resident_merge', schema=None) as batch_op:
        batch_op.drop_index('ix_resident_merge_resident')
        batch_op.drop_index(batch_op.f('ix_resident_merge_into_id'))

    op.drop_table('resident_merge')
    with op.batch_alter_table('resident_look', schema=None) as batch_op:
        batch_op.drop_index('ix_resident_look_resident')

    op.drop_table('resident_look')
    with op.batch_alter_table('resident_imported', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_resident_imported_resident_id'))

    op.drop_table('resident_imported')
    with op.batch_alter_table('resident_block', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_resident_block_resident_id'))

    op.drop_table('resident_block')
    with op.batch_alter_table('resident_alias', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_resident_alias_into_id'))

    op.drop_table('resident_alias')
    op.drop_table('resident_import')
