"""Starting everything in order, watching it, and stopping it in the opposite order."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from werkzeug.serving import make_server

from demo.city.holders import HOLDERS, PIN
from demo.processes import HOST, ProcessFailed, Program, free_port, is_healthy
from demo.readers import Bench, best_bench, hardware_readers
from demo.tray import Tray, TrayCard, create_tray
from demo.up.agents import AgentHere, AgentProcess, TerminalAgent, is_enrolled
from demo.up.home import Home, find_home, invite, prepare
from terminals.agent.app import Port
from terminals.card import CardError
from terminals.settings import TerminalKind

_PORTS: Final = (8090, 8095)  # kiosk and counter; the next free ones where these are taken
_TRAY_PORT: Final = 8099
_WATCH_SECONDS: Final = 0.5
_KINDS: Final = (TerminalKind.KIOSK, TerminalKind.COUNTER)
_CITY_NAME: Final = "Maharlika City"

Say = Callable[[str], None]


class NothingWasStarted(Exception):
    """What `up` cannot do here; the message says what to do."""

    code = "nothing_was_started"


@dataclass(frozen=True, slots=True)
class Running:
    """A city that runs. `tray_url` is empty and `card` None where no virtual reader is used."""

    home: Home
    kiosk_url: str
    counter_url: str
    tray_url: str
    readers: str
    card: str | None
    programs: tuple[Program, ...]
    agents: tuple[TerminalAgent, ...]

    def addresses(self) -> list[tuple[str, str]]:
        """What there is to open in a browser, and where."""
        own = [
            ("Residents and staff", f"{self.home.url}/sign-in"),
            ("Finance day sheet", f"{self.home.url}/finance"),
            ("API", f"{self.home.url}/v1/openapi.json"),
            ("Kiosk", self.kiosk_url),
            ("Counter", self.counter_url),
        ]
        return [*own, ("Cards and readers", self.tray_url)] if self.tray_url else own

    def to_json(self) -> dict[str, Any]:
        return {
            "ok": True,
            "service": self.home.url,
            "kiosk": self.kiosk_url,
            "counter": self.counter_url,
            "tray": self.tray_url or None,
            "readers": self.readers,
            "card": self.card,
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
        if not all(agent.running for agent in city.agents):
            raise NothingWasStarted("A terminal has ended; its log is in the city's folder of logs.")
        time.sleep(_WATCH_SECONDS)


def _start(home: Home, started: contextlib.ExitStack, say: Say) -> Running:
    say("Starting the service")
    programs = _start_programs(home, started)
    say("Starting the readers")
    bench = best_bench()
    started.callback(bench.close)
    hardware = hardware_readers()
    say("Starting kiosk and counter")
    programs[0].wait_until(lambda: is_healthy(home.url))
    agents = [_agent(home, kind, number, hardware, bench) for number, kind in enumerate(_KINDS)]
    for agent in agents:
        started.callback(agent.stop)
        agent.start()
    tray_url, card = ("", None) if hardware or home.production else _start_tray(home, bench, started)
    kiosk, counter = (agent.url() for agent in agents)
    readers = ", ".join(hardware) if hardware else bench.what
    return Running(home, kiosk, counter, tray_url, readers, card, programs, tuple(agents))


def _start_programs(home: Home, started: contextlib.ExitStack) -> tuple[Program, ...]:
    made = []
    for name in ("serve", "worker"):
        log = home.log(name)
        log.unlink(missing_ok=True)
        program = Program({"serve": "The service", "worker": "The worker"}[name], [name], home.environment, log)
        started.callback(program.stop)
        program.start()
        made.append(program)
    for program in made:
        started.callback(program.ask_to_stop)  # first all are told, then each is waited for
    return tuple(made)


def _agent(home: Home, kind: TerminalKind, number: int, hardware: tuple[str, ...], bench: Bench) -> TerminalAgent:
    """The agent of this kind, with a code when it has to enrol. One hardware reader serves both terminals."""
    code = None if is_enrolled(home, kind) else invite(home, kind, f"The demo {kind}")
    if hardware:
        return AgentProcess(home, kind, hardware[min(number, len(hardware) - 1)], _CITY_NAME, code, _PORTS[number])
    slot = bench.slots[number]
    if bench.built_in:
        return AgentHere(home, kind, slot, _CITY_NAME, code, _PORTS[number])
    return AgentProcess(home, kind, slot.name, _CITY_NAME, code, _PORTS[number])


def _start_tray(home: Home, bench: Bench, started: contextlib.ExitStack) -> tuple[str, str | None]:
    """The page with the demo's cards; one of them is put into the kiosk's reader."""
    cards = [TrayCard(one.name, one.full_name, one.card_file(home.folder)) for one in HOLDERS]
    cards = [card for card in cards if card.file.exists()]
    blank = TrayCard("blank", "A blank card", home.folder / "cards" / "blank.json")
    blank.file.parent.mkdir(mode=0o700, exist_ok=True)
    titles = [f"The {kind}'s reader" for kind in _KINDS]
    tray = Tray(list(zip(titles, bench.slots, strict=True)), [*cards, blank])
    port = Port()
    app, path = create_tray(tray, city_name=_CITY_NAME, pin=PIN, port=port)
    server = make_server(HOST, free_port(_TRAY_PORT), app, threaded=True)
    port.number = server.server_port
    threading.Thread(target=server.serve_forever, name="tray", daemon=True).start()
    started.callback(server.server_close)
    started.callback(server.shutdown)
    put_in = None
    if cards:
        with contextlib.suppress(CardError):  # another program's card is in the reader: the tray's page says so
            tray.insert(0, cards[0].name)
            put_in = cards[0].title
    return f"http://{HOST}:{server.server_port}{path}", put_in
