"""What went wrong at a reader last, kept while the terminal runs. Sentences and codes only: never a frame."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from terminals.card.apdu import Octets
from terminals.card.connection import CardConnection, Interface, Reader
from terminals.card.errors import CardError, NoCard, TransportError

_T = TypeVar("_T")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that went wrong at a reader: its stable code, its sentence, and when (ms UTC)."""

    code: str
    text: str
    at_ms: int

    @property
    def at(self) -> datetime:
        return _EPOCH + timedelta(milliseconds=self.at_ms)


class FaultLog:
    """The last fault of each reader, by its name. Any thread may write and read."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._faults: dict[str, Fault] = {}

    def note(self, reader: str, error: CardError) -> None:
        self._faults[reader] = Fault(error.code, str(error), self._now_ms())

    def of(self, reader: str) -> Fault | None:
        return self._faults.get(reader)

    def latest(self) -> Fault | None:
        """Of any reader, also one that is not there any more."""
        return max(self._faults.copy().values(), key=lambda fault: fault.at_ms, default=None)


class NotedReader:
    """A `Reader` that does what another does, and notes what went wrong between terminal and card."""

    def __init__(self, reader: Reader, faults: FaultLog) -> None:
        self._reader = reader
        self._faults = faults

    @property
    def name(self) -> str:
        return self._reader.name

    def wait_for_card(self, timeout: float) -> bool:
        return self.noted(lambda: self._reader.wait_for_card(timeout))

    def wait_for_removal(self, timeout: float) -> bool:
        return self.noted(lambda: self._reader.wait_for_removal(timeout))

    def connect(self) -> CardConnection:
        return _NotedConnection(self, self.noted(self._reader.connect))

    def noted(self, call: Callable[[], _T]) -> _T:
        try:
            return call()
        except TransportError as error:
            if not isinstance(error, NoCard):  # an empty reader is no fault
                self._faults.note(self.name, error)
            raise


class _NotedConnection:
    def __init__(self, reader: NotedReader, connection: CardConnection) -> None:
        self._reader = reader
        self._connection = connection

    @property
    def atr(self) -> bytes:
        return self._connection.atr

    @property
    def interface(self) -> Interface:
        return self._connection.interface

    def transmit(self, frame: Octets) -> bytes:
        return self._reader.noted(lambda: self._connection.transmit(frame))

    def close(self) -> None:
        self._connection.close()
