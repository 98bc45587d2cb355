"""Reads of access: who holds a token, whose key it is, who works here, which actions wait for whom."""

from cardsvc.access.queries.acting import ActionView, Signed, action, actions
from cardsvc.access.queries.people import (
    ACTIVE,
    NoSuchStaff,
    NotSignedIn,
    Principal,
    StaffKey,
    StaffMember,
    all_staff,
    failures,
    find_staff,
    session_of,
    staff,
    staff_by_key,
    token_hash,
    username_hash,
)

__all__ = [
    "ACTIVE",
    "ActionView",
    "NoSuchStaff",
    "NotSignedIn",
    "Principal",
    "Signed",
    "StaffKey",
    "StaffMember",
    "action",
    "actions",
    "all_staff",
    "failures",
    "find_staff",
    "session_of",
    "staff",
    "staff_by_key",
    "token_hash",
    "username_hash",
]
