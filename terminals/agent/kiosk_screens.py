"""The screens of a kiosk: the name of each is its template's, its fields are what the template takes."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Screen:
    name: ClassVar[str]


@dataclass(frozen=True, slots=True)
class Idle(Screen):
    name: ClassVar[str] = "idle"
    reader_ready: bool = True
    offline: bool = False


@dataclass(frozen=True, slots=True)
class Wait(Screen):
    name: ClassVar[str] = "wait"
    what: str = ""


@dataclass(frozen=True, slots=True)
class Purse:
    """Money for a purpose; `use_by` is the last moment in which it pays."""

    purpose: str
    amount_cents: int
    use_by: datetime | None


@dataclass(frozen=True, slots=True)
class Mandate:
    """What comes from the purse `source` by itself whenever the balance is below the threshold."""

    source: str
    threshold_cents: int
    amount_cents: int
    day_max: int


@dataclass(frozen=True, slots=True)
class Balance(Screen):
    name: ClassVar[str] = "balance"
    initials: str
    balance_cents: int
    owed_cents: int
    as_of: datetime
    due_count: int
    due_cents: int
    bill_count: int
    pass_count: int = 0
    held_cents: int = 0
    purses: tuple[Purse, ...] = ()
    reference: str = ""
    mandates: tuple[Mandate, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """Something to choose. `detail` says until when."""

    id: str
    title: str
    detail: str
    amount_cents: int


@dataclass(frozen=True, slots=True)
class Choose(Screen):
    name: ClassVar[str] = "choose"
    deed: str
    items: tuple[Item, ...]
    next_page: int | None


@dataclass(frozen=True, slots=True)
class Confirm(Screen):
    name: ClassVar[str] = "confirm"
    deed: str
    title: str
    detail: str
    amount_cents: int
    after_cents: int | None


@dataclass(frozen=True, slots=True)
class AskPin(Screen):
    name: ClassVar[str] = "pin"
    deed: str
    title: str
    amount_cents: int
    tries_left: int | None = None


@dataclass(frozen=True, slots=True)
class Done(Screen):
    name: ClassVar[str] = "done"
    deed: str
    title: str
    amount_cents: int
    balance_cents: int | None
    official_number: str
    receipt_text: str


@dataclass(frozen=True, slots=True)
class Failed(Screen):
    name: ClassVar[str] = "error"
    title: str
    detail: str
    can_retry: bool


@dataclass(frozen=True, slots=True)
class Removed(Screen):
    name: ClassVar[str] = "removed"
    unknown: bool = False
