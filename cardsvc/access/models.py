"""Tables of access. Nothing here tells a token, a password or a mistyped user name to whoever reads the database."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cardsvc.access.rules import StaffId
from cardsvc.db import Base, append_only


class Staff(Base):
    """A staff member: how they sign in, and the key that signs records in their name."""

    __tablename__ = "staff"

    id: Mapped[StaffId] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)  # normalised
    full_name: Mapped[str]
    password_hash: Mapped[str]  # argon2id with its parameters (PHC string)
    key_id: Mapped[bytes] = mapped_column(unique=True)
    public_key: Mapped[bytes]  # SPKI DER
    sealed_key: Mapped[bytes]  # the private key under the password (vault.seal), the staff id its context
    status: Mapped[str]
    demo: Mapped[bool]  # its password is known to everybody; production refuses it
    created_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("status IN ('active', 'blocked')", name="status"),)


class StaffRole(Base):
    __tablename__ = "staff_role"

    staff_id: Mapped[StaffId] = mapped_column(ForeignKey(Staff.id), primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)


class Credential(Base):
    """How a resident signs in. The register of residents stands above this room, so there is no foreign key."""

    __tablename__ = "credential"

    resident_id: Mapped[UUID] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    demo: Mapped[bool]
    changed_at: Mapped[datetime]


class SignIn(Base):
    """A running sign-in. The token itself is with whoever signed in; here is its SHA-256."""

    __tablename__ = "sign_in"

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    kind: Mapped[str]
    subject_id: Mapped[UUID] = mapped_column(index=True)
    began_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    method: Mapped[str | None]  # of `rules.Method`; None was before there were several
    key_id: Mapped[bytes | None]  # the card's 9A, or the hash of a passkey's credential id: when it goes, this goes
    address: Mapped[str | None]
    agent: Mapped[str | None]  # the browser or program by its own word, shortened

    __table_args__ = (CheckConstraint("kind IN ('staff', 'resident')", name="kind"),)


class SignInFailure(Base):
    """A wrong password. The name is hashed, because people type passwords into the wrong box."""

    __tablename__ = "sign_in_failure"

    id: Mapped[int] = mapped_column(primary_key=True)
    username_hash: Mapped[bytes]
    at: Mapped[datetime]
    address: Mapped[str | None]  # kept as long as it counts: minutes

    __table_args__ = (Index(None, "username_hash", "at"), Index(None, "address", "at"))


class StaffCard(Base):
    """A card that stands for a staff member: 9A signs them in, 9C signs for them. Cards stand above this room: their id
    has no foreign key. The row stays when the card is taken away, because what it signed stays signed.
    """

    __tablename__ = "staff_card"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    staff_id: Mapped[StaffId] = mapped_column(ForeignKey(Staff.id), index=True)
    card_id: Mapped[UUID]
    sign_in_key_id: Mapped[bytes]
    sign_in_key: Mapped[bytes]  # 9A, SPKI DER
    signature_key_id: Mapped[bytes]
    signature_key: Mapped[bytes]  # 9C, SPKI DER
    bound_by: Mapped[UUID]
    bound_at: Mapped[datetime]
    unbound_at: Mapped[datetime | None]
    unbound_why: Mapped[str | None]

    __table_args__ = (
        Index("ix_staff_card_signature_key_id", "signature_key_id"),
        *(
            Index(
                f"uq_staff_card_{name}",
                f"{name}_key_id",
                unique=True,  # a key is one person's at a time
                sqlite_where=text("unbound_at IS NULL"),
                postgresql_where=text("unbound_at IS NULL"),
            )
            for name in ("sign_in", "signature")
        ),
    )


class Passkey(Base):
    """A WebAuthn credential of a staff member or resident."""

    __tablename__ = "passkey"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    subject_id: Mapped[UUID] = mapped_column(index=True)
    credential_id: Mapped[bytes] = mapped_column(unique=True)
    public_key: Mapped[bytes]  # COSE_Key, as WebAuthn gives it
    sign_count: Mapped[int]
    name: Mapped[str]
    added_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    __table_args__ = (CheckConstraint("kind IN ('staff', 'resident')", name="kind"),)


class PasskeyKey(Base):
    """The key of a resident's passkey that signed a record: what it signed stays proved when the passkey is removed.

    `origin` is the address that it counts at.
    """

    __tablename__ = "passkey_key"

    key_id: Mapped[bytes] = mapped_column(primary_key=True)
    credential_id: Mapped[bytes] = mapped_column(unique=True)
    public_key: Mapped[bytes]  # SPKI DER
    resident_id: Mapped[UUID] = mapped_column(index=True)
    origin: Mapped[str]
    kept_at: Mapped[datetime]


class Challenge(Base):
    """A nonce that waits for its answer: once, for a short time, from the one who holds the binding."""

    __tablename__ = "access_challenge"

    binding_hash: Mapped[bytes] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    nonce: Mapped[bytes]
    subject_id: Mapped[UUID | None]
    address: Mapped[str | None]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class ActionRow(Base):
    """An action of two, as it was proposed. What both sign is `action_bytes`; the columns repeat it for lists."""

    __tablename__ = "action"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    action_bytes: Mapped[bytes]
    proposed_by: Mapped[StaffId] = mapped_column(ForeignKey(Staff.id))
    proposed_at: Mapped[datetime] = mapped_column(index=True)
    expires_at: Mapped[datetime]


class ActionSignature(Base):
    """The first signature is the proposer's, the second another person's: the keys of this table see to both."""

    __tablename__ = "action_signature"

    action_id: Mapped[UUID] = mapped_column(ForeignKey(ActionRow.id), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    staff_id: Mapped[StaffId] = mapped_column(ForeignKey(Staff.id))
    signature: Mapped[bytes]  # detached COSE_Sign1
    signed_at: Mapped[datetime]
    roles: Mapped[str | None]  # the signer's at that moment, in order, with blanks between; not kept before 0010

    __table_args__ = (UniqueConstraint("action_id", "staff_id"), CheckConstraint("number IN (1, 2)", name="number"))


class ActionEnd(Base):
    """How an action ended; it ends once."""

    __tablename__ = "action_end"

    action_id: Mapped[UUID] = mapped_column(ForeignKey(ActionRow.id), primary_key=True)
    outcome: Mapped[str]
    ended_by: Mapped[StaffId] = mapped_column(ForeignKey(Staff.id))
    ended_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("outcome IN ('done', 'withdrawn')", name="outcome"),)


for _table in (ActionRow, ActionSignature, ActionEnd, PasskeyKey):
    append_only(_table.__table__)
