"""Starting everything in order, watching it, and stopping it in the opposite order."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from demo.cast import write_note
from demo.processes import ProcessFailed, Program, is_healthy
from demo.up.home import Home, find_home, prepare

if TYPE_CHECKING:
    from demo.up.desks import Desks

_WATCH_SECONDS: Final = 0.5

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Running:
    """A city that runs."""

    home: Home
    desks: "Desks"
    programs: tuple[Program, ...]

    def addresses(self) -> list[tuple[str, str]]:
        """What there is to open in a browser, and where."""
        own = [
            ("Residents and staff", f"{self.home.url}/sign-in"),
            ("Finance day sheet", f"{self.home.url}/finance"),
            ("API", f"{self.home.url}/v1/openapi.json"),
            ("Kiosk", self.desks.kiosk_url),
            ("Counter", self.desks.counter_url),
        ]
        return [*own, ("Cards and readers", self.desks.tray_url)] if self.desks.tray_url else own

    def to_json(self) -> dict[str, Any]:
        return {
            "ok": True,
            "service": self.home.url,
            "kiosk": self.desks.kiosk_url,
            "counter": self.desks.counter_url,
            "tray": self.desks.tray_url or None,
            "readers": self.desks.readers,
            "card": self.desks.card,
            "home": str(self.home.folder),
        }


@contextlib.contextmanager
def running(today: datetime, say: Say) -> Iterator[Running]:
    """Bring the city up; on leaving, however, stop all of it.

    Raises: ProcessFailed: a part did not start; what had started is stopped. InvalidSettings and its like.
    """
    home = find_home()
    home.folder.mkdir(parents=True, exist_ok=True)
    home.log("").parent.mkdir(exist_ok=True)
    prepare(home, today, say)
    with contextlib.ExitStack() as started:
        try:
            yield _start(home, started, say)
        except ProcessFailed:
            home.forget_prepared()
            raise


def watch(city: Running) -> None:
    """Return when the user has had enough (KeyboardInterrupt goes on). Raises: ProcessFailed: a part has ended."""
    while True:
        for program in city.programs:
            if not program.running:
                raise ProcessFailed(program.name, "has ended", program.log)
        if not all(agent.running for agent in city.desks.agents):
            raise ProcessFailed("Kiosk or counter", "has ended", city.home.log("kiosk"))
        time.sleep(_WATCH_SECONDS)


_NAMES: Final = {"serve": "The service", "worker": "The worker"}


def _start(home: Home, started: contextlib.ExitStack, say: Say) -> Running:
    say("Starting the service")
    service = _start_program("serve", home, started)
    # Imported late: what follows takes a second to load, in which the service starts already.
    from demo.up.desks import start_desks

    desks = start_desks(home, service, started, say)
    service.wait_until(lambda: is_healthy(home.url))
    # Last, because nobody waits for it: loading it earlier would keep the others from the processor.
    worker = _start_program("worker", home, started)
    if not home.production:
        write_note(home.folder, home.url)
        started.callback(write_note, home.folder)
    for program in (service, worker):
        started.callback(program.ask_to_stop)  # first all are told, then each is waited for
    return Running(home, desks, (service, worker))


def _start_program(name: str, home: Home, started: contextlib.ExitStack) -> Program:
    log = home.log(name)
    log.unlink(missing_ok=True)
    program = Program(_NAMES[name], [name], home.environment, log)
    started.callback(program.stop)
    program.start()
    return program
