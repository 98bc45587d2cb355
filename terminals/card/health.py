"""How each reader is, what its driver says of itself, what went wrong last, and what to do about it."""

import plistlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Final, Self

from terminals.card import pcsc_codes, quirks
from terminals.card.connection import Interface
from terminals.card.errors import CardUnresponsive, ReaderUnavailable
from terminals.card.faults import Fault

MODULES: Final = Path("/proc/modules")
CCID_OPTIONS: Final = Path("/etc/libccid_Info.plist")
_ESCAPE_ALLOWED: Final = 0x0001
_BUSY_ADVICE: Final = "Another program holds it; close that program (gpg's scdaemon is the usual one)."


@dataclass(frozen=True, slots=True)
class LookedAt:
    """A reader as PC/SC shows it. `code` is PC/SC's result, 0 when all is well; texts are empty when not readable."""

    name: str
    code: int = 0
    card_present: bool = False
    unresponsive: bool = False
    in_use: bool = False
    vendor: str = ""
    model: str = ""
    firmware: str = ""
    serial: str = ""

    def described(self, vendor: bytes, model: bytes, version: bytes, serial: bytes) -> Self:
        """The same with the driver's attributes: texts end with a zero, the version is 0xMMmmbbbb (PC/SC part 3)."""
        return replace(self, vendor=_text(vendor), model=_text(model), firmware=_version(version), serial=_text(serial))


class ReaderState(Enum):
    EMPTY = "empty"
    CARD = "card"
    IN_USE = "in use"
    FAILING = "failing"


@dataclass(frozen=True, slots=True)
class Advice:
    says: str
    do: str


@dataclass(frozen=True, slots=True)
class ReaderHealth:
    """One reader. `title` names the product where it is known; `last_fault` is None when nothing went wrong so far."""

    name: str
    title: str
    interface: Interface
    state: ReaderState
    card_present: bool
    driver: str
    firmware: str
    serial: str
    last_fault: Fault | None
    advice: tuple[Advice, ...]


@dataclass(frozen=True, slots=True)
class Health:
    """All readers of this machine. `problem` is the sentence of why there are none, None when there are some."""

    readers: tuple[ReaderHealth, ...]
    problem: str | None

    @property
    def well(self) -> bool:
        return self.problem is None and all(one.state is not ReaderState.FAILING for one in self.readers)


@dataclass(frozen=True, slots=True)
class Machine:
    """What of this machine makes a quirk show: loaded kernel modules, and whether libccid lets escape commands pass."""

    modules: frozenset[str]
    escape: bool

    @classmethod
    def look(cls, modules: Path = MODULES, ccid: Path = CCID_OPTIONS) -> Self:
        return cls(_modules(modules), _escape(ccid))


def survey(
    look_around: Callable[[], Sequence[LookedAt]],
    machine: Machine,
    now_ms: int,
    fault_of: Callable[[str], Fault | None] = lambda _name: None,
) -> Health:
    """Look at every reader now. What is wrong at this moment is the last fault, else what `fault_of` remembers.

    What PC/SC itself has to say against it is in `problem`.
    """
    try:
        seen = look_around()
    except ReaderUnavailable as error:
        return Health((), str(error))
    if not seen:
        return Health((), str(pcsc_codes.unavailable(pcsc_codes.NO_READERS)))
    return Health(tuple(_health(one, machine, _fault(one, now_ms) or fault_of(one.name)) for one in seen), None)


def document(health: Health) -> dict[str, object]:
    """The same for `--json`. Times are RFC 3339, UTC."""
    return {
        "ok": health.well,
        "problem": health.problem,
        "readers": [
            {
                "name": one.name,
                "title": one.title,
                "interface": one.interface.value,
                "state": one.state.value,
                "card_present": one.card_present,
                "driver": one.driver,
                "firmware": one.firmware,
                "serial": one.serial,
                "last_error": one.last_fault
                and {"code": one.last_fault.code, "text": one.last_fault.text, "at": one.last_fault.at.isoformat()},
                "advice": [{"says": each.says, "do": each.do} for each in one.advice],
            }
            for one in health.readers
        ],
    }


def _health(seen: LookedAt, machine: Machine, fault: Fault | None) -> ReaderHealth:
    known = quirks.entry_of(seen.name)
    advice = [Advice(quirk.says, quirk.do) for quirk in (known.quirks if known else ()) if _shows(quirk.when, machine)]
    return ReaderHealth(
        name=seen.name,
        title=known.title if known else "",
        interface=quirks.interface_of(seen.name),
        state=_state(seen),
        card_present=seen.card_present,
        driver=" ".join(text for text in (seen.vendor, seen.model) if text),
        firmware=seen.firmware,
        serial=seen.serial,
        last_fault=fault,
        advice=(*_now(seen), *advice),
    )


def _state(seen: LookedAt) -> ReaderState:
    if seen.code or seen.unresponsive:
        return ReaderState.FAILING
    if seen.in_use:
        return ReaderState.IN_USE
    return ReaderState.CARD if seen.card_present else ReaderState.EMPTY


def _fault(seen: LookedAt, now_ms: int) -> Fault | None:
    """What is wrong with it at this moment."""
    if not seen.code and not seen.unresponsive:
        return None
    error = pcsc_codes.unavailable(seen.code) if seen.code else CardUnresponsive()
    return Fault(error.code, str(error), now_ms)


def _now(seen: LookedAt) -> list[Advice]:
    """What is to be done about its state at this moment."""
    if seen.code:
        return [Advice("PC/SC does not reach it.", "Plug the reader out and in; then look here again.")]
    if seen.unresponsive:
        return [
            Advice("What is in it does not answer.", "Take it out, and put one card in alone, the right way round.")
        ]
    return [Advice("The card in it is in use.", _BUSY_ADVICE)] if seen.in_use else []


def _shows(when: str, machine: Machine) -> bool:
    if when == quirks.NO_ESCAPE:
        return not machine.escape
    return when == quirks.ALWAYS or when.removeprefix(quirks.MODULE) in machine.modules


def _modules(path: Path) -> frozenset[str]:
    try:
        return frozenset(line.split(maxsplit=1)[0] for line in path.read_text("utf-8").splitlines() if line)
    except OSError:
        return frozenset()


def _escape(path: Path) -> bool:
    """Where there is no libccid, its refusal is no quirk of this machine."""
    try:
        options = plistlib.loads(path.read_bytes()).get("ifdDriverOptions", "0")
        return bool(int(str(options), 0) & _ESCAPE_ALLOWED)
    except (OSError, ValueError, plistlib.InvalidFileException):
        return True


def _text(value: bytes) -> str:
    text = value.split(b"\0", 1)[0].decode("utf-8", "replace").strip()
    return "".join(letter for letter in text if letter.isprintable())


def _version(value: bytes) -> str:
    """Four bytes, the least first: 0xMMmmbbbb (major, minor, build)."""
    if len(value) != 4:  # noqa: PLR2004 - a DWORD
        return ""
    number = int.from_bytes(value, "little")
    return f"{number >> 24}.{number >> 16 & 0xFF}.{number & 0xFFFF}" if number else ""
