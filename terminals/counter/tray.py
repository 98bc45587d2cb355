"""A tray of blank cards: each becomes the card of the next approved order. One that fails stops nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from terminals.card import CardError, NoCard, Reader, ReaderUnavailable, TransportError
from terminals.client import CardView, ServiceRefused, ServiceUnreachable
from terminals.counter.errors import CounterError
from terminals.counter.making import Bench
from terminals.station import console

_FAILURES_MAX: Final = 5  # one after another: then it is the batch or the reader, not a card
_SECONDS_A_MINUTE: Final = 60.0


class Fate(StrEnum):
    """What became of one card that was put in."""

    MADE = "made"
    TORN = "torn"  # taken out too early: the same card, or another, completes the order
    SPOILED = "spoiled"  # put it aside; the order goes on with the next card
    REFUSED = "refused"  # the service did not want this order made; the card is as it was


@dataclass(frozen=True, slots=True)
class Result:
    """One card and the order it was for. `code` and `detail` say why it was not made."""

    card_id: UUID
    fate: Fate
    code: str = ""
    detail: str = ""

    def to_json(self) -> dict[str, console.JsonValue]:
        return {"card_id": str(self.card_id), "fate": self.fate.value, "code": self.code, "detail": self.detail}


@dataclass(frozen=True, slots=True)
class TrayReport:
    """All cards in their order. `stopped` is the reason why orders are left, "" when none are."""

    results: tuple[Result, ...]
    left: int
    seconds: float
    stopped: str = ""

    def count(self, fate: Fate) -> int:
        return sum(result.fate is fate for result in self.results)

    @property
    def cards_per_minute(self) -> float:
        return self.count(Fate.MADE) * _SECONDS_A_MINUTE / self.seconds if self.seconds else 0.0

    def to_json(self) -> dict[str, console.JsonValue]:
        return {
            "ok": not self.stopped and self.count(Fate.REFUSED) == 0,
            **{fate.value: self.count(fate) for fate in Fate},
            "left": self.left,
            "seconds": round(self.seconds),
            "cards_per_minute": f"{self.cards_per_minute:.1f}",
            "stopped": self.stopped,
            "results": [result.to_json() for result in self.results],
        }


class Tray:
    """`bench` makes one card; `seconds` is a clock that only goes forward; `tell` hears of each card."""

    def __init__(
        self,
        reader: Reader,
        bench: Bench,
        *,
        seconds: Callable[[], float],
        tell: Callable[[Result], None],
        wait_seconds: float,
    ) -> None:
        self._reader = reader
        self._bench = bench
        self._seconds = seconds
        self._tell = tell
        self._wait_seconds = wait_seconds

    def run(self, orders: Sequence[CardView]) -> TrayReport:
        """Make these orders into cards as they come. Ends by itself when no card comes in time."""
        began, results = self._seconds(), list[Result]()
        waiting, stopped = list(orders), ""
        while waiting and not stopped:
            try:
                result = self._one(waiting[0])
            except (NoCard, ReaderUnavailable, ServiceUnreachable) as error:
                stopped = str(error)
                break
            results.append(result)
            self._tell(result)
            if result.fate in (Fate.MADE, Fate.REFUSED):
                waiting.pop(0)
            stopped = self._why_stop(results, left=len(waiting))
        return TrayReport(tuple(results), len(waiting), self._seconds() - began, stopped)

    def _one(self, order: CardView) -> Result:
        try:
            self._bench.make(order.card_id, None)
        except (NoCard, ReaderUnavailable):
            raise
        except TransportError as error:
            return Result(order.card_id, Fate.TORN, error.code, str(error))
        except (CardError, CounterError) as error:
            return Result(order.card_id, Fate.SPOILED, error.code, str(error))
        except ServiceRefused as error:
            return Result(order.card_id, Fate.REFUSED, error.code, str(error))
        return Result(order.card_id, Fate.MADE)

    def _why_stop(self, results: Sequence[Result], *, left: int) -> str:
        recent = results[-_FAILURES_MAX:]
        if len(recent) == _FAILURES_MAX and not any(result.fate is Fate.MADE for result in recent):
            return f"{_FAILURES_MAX} cards in a row could not be made; look at the batch and the reader."
        if left and not self._reader.wait_for_removal(self._wait_seconds):
            return "The card was not taken out."
        return ""
