"""Upload and policy in the background: terminals are up to date without anybody pressing anything."""

import threading
from collections.abc import Callable
from typing import Final

from crypto.errors import CryptoError
from terminals.client import ClientError
from terminals.outbox import OutboxError
from terminals.station import Station, StationError

EVERY_SECONDS: Final = 30.0


class Courier:
    """`tell` hears whether the service was reached. Whatever fails is tried again at the next turn."""

    def __init__(self, station: Station, tell: Callable[[bool], None], every_seconds: float = EVERY_SECONDS) -> None:
        self._station = station
        self._tell = tell
        self._every_seconds = every_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def go(self) -> bool:
        """One turn now. True when the service was reached."""
        try:
            self._station.sync()
        except (ClientError, CryptoError, StationError, OutboxError):
            return False
        return True

    def _run(self) -> None:
        while not self._stop.is_set():
            self._tell(self.go())
            self._stop.wait(self._every_seconds)
