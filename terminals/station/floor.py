"""A floor under this terminal's clock: the newest time that the city ever signed, kept on disk."""

from pathlib import Path

from terminals.outbox import write_durably
from terminals.station.errors import ClockBehind

SKEW_MS = 5 * 60 * 1000  # as far as the service lets a terminal's clock be off
_STEP_MS = 60 * 1000  # the disk is not written for less
_TIME_MAX_MS = 4_102_444_800_000  # the year 2100: a file that says more was damaged


class ClockFloor:
    """Policies, deny lists and receipts say when they were signed: it cannot be earlier than that. A clock set back
    would keep a policy in force for ever, and with it a card that was denied since.

    Where the city itself signed a wrong time, somebody removes the file; the policy's own time is checked beside it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._floor_ms = self._kept_ms = _read(path)

    @property
    def newest_ms(self) -> int:
        """The newest time that the city signed; 0 while it signed none."""
        return self._floor_ms

    def saw(self, signed_at_ms: int) -> None:
        """A time in a message whose signature verified. If we stop before it is on disk, the next message brings it."""
        self._floor_ms = max(self._floor_ms, signed_at_ms)
        if self._floor_ms >= self._kept_ms + _STEP_MS:
            write_durably(self._path, b"%d\n" % self._floor_ms)
            self._kept_ms = self._floor_ms

    def check(self, now_ms: int) -> None:
        """Raises: ClockBehind."""
        if now_ms < self._floor_ms - SKEW_MS:
            raise ClockBehind


def _read(path: Path) -> int:
    """The time kept; 0 where there is none, or what stands there is no time: what the city signs next sets it anew."""
    try:
        kept = int(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return 0
    return kept if 0 <= kept < _TIME_MAX_MS else 0
