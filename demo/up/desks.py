"""Kiosk, counter and tray: the readers first, then the agents beside them, then a card in the kiosk's reader."""

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from werkzeug.serving import make_server

from demo.city.holders import HOLDERS, PIN
from demo.processes import HOST, Program, free_port, is_healthy
from demo.readers import Bench, best_bench, hardware_readers
from demo.tray import Tray, TrayCard, create_tray
from demo.up.agents import AgentHere, AgentProcess, TerminalAgent, is_enrolled
from demo.up.home import CITY_NAME, Home, invite
from terminals.agent import Port
from terminals.card import CardError
from terminals.settings import TerminalKind

_PORTS: Final = (8090, 8095)  # kiosk and counter; the next free ones where these are taken
_TRAY_PORT: Final = 8099
_KINDS: Final = (TerminalKind.KIOSK, TerminalKind.COUNTER)


@dataclass(frozen=True, slots=True)
class Desks:
    """What runs beside the service. `tray_url` is empty and `card` None where no virtual reader is used."""

    kiosk_url: str
    counter_url: str
    tray_url: str
    readers: str
    card: str | None
    agents: tuple[TerminalAgent, ...]


def start_desks(home: Home, service: Program, started: contextlib.ExitStack, say: Callable[[str], None]) -> Desks:
    """Start them; `started` learns how each is stopped. Raises: ProcessFailed."""
    say("Starting the readers")
    bench = best_bench()
    started.callback(bench.close)
    hardware = hardware_readers()
    say("Starting kiosk and counter")
    if not all(is_enrolled(home, kind) for kind in _KINDS):
        service.wait_until(lambda: is_healthy(home.url))  # it is the service that enrols them
    agents = [_agent(home, kind, number, hardware, bench) for number, kind in enumerate(_KINDS)]
    for agent in agents:
        started.callback(agent.stop)
        agent.start()
    tray_url, card = ("", None) if hardware or home.production else _start_tray(home, bench, started)
    kiosk, counter = (agent.url() for agent in agents)
    readers = ", ".join(hardware) if hardware else bench.what
    return Desks(kiosk, counter, tray_url, readers, card, tuple(agents))


def _agent(home: Home, kind: TerminalKind, number: int, hardware: tuple[str, ...], bench: Bench) -> TerminalAgent:
    """The agent of this kind, with a code when it has to enrol. One hardware reader serves both terminals."""
    code = None if is_enrolled(home, kind) else invite(home, kind, f"The demo {kind}")
    if hardware:
        return AgentProcess(home, kind, hardware[min(number, len(hardware) - 1)], CITY_NAME, code, _PORTS[number])
    slot = bench.slots[number]
    if bench.built_in:
        return AgentHere(home, kind, slot, CITY_NAME, code, _PORTS[number])
    return AgentProcess(home, kind, slot.name, CITY_NAME, code, _PORTS[number])


def _start_tray(home: Home, bench: Bench, started: contextlib.ExitStack) -> tuple[str, str | None]:
    """The page with the demo's cards; one of them is put into the kiosk's reader."""
    cards = [TrayCard(one.name, one.full_name, one.card_file(home.folder)) for one in HOLDERS]
    cards = [card for card in cards if card.file.exists()]
    blank = TrayCard("blank", "A blank card", home.folder / "cards" / "blank.json")
    blank.file.parent.mkdir(mode=0o700, exist_ok=True)
    titles = [f"The {kind}'s reader" for kind in _KINDS]
    tray = Tray(list(zip(titles, bench.slots, strict=True)), [*cards, blank])
    port = Port()
    app, path = create_tray(tray, city_name=CITY_NAME, pin=PIN, port=port)
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
