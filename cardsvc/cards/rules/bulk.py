"""Decisions about many cards at once."""

from enum import StrEnum


class BulkKind(StrEnum):
    SUSPEND = "suspend"
    RESUME = "resume"
    REVOKE = "revoke"
