"""Tables of the cards. `card_event` is their history and never changes; keys are kept for ever, so none comes twice."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from cardsvc.cards.rules import HELD, ORDERED, CardState, RevocationReason
from cardsvc.db import Base, Id, append_only


def _one_of(column: str, values: object) -> str:
    assert isinstance(values, type | frozenset)
    return f"{column} IN ({', '.join(sorted(repr(str(value)) for value in values))})"  # type: ignore[union-attr]


_HELD = text(_one_of("state", HELD))
_ORDERED = text(_one_of("state", ORDERED))


class CardRow(Base):
    """A card, from the order to its destruction. `id` is the GUID on the chip: a UUIDv4, as the standard wants it.

    `challenge` is what the keys of the present attempt sign, `readback_challenge` what the finished card signs.
    `blocked_at` is when the card came to a state in which it may not be used; NULL while it may.
    """

    __tablename__ = "card"
    __table_args__ = (
        CheckConstraint(_one_of("state", CardState), name="state_known"),
        CheckConstraint("approved_by <> requested_by", name="approver_differs"),
        CheckConstraint("state = 'requested' OR state = 'revoked' OR approved_by IS NOT NULL", name="approved"),
        CheckConstraint(
            "state NOT IN ('ready', 'active', 'suspended', 'expired') OR chuid IS NOT NULL", name="certified"
        ),
        CheckConstraint("state NOT IN ('active', 'suspended') OR handed_over_at IS NOT NULL", name="handed_over"),
        CheckConstraint("state <> 'revoked' OR revoked_reason IS NOT NULL", name="revoked_for_a_reason"),
        CheckConstraint(
            "(state IN ('suspended', 'revoked', 'expired', 'destroyed')) = (blocked_at IS NOT NULL)", name="blocked"
        ),
        CheckConstraint(_one_of("revoked_reason", RevocationReason), name="revoked_reason_known"),
        CheckConstraint("attempt >= 0", name="attempt"),
        Index("uq_card_resident_id_held", "resident_id", unique=True, sqlite_where=_HELD, postgresql_where=_HELD),
        Index(
            "uq_card_resident_id_ordered", "resident_id", unique=True, sqlite_where=_ORDERED, postgresql_where=_ORDERED
        ),
        Index("ix_card_state", "state", "id"),
    )

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    resident_id: Mapped[UUID] = mapped_column(Id, ForeignKey("resident.id"), index=True)
    state: Mapped[str] = mapped_column(String(16))
    requested_by: Mapped[UUID]
    requested_at: Mapped[datetime]
    approved_by: Mapped[UUID | None]
    approved_at: Mapped[datetime | None]
    personalised_by: Mapped[UUID | None]
    personalised_at: Mapped[datetime | None]
    handed_over_by: Mapped[UUID | None]
    handed_over_at: Mapped[datetime | None]
    product: Mapped[str | None] = mapped_column(String(40))
    attempt: Mapped[int]
    challenge: Mapped[bytes | None]
    readback_challenge: Mapped[bytes | None]
    expires_on: Mapped[date | None]
    chuid: Mapped[bytes | None]
    revoked_reason: Mapped[str | None] = mapped_column(String(20))
    blocked_at: Mapped[datetime | None]


class CardKeyRow(Base):
    """A key that a card proved it holds. Inactive: made by an attempt that was begun again."""

    __tablename__ = "card_key"
    __table_args__ = (
        CheckConstraint("slot IN ('9A', '9C', '9E')", name="slot_known"),
        Index("uq_card_key_card_id_active", "card_id", "slot", unique=True, sqlite_where=text("active"),
              postgresql_where=text("active")),
    )  # fmt: skip

    key_id: Mapped[bytes] = mapped_column(primary_key=True)
    card_id: Mapped[UUID] = mapped_column(Id, ForeignKey("card.id"), index=True)
    attempt: Mapped[int]
    slot: Mapped[str] = mapped_column(String(2))
    public_key: Mapped[bytes]
    certificate: Mapped[bytes]
    not_after: Mapped[datetime]
    active: Mapped[bool]


class CardEventRow(Base):
    """One move of a card: who, when, why. `reason` is NULL where the move needs none."""

    __tablename__ = "card_event"

    card_id: Mapped[UUID] = mapped_column(Id, ForeignKey("card.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    from_state: Mapped[str | None] = mapped_column(String(16))
    to_state: Mapped[str] = mapped_column(String(16))
    actor: Mapped[UUID]
    at: Mapped[datetime]
    reason: Mapped[str | None] = mapped_column(String(200))


append_only(CardEventRow.__table__)
