"""What becomes known in the course of the story, and what its amounts are."""

from dataclasses import dataclass, field
from datetime import date
from typing import Final
from uuid import UUID

from demo.city.people import Person
from terminals.client import BillView, DueView
from terminals.settings import TerminalKind
from terminals.validator import Place

PIN: Final = b"246810"
RESIDENT: Final = Person(
    "Villanueva",
    "Rosario",
    "Castro",
    date(1955, 5, 14),
    "F",
    "1380300020",
    "Poblacion",
    "12 Mabini St",
    "+639170000012",
)
PASSWORD: Final = "the story's own password"  # noqa: S105 - of a city that lives for a minute

FUND_CENTS: Final = 100_000_00
PROGRAMME: Final = "SENIOR"
PROGRAMME_CENTS: Final = 50_000_00
WITHDRAWN_CENTS: Final = 10_000_00
FLOAT_CENTS: Final = 2_000_00
TOP_UP_CENTS: Final = 500_00
FARE_CENTS: Final = 13_00  # of the demo feed's bus
TAPS: Final = 2
BENEFIT_CENTS: Final = 3_000_00
BASIC_CENTS, SEF_CENTS = 600_00, 300_00
DEPOSIT_CENTS: Final = 5_500_00

BALANCE_CENTS: Final = TOP_UP_CENTS - TAPS * FARE_CENTS + BENEFIT_CENTS - BASIC_CENTS - SEF_CENTS
"""What the wallet must hold in the end, by arithmetic of our own."""
RECORDS: Final = 12
"""Two fundings, withdrawal, shift opened, top-up, two taps, approval, claim, payment, shift closed, deposit."""

# Two taps within a second are one; the story waits that long in between instead of the usual ten.
GATE: Final = Place("bus", "ayala", "regular", duplicate_ms=1_000)


@dataclass(slots=True)
class Life:
    """Filled in by the steps, in their order."""

    codes: dict[TerminalKind, str] = field(default_factory=dict)
    resident_id: UUID | None = None
    number: str = ""
    card_id: UUID | None = None
    early_checkpoint: str = ""
    taps: list[UUID] = field(default_factory=list)
    batch: bytes = b""
    balance_before_taps: int = 0
    cycle_id: UUID | None = None
    due: DueView | None = None
    bill: BillView | None = None
    payment: UUID | None = None
    receipt: bytes = b""


def known(value: UUID | None) -> UUID:
    """A value that an earlier step has found."""
    assert value is not None, "an earlier step did not end"
    return value
