"""Tables of the cards. `card_event` is their history and never changes; keys are kept for ever, so none comes twice.

What must hold whoever writes is held by the database: one order and one card in use a resident, nothing out of a
stopped state but destruction, nothing out of a spoiled or returned blank.
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cardsvc.cards.rules import (
    HELD,
    ORDERED,
    BlankState,
    BulkKind,
    CardState,
    Issue,
    ManagementKeyState,
    OrderKind,
    RevocationReason,
)
from cardsvc.db import Base, Id, append_only, refuse


def _one_of(column: str, values: object) -> str:
    assert isinstance(values, type | frozenset)
    return f"{column} IN ({', '.join(sorted(repr(str(value)) for value in values))})"  # type: ignore[union-attr]


_HELD = text(_one_of("state", HELD))
_ORDERED = text(_one_of("state", ORDERED))


class CardRow(Base):
    """A card, from the order to its destruction. `id` is the GUID on the chip: a UUIDv4, as the standard wants it.

    `challenge` is what the keys of the present attempt sign, `readback_challenge` what the finished card signs.
    `blocked_at` is when the card came to a state in which it may not be used; NULL while it may. `state_since` is when
    it came to its present state. `replaces` is the card that this one takes the place of. `authority` is the key
    identifier of the authority that certified the present attempt (RFC 5280 4.2.1.1). `management_key` says whether the
    card's 9B key was made the card's own; `management_algorithm` is that key's identifier.
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
        CheckConstraint(_one_of("order_kind", OrderKind), name="order_kind_known"),
        CheckConstraint("(order_kind = 'first') = (replaces IS NULL)", name="replaces_a_card"),
        CheckConstraint("replaces <> id", name="replaces_another"),
        CheckConstraint(_one_of("management_key", ManagementKeyState), name="management_key_known"),
        Index("uq_card_resident_id_held", "resident_id", unique=True, sqlite_where=_HELD, postgresql_where=_HELD),
        Index(
            "uq_card_resident_id_ordered", "resident_id", unique=True, sqlite_where=_ORDERED, postgresql_where=_ORDERED
        ),
        Index("ix_card_state", "state", "id"),
        Index("ix_card_state_since", "state", "state_since"),
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
    state_since: Mapped[datetime]
    order_kind: Mapped[str] = mapped_column(String(12), server_default=OrderKind.FIRST.value)
    replaces: Mapped[UUID | None] = mapped_column(Id, ForeignKey("card.id"), index=True)
    authority: Mapped[bytes | None]
    management_algorithm: Mapped[int | None]
    management_key: Mapped[str | None] = mapped_column(String(12))
    terminal_id: Mapped[UUID | None]


refuse(
    CardRow.__table__,
    "stays_stopped",
    "UPDATE",
    when="OLD.state IN ('revoked', 'expired', 'destroyed') AND NEW.state NOT IN (OLD.state, 'destroyed')",
    message="a stopped card stays stopped",
)


class CardObjectRow(Base):
    """What the present attempt writes onto the chip beside certificates, by its tag in hex: kept only while the card is
    being made, so that the same question gets the same bytes.
    """

    __tablename__ = "card_object"

    card_id: Mapped[UUID] = mapped_column(Id, ForeignKey("card.id"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(6), primary_key=True)
    content: Mapped[bytes]


class CardKeyRow(Base):
    """A key that a card proved it holds. Inactive: made by an attempt that was begun again."""

    __tablename__ = "card_key"
    __table_args__ = (
        CheckConstraint("slot IN ('9A', '9C', '9E')", name="slot_known"),
        Index("uq_card_key_card_id_active", "card_id", "slot", unique=True, sqlite_where=text("active"),
              postgresql_where=text("active")),
        Index("ix_card_key_superseded", "not_after", sqlite_where=text("NOT active"),
              postgresql_where=text("NOT active")),
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
    __table_args__ = (Index("ix_card_event_at", "at"),)

    card_id: Mapped[UUID] = mapped_column(Id, ForeignKey("card.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    from_state: Mapped[str | None] = mapped_column(String(16))
    to_state: Mapped[str] = mapped_column(String(16))
    actor: Mapped[UUID]
    at: Mapped[datetime]
    reason: Mapped[str | None] = mapped_column(String(200))


append_only(CardEventRow.__table__)


# ---------------------------------------------------------------------------------------------------------------- stock


class BlankBatchRow(Base):
    """A delivery of blank cards. `transport_key_reference` says where its transport key is kept; never the key itself.

    `delivered` is the count of the delivery note. `file_hash` is SHA-256 of the list of serials that was taken in.
    """

    __tablename__ = "blank_batch"
    __table_args__ = (
        CheckConstraint("delivered >= 1", name="delivered"),
        UniqueConstraint("name"),
        UniqueConstraint("file_hash"),
    )

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    product: Mapped[str] = mapped_column(String(40))
    delivered_by: Mapped[str] = mapped_column(String(120))
    delivered_on: Mapped[date]
    delivered: Mapped[int]
    transport_key_reference: Mapped[str | None] = mapped_column(String(120))
    file_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    taken_in_by: Mapped[UUID]
    taken_in_at: Mapped[datetime]


class BlankRow(Base):
    """A blank card by the serial printed on it. `card_id` is the card it was made into, or was to be made into."""

    __tablename__ = "blank"
    __table_args__ = (
        CheckConstraint(_one_of("state", BlankState), name="state_known"),
        CheckConstraint("state <> 'used' OR card_id IS NOT NULL", name="used_for_a_card"),
        CheckConstraint("state NOT IN ('in_stock', 'returned') OR card_id IS NULL", name="unused"),
        Index("uq_blank_card_id_used", "card_id", unique=True, sqlite_where=text("state = 'used'"),
              postgresql_where=text("state = 'used'")),
        Index("ix_blank_batch", "batch_id", "state"),
    )  # fmt: skip

    serial: Mapped[str] = mapped_column(String(64), primary_key=True)
    batch_id: Mapped[UUID] = mapped_column(Id, ForeignKey("blank_batch.id"))
    state: Mapped[str] = mapped_column(String(10))
    card_id: Mapped[UUID | None] = mapped_column(Id, ForeignKey("card.id"))


refuse(
    BlankRow.__table__,
    "stays_away",
    "UPDATE",
    when="OLD.state IN ('spoiled', 'returned') AND NEW.state <> OLD.state",
    message="a blank that was spoiled or returned is not stock again",
)


class BlankEventRow(Base):
    """One move of a blank: who, when, why. `reason` is a code of the spoilage register where it was spoiled."""

    __tablename__ = "blank_event"
    __table_args__ = (Index("ix_blank_event_to_state", "to_state", "at"),)

    serial: Mapped[str] = mapped_column(String(64), ForeignKey("blank.serial"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    to_state: Mapped[str] = mapped_column(String(10))
    card_id: Mapped[UUID | None]
    actor: Mapped[UUID]
    at: Mapped[datetime]
    reason: Mapped[str | None] = mapped_column(String(20))
    note: Mapped[str | None] = mapped_column(String(200))


append_only(BlankEventRow.__table__)


# ----------------------------------------------------------------------------------------------------------------- bulk


class CardBulkRow(Base):
    """One decision about many cards: proposed by one person, approved by another, carried out at once.

    `list_hash` is SHA-256 over the sorted ids of the cards proposed; `changed` counts those it was carried out on.
    """

    __tablename__ = "card_bulk"
    __table_args__ = (
        CheckConstraint(_one_of("kind", BulkKind), name="kind_known"),
        CheckConstraint("approved_by <> proposed_by", name="approver_differs"),
        CheckConstraint(
            "(approved_by IS NULL) = (executed_at IS NULL) AND (executed_at IS NULL) = (changed IS NULL)",
            name="executed",
        ),
        CheckConstraint("(kind = 'revoke') = (revoked_reason IS NOT NULL)", name="revoked_for_a_reason"),
        CheckConstraint("card_count >= 1", name="card_count"),
    )

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(String(150))
    revoked_reason: Mapped[str | None] = mapped_column(String(20))
    criteria: Mapped[str]
    card_count: Mapped[int]
    list_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    proposed_by: Mapped[UUID]
    proposed_at: Mapped[datetime]
    approved_by: Mapped[UUID | None]
    executed_at: Mapped[datetime | None]
    changed: Mapped[int | None]


class CardBulkItemRow(Base):
    """The cards that were proposed: what the second person approves is this list and no other."""

    __tablename__ = "card_bulk_item"

    bulk_id: Mapped[UUID] = mapped_column(Id, ForeignKey("card_bulk.id"), primary_key=True)
    card_id: Mapped[UUID] = mapped_column(Id, ForeignKey("card.id"), primary_key=True)


append_only(CardBulkItemRow.__table__)


# --------------------------------------------------------------------------------------------------------------- prices


class CardPriceRow(Base):
    """What a kind of issue costs from a day on, as two people signed it."""

    __tablename__ = "card_price"
    __table_args__ = (
        CheckConstraint(_one_of("issue", Issue), name="issue_known"),
        CheckConstraint("amount_cents >= 0", name="amount_cents"),
    )

    action_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    issue: Mapped[str] = mapped_column(String(12))
    valid_from: Mapped[date]
    amount_cents: Mapped[int]
    set_at: Mapped[datetime]


append_only(CardPriceRow.__table__)


class CardPaymentRow(Base):
    """What was paid in cash for the order of a card, by the record and entry of the same id. One whose entry was taken
    back counts no more.
    """

    __tablename__ = "card_payment"
    __table_args__ = (CheckConstraint("amount_cents > 0", name="amount_cents"),)

    record_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    card_id: Mapped[UUID] = mapped_column(Id, ForeignKey("card.id"), index=True)
    shift_id: Mapped[UUID] = mapped_column(Id, index=True)
    amount_cents: Mapped[int]
    taken_at: Mapped[datetime]


append_only(CardPaymentRow.__table__)


class CardWaiverRow(Base):
    """A card that is handed over without its price, as two people signed it; the action says why."""

    __tablename__ = "card_waiver"

    card_id: Mapped[UUID] = mapped_column(Id, ForeignKey("card.id"), primary_key=True)
    action_id: Mapped[UUID] = mapped_column(Id, unique=True)
    waived_at: Mapped[datetime]


append_only(CardWaiverRow.__table__)
