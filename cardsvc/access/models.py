"""Tables of access. Nothing here tells a token, a password or a mistyped user name to whoever reads the database."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from cardsvc.access.rules import StaffId
from cardsvc.db import Base


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

    __table_args__ = (CheckConstraint("kind IN ('staff', 'resident')", name="kind"),)


class SignInFailure(Base):
    """A wrong password. The name is hashed, because people type passwords into the wrong box."""

    __tablename__ = "sign_in_failure"

    id: Mapped[int] = mapped_column(primary_key=True)
    username_hash: Mapped[bytes]
    at: Mapped[datetime]

    __table_args__ = (Index(None, "username_hash", "at"),)
