"""Who may be what, how long a sign-in lasts, what a password must be."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType
from uuid import UUID

StaffId = NewType("StaffId", UUID)


class Role(StrEnum):
    """What a staff member does; one may have several, except where a record asks for two people."""

    ADMIN = "admin"
    CLERK = "clerk"
    CARD_OFFICER = "card_officer"
    CASHIER = "cashier"
    BENEFITS_OFFICER = "benefits_officer"
    BENEFITS_APPROVER = "benefits_approver"
    TREASURER = "treasurer"
    FINANCE = "finance"
    AUDITOR = "auditor"


class Kind(StrEnum):
    """Whose sign-in it is."""

    STAFF = "staff"
    RESIDENT = "resident"


@dataclass(frozen=True, slots=True)
class Lifetime:
    """A sign-in ends when nobody used it for `idle`, and `absolute` after it began in any case."""

    idle: timedelta
    absolute: timedelta


# Shared counters for staff, phones for residents; the stricter of what SP 800-63B asks at this level.
LIFETIMES = {
    Kind.STAFF: Lifetime(idle=timedelta(minutes=15), absolute=timedelta(hours=8)),
    Kind.RESIDENT: Lifetime(idle=timedelta(minutes=30), absolute=timedelta(hours=12)),
}
# A use is written down once in this time, so that reading pages does not mean writing rows.
SEEN_EVERY = timedelta(minutes=1)

FAILURES_MAX = 10
FAILURES_WINDOW = timedelta(minutes=15)

PASSWORD_LENGTH_MIN = 15  # NIST SP 800-63B-4 3.1.1.2: a password that stands alone
PASSWORD_LENGTH_MAX = 256
DISTINCT_MIN = 5
USERNAME_LENGTH_MAX = 64


def is_alive(kind: Kind, *, began_at: datetime, seen_at: datetime, now: datetime) -> bool:
    """Whether a sign-in still counts. A clock that went back ends nothing."""
    lifetime = LIFETIMES[kind]
    return now < seen_at + lifetime.idle and now < began_at + lifetime.absolute


def expires_at(kind: Kind, began_at: datetime) -> datetime:
    """When a sign-in ends however much it is used."""
    return began_at + LIFETIMES[kind].absolute


def normalise_username(username: str) -> str:
    """User names are compared without regard to case or surrounding spaces."""
    return username.strip().casefold()


def username_problem(username: str) -> str | None:
    """What is wrong with a normalised user name; None when nothing is."""
    if not username or len(username) > USERNAME_LENGTH_MAX:
        return f"A user name has 1 to {USERNAME_LENGTH_MAX} characters."
    if any(letter.isspace() or not letter.isprintable() for letter in username):
        return "A user name has no spaces."
    return None


def password_problem(password: str, username: str) -> str | None:
    """What is wrong with a password; None when nothing is. Length is what counts, kinds of characters do not."""
    if len(password) < PASSWORD_LENGTH_MIN:
        return f"A password has at least {PASSWORD_LENGTH_MIN} characters; several words are easy to remember."
    if len(password) > PASSWORD_LENGTH_MAX:
        return f"A password has at most {PASSWORD_LENGTH_MAX} characters."
    if normalise_username(password) == username or len(set(password)) < DISTINCT_MIN:
        return "A password is not the user name, and not a few characters again and again."
    return None


def read_roles(names: Iterable[str]) -> frozenset[Role]:
    """Raises: ValueError naming the first that is no role."""
    return frozenset(Role(name) for name in names)
