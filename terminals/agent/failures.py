"""Everything a page can be told went wrong: each has a code, and a sentence that says what to do next."""

from typing import Final

from crypto.errors import CryptoError
from terminals.agent.counter_flow import NobodyFound, NobodyWorksHere
from terminals.card import CardError
from terminals.client import ClientError
from terminals.counter import CounterError
from terminals.outbox import OutboxError
from terminals.station import StationError

FAILURES: Final = (
    CardError,
    ClientError,
    CounterError,
    CryptoError,
    NobodyFound,
    NobodyWorksHere,
    OutboxError,
    StationError,
)
