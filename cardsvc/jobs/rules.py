"""When a job is tried again, and when no more."""

from datetime import timedelta
from enum import StrEnum

ATTEMPTS_MAX = 8
_FIRST_PAUSE = timedelta(seconds=10)
_ERROR_LENGTH_MAX = 200


class State(StrEnum):
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"  # tried often enough; a person looks at it


def after_failure(attempts: int) -> tuple[State, timedelta]:
    """What becomes of a job that failed for the `attempts`th time: again after 10 s, 20 s, 40 s .. or given up."""
    if attempts >= ATTEMPTS_MAX:
        return State.FAILED, timedelta(0)
    return State.WAITING, _FIRST_PAUSE * 2 ** (attempts - 1)


def error_text(error: Exception) -> str:
    """What is kept of an error. Only our own words: a library's message may quote data."""
    code = getattr(error, "code", None)
    name = type(error).__name__
    return f"{name} ({code})"[:_ERROR_LENGTH_MAX] if isinstance(code, str) else name
