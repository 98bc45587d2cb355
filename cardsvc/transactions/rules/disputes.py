"""What is decided about a disputed record without asking a database."""

import dataclasses
from datetime import datetime, timedelta
from typing import ClassVar

from cardsvc.errors import CityError, ErrorKind
from crypto.wire.body import Body

SETTLES_ALONE_CENTS_MAX = 1_000_00
"""Up to this amount one person decides; above it, and where the record says no amount, two."""


class UnknownDispute(CityError):
    code: ClassVar[str] = "unknown_dispute"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("No record of this id is disputed. Look at the list of disputes.")


class DisputeDecided(CityError):
    code: ClassVar[str] = "dispute_decided"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("This dispute was decided before. Look at it again.")


class TwoMustDecide(CityError):
    code: ClassVar[str] = "two_must_decide"
    kind: ClassVar[ErrorKind] = ErrorKind.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("Two people decide about this amount. Propose the decision, and let a second person sign it.")


def stated_amount(body: Body) -> tuple[int | None, str | None]:
    """The amount that a record speaks of, and its currency, as far as it says so. Nothing is verified by it."""
    names = [field.name for field in dataclasses.fields(body) if field.name.endswith("_cents")]  # type: ignore[arg-type]
    if not names:
        return None, None
    return getattr(body, names[0]), getattr(body, "currency", None)


def needs_two(amount_cents: int | None) -> bool:
    return amount_cents is None or amount_cents > SETTLES_ALONE_CENTS_MAX


def believable(
    happened_at: datetime, *, offset_ms: int | None, enrolled_at: datetime, received_at: datetime
) -> datetime:
    """When a disputed record counts as made: by its terminal's clock less what that was off, but not before there was
    the terminal and not after the record had come.
    """
    at = happened_at - timedelta(milliseconds=offset_ms or 0)
    return min(max(at, enrolled_at), received_at)
