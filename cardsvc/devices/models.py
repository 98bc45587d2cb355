"""Tables of the terminals. Events, anomalies and policy numbers are history and never change."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from cardsvc.db import Base, Id, append_only

_PORTAL = text("kind = 'portal' AND status = 'enrolled'")


class DeviceRow(Base):
    """An enrolled terminal. `last_sequence` and `last_hash` are the end of its chain of records, 0 and NULL at first.

    The portal is the service itself: nobody invited it, and it has no certificate.
    """

    __tablename__ = "device"
    __table_args__ = (
        CheckConstraint("kind IN ('counter', 'kiosk', 'validator', 'portal')", name="kind_known"),
        CheckConstraint("status IN ('enrolled', 'revoked')", name="status_known"),
        CheckConstraint("(status = 'revoked') = (revoked_at IS NOT NULL)", name="revoked"),
        CheckConstraint("(kind = 'portal') = (certificate IS NULL)", name="certified"),
        CheckConstraint("last_sequence >= 0", name="last_sequence"),
        Index("uq_device_portal", "kind", unique=True, sqlite_where=_PORTAL, postgresql_where=_PORTAL),
    )

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(String(100))
    public_key: Mapped[bytes]
    key_id: Mapped[bytes] = mapped_column(unique=True)
    certificate: Mapped[bytes | None]
    status: Mapped[str] = mapped_column(String(10))
    invited_by: Mapped[UUID | None]
    enrolled_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    last_sequence: Mapped[int]
    last_hash: Mapped[bytes | None]


class DeviceInviteRow(Base):
    """A code that one terminal may enrol with. The code itself is kept nowhere."""

    __tablename__ = "device_invite"
    __table_args__ = (
        CheckConstraint("kind IN ('counter', 'kiosk', 'validator')", name="kind_known"),
        CheckConstraint("(used_at IS NULL) = (device_id IS NULL)", name="used"),
    )

    code_hash: Mapped[bytes] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(String(100))
    invited_by: Mapped[UUID]
    invited_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    device_id: Mapped[UUID | None] = mapped_column(Id, ForeignKey("device.id"))


class DeviceEventRow(Base):
    """What became of a terminal: who did it, when and why. `actor` is NULL where the service did it."""

    __tablename__ = "device_event"

    device_id: Mapped[UUID] = mapped_column(Id, ForeignKey("device.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    status: Mapped[str] = mapped_column(String(10))
    actor: Mapped[UUID | None]
    at: Mapped[datetime]
    reason: Mapped[str | None] = mapped_column(String(200))


class DeviceAnomalyRow(Base):
    """A gap or a fork in a terminal's chain, seen when the record came that showed it."""

    __tablename__ = "device_anomaly"
    __table_args__ = (
        CheckConstraint("kind IN ('gap', 'fork')", name="kind_known"),
        CheckConstraint("until_sequence >= sequence", name="until"),
    )

    device_id: Mapped[UUID] = mapped_column(Id, ForeignKey("device.id"), primary_key=True)
    record_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    sequence: Mapped[int]
    until_sequence: Mapped[int]
    seen_at: Mapped[datetime]


class DeviceMissingRow(Base):
    """Records of a terminal's chain that have not come yet, from `sequence` to `until_sequence`. It shrinks, is parted
    and goes as they come late.
    """

    __tablename__ = "device_missing"
    __table_args__ = (CheckConstraint("until_sequence >= sequence", name="until"),)

    device_id: Mapped[UUID] = mapped_column(Id, ForeignKey("device.id"), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    until_sequence: Mapped[int]
    since: Mapped[datetime]


class DeviceFilledRow(Base):
    """A record that came late, into a gap: `since` is when the gap was seen, `filled_at` when it came."""

    __tablename__ = "device_filled"

    device_id: Mapped[UUID] = mapped_column(Id, ForeignKey("device.id"), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    record_id: Mapped[UUID]
    since: Mapped[datetime]
    filled_at: Mapped[datetime]


class DeviceForkRow(Base):
    """Two records of which a whole chain has one. `other_id` and `other_hash` are the one that was there: at the same
    place (`why` is place), or before it under another hash than the new one names (`why` is previous).
    """

    __tablename__ = "device_fork"
    __table_args__ = (CheckConstraint("why IN ('place', 'previous')", name="why_known"),)

    device_id: Mapped[UUID] = mapped_column(Id, ForeignKey("device.id"), primary_key=True)
    record_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    other_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    sequence: Mapped[int]
    why: Mapped[str] = mapped_column(String(8))
    record_hash: Mapped[bytes]
    other_hash: Mapped[bytes]
    seen_at: Mapped[datetime]


class PolicyNumberRow(Base):
    """Which content a policy number stood for. The number grows when the content changes, and never comes back."""

    __tablename__ = "policy_number"
    __table_args__ = (CheckConstraint("number >= 1", name="number"),)

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content_hash: Mapped[bytes]
    first_issued_at: Mapped[datetime]
    deny_number: Mapped[int | None]  # NULL in policies that carried their deny list themselves


class DenyListRow(Base):
    """A published deny list. `content_hash` is `DenyList.hash`; `action_id` what two people signed for it, if they did.

    The entries of list n are what the changes up to n lead to.
    """

    __tablename__ = "deny_list"
    __table_args__ = (
        CheckConstraint("number >= 1", name="number"),
        CheckConstraint("cards_added >= 0", name="cards_added"),
        Index("ix_deny_list_issued_at", "issued_at"),
    )

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    issued_at: Mapped[datetime]
    content_hash: Mapped[bytes]
    cards_added: Mapped[int]
    action_id: Mapped[UUID | None]


class DenyChangeRow(Base):
    """That an entry (a card id, a key id) came onto the list with a number, or left it."""

    __tablename__ = "deny_change"
    __table_args__ = (
        CheckConstraint("kind IN ('card', 'key')", name="kind_known"),
        Index("ix_deny_change_number", "number"),
    )

    kind: Mapped[str] = mapped_column(String(4), primary_key=True)
    entry: Mapped[bytes] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(ForeignKey("deny_list.number"), primary_key=True, autoincrement=False)
    denied: Mapped[bool]


class DenyHeldRow(Base):
    """A card that was denied together with too many others: off the list until two people sign for it."""

    __tablename__ = "deny_held"

    card_id: Mapped[bytes] = mapped_column(primary_key=True)
    held_at: Mapped[datetime]


class DenyOwingRow(Base):
    """That a card owed a fare on the lists from `number` up to `until_number`, excluded; NULL: on the newest too.

    It is no history: a row goes when no step begins at a list that it was on (`OWING_KEPT`).
    """

    __tablename__ = "deny_owing"
    __table_args__ = (Index("ix_deny_owing_until_number", "until_number"),)

    card_id: Mapped[bytes] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(ForeignKey("deny_list.number"), primary_key=True, autoincrement=False)
    until_number: Mapped[int | None] = mapped_column(ForeignKey("deny_list.number"))


class RevocationListRow(Base):
    """A certificate revocation list that an authority signed (RFC 5280 5). `authority` is its subject key identifier.

    `content_hash` is over what is revoked, so that a list is made anew only when that changed or its time runs out.
    """

    __tablename__ = "revocation_list"
    __table_args__ = (CheckConstraint("number >= 1", name="number"),)

    authority: Mapped[bytes] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    this_update: Mapped[datetime]
    next_update: Mapped[datetime]
    content_hash: Mapped[bytes]
    der: Mapped[bytes]


append_only(DeviceEventRow.__table__)
append_only(DeviceAnomalyRow.__table__)
append_only(DeviceFilledRow.__table__)
append_only(DeviceForkRow.__table__)
append_only(PolicyNumberRow.__table__)
append_only(DenyListRow.__table__)
append_only(DenyChangeRow.__table__)
