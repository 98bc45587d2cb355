"""What a terminal is told from outside, and the only clock of the terminals."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, Protocol
from zoneinfo import ZoneInfo

MANILA = ZoneInfo("Asia/Manila")
_DAY_MS = 24 * 60 * 60 * 1000
_MANILA_OFFSET_MS = 8 * 60 * 60 * 1000  # no daylight saving since 1990 (IANA tz, Asia/Manila)
_PREFIX = "CITY_TERMINAL_"


class SettingsError(Exception):
    """A setting is missing or cannot be used; the message names it and says what to write instead."""

    code: ClassVar[str] = "terminal_settings"


class TerminalKind(StrEnum):
    COUNTER = "counter"
    KIOSK = "kiosk"
    VALIDATOR = "validator"


@dataclass(frozen=True, slots=True)
class TerminalSettings:
    """`home` holds the terminal's key, outbox and policy: one folder a terminal. `reader` is a part of a reader's name,
    "" for the first one that is not a SAM slot.
    """

    kind: TerminalKind
    service_url: str
    home: Path
    reader: str = ""
    name: str = ""


class Clock(Protocol):
    def now_ms(self) -> int:
        """Milliseconds since 1970, UTC."""


class SystemClock:
    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


def day_start_ms(at_ms: int) -> int:
    """When the business day of `at_ms` began in Manila."""
    local = at_ms + _MANILA_OFFSET_MS
    return local - local % _DAY_MS - _MANILA_OFFSET_MS


def city_time(at_ms: int) -> datetime:
    """The clock on the wall in Manila."""
    return datetime.fromtimestamp(at_ms // 1000, MANILA)


def load(
    kind: TerminalKind,
    environ: Mapping[str, str] | None = None,
    *,
    service_url: str | None = None,
    home: Path | None = None,
    reader: str | None = None,
    name: str | None = None,
) -> TerminalSettings:
    """Arguments win over CITY_TERMINAL_SERVICE_URL, _HOME, _READER and _NAME of the environment.

    Raises:
        SettingsError: no service is named, or its URL is not http or https.
    """
    found = os.environ if environ is None else environ
    url = (service_url or found.get(_PREFIX + "SERVICE_URL", "")).rstrip("/")
    if not url.startswith(("http://", "https://")):
        raise SettingsError("Name the city's service: --service http://HOST:PORT, or CITY_TERMINAL_SERVICE_URL.")
    return TerminalSettings(
        kind=kind,
        service_url=url,
        home=home or Path(found.get(_PREFIX + "HOME") or Path.home() / ".cardsvc" / kind),
        reader=reader if reader is not None else found.get(_PREFIX + "READER", ""),
        name=name or found.get(_PREFIX + "NAME", kind),
    )
