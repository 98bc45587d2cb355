"""What a card costs, as the service says it."""

from dataclasses import dataclass
from typing import Self
from uuid import UUID

from terminals.client.fields import Fields


@dataclass(frozen=True, slots=True)
class FeeView:
    """What the order of a card asks for. `state` is free, due, paid or waived; `issue` says why the card is issued."""

    card_id: UUID
    issue: str
    amount_cents: int
    currency: str
    state: str

    @property
    def is_due(self) -> bool:
        """Whether it must be paid before the card is handed over."""
        return self.state == "due"

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(
            card_id=fields.uuid("card_id"),
            issue=fields.text("issue"),
            amount_cents=fields.integer("amount_cents"),
            currency=fields.text("currency"),
            state=fields.text("state"),
        )


def read_prices(fields: Fields) -> dict[str, int]:
    """What each kind of issue costs today, in cents."""
    return {one.text("issue"): one.integer("amount_cents") for one in fields.each("today")}
