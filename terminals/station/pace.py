"""When to turn to the service: at a steady pace while it answers, more and more seldom while it does not."""

from collections.abc import Callable
from typing import Final

_STEADY_MS: Final = 60_000
_LONGEST_MS: Final = 15 * 60_000
_RANDOM_BYTES: Final = 4
_FIRST_PART: Final = 12  # of a minute: within five seconds


class Pace:
    """Nothing of it is kept: after a power cut a terminal turns to the service within seconds.

    `random_bytes` spreads the terminals of a city, so that they do not all come at once when a network or the power is
    back: each wait is between half and the whole of what it would be.
    """

    def __init__(
        self,
        random_bytes: Callable[[int], bytes],
        *,
        steady_ms: int = _STEADY_MS,
        longest_ms: int = _LONGEST_MS,
    ) -> None:
        self._random_bytes = random_bytes
        self._steady_ms = steady_ms
        self._longest_ms = longest_ms
        self._failures = 0
        self._next_ms: int | None = None

    def due(self, now_ms: int) -> bool:
        """Whether it is time. A clock that was set back does not make anybody wait longer than the longest wait."""
        if self._next_ms is None:
            self._next_ms = now_ms + self._random(self._steady_ms // _FIRST_PART)
        return not self._next_ms - self._longest_ms <= now_ms < self._next_ms

    def answered(self, now_ms: int) -> None:
        self._failures = 0
        self._next_ms = now_ms + self._spread(self._steady_ms)

    def failed(self, now_ms: int) -> None:
        """Twice as long as the last time, up to the longest."""
        self._failures += 1
        self._next_ms = now_ms + self._spread(min(self._longest_ms, self._steady_ms * 2**self._failures))

    def _spread(self, wait_ms: int) -> int:
        half = wait_ms // 2
        return half + self._random(wait_ms - half)

    def _random(self, most: int) -> int:
        return int.from_bytes(self._random_bytes(_RANDOM_BYTES), "big") % (most + 1)
