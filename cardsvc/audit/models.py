"""The log's tables. All of them only grow; a leaf's salt may be erased, which leaves the log valid.

`shard` is 0 until there are several logs; every key begins with it, so that there can be.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from cardsvc.db import Base, append_only


class LogLeaf(Base):
    __tablename__ = "log_leaf"

    shard: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    leaf_index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    record_id: Mapped[UUID] = mapped_column(unique=True)
    leaf_hash: Mapped[bytes]
    commitment: Mapped[bytes]
    salt: Mapped[bytes | None]


class LogNode(Base):
    """The root of a full tile. Level 1 has the roots of 256 leaves, level 2 of 65,536; the rest is computed."""

    __tablename__ = "log_node"

    shard: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    idx: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[bytes]


class CheckpointRow(Base):
    """A signed head of the log, as it was handed out."""

    __tablename__ = "checkpoint"

    shard: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    tree_size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    root: Mapped[bytes]
    note: Mapped[str]
    published_at: Mapped[datetime]


class CosignatureRow(Base):
    """What a witness signed under a checkpoint. `vkey` is its name and key, `line` what stands in the note."""

    __tablename__ = "cosignature"

    shard: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    tree_size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    vkey: Mapped[str] = mapped_column(primary_key=True)
    line: Mapped[str]
    signed_at: Mapped[datetime]


class LogRecoveryRow(Base):
    """A history that was lost, by the word of two people: from `tree_size` on the log goes by another name.

    `lost` is the signed head that was given up; empty where only the file that kept it was lost.
    """

    __tablename__ = "log_recovery"

    action_id: Mapped[UUID] = mapped_column(primary_key=True)
    origin: Mapped[str]
    tree_size: Mapped[int]
    root: Mapped[bytes]
    lost: Mapped[str]
    reason: Mapped[str]
    recovered_at: Mapped[datetime]


append_only(LogLeaf.__table__, erasable=["salt"])
append_only(LogNode.__table__)
append_only(CheckpointRow.__table__)
append_only(CosignatureRow.__table__)
append_only(LogRecoveryRow.__table__)
