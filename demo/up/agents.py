"""The agents of counter and kiosk: processes; threads of ours where the readers are in this process."""

import re
import threading
from typing import Final, Protocol

from werkzeug.serving import make_server

from demo.processes import HOST, ProcessFailed, Program, free_port
from demo.readers import Slot
from demo.up.home import Home
from terminals.agent import Agent, Port, create_agent
from terminals.settings import TerminalKind, TerminalSettings
from terminals.station import Station, enrol

_URL: Final = re.compile(rf"^http://{re.escape(HOST)}:\d+/\S+$", re.MULTILINE)
_IDENTITY: Final = "terminal.json"


class TerminalAgent(Protocol):
    """A terminal's pages. `url` may be asked when it has started."""

    @property
    def running(self) -> bool: ...

    def start(self) -> None: ...

    def url(self) -> str: ...

    def stop(self) -> None: ...


def is_enrolled(home: Home, kind: TerminalKind) -> bool:
    return (home.terminal(kind) / _IDENTITY).exists()


class AgentProcess:
    """`./city agent`, beside a reader of PC/SC. `code` enrols it first; None where it is enrolled."""

    def __init__(
        self, home: Home, kind: TerminalKind, reader: str, city_name: str, code: str | None, port: int
    ) -> None:
        log = home.log(kind)
        log.unlink(missing_ok=True)
        arguments = ["agent", "--kind", kind, "--port", str(free_port(port)), "--city-name", city_name]
        arguments += ["--service", home.url, "--home", str(home.terminal(kind)), "--reader", reader]
        arguments += ["--enrol-code", code] if code else []
        self._program = Program(f"The {kind}", arguments, home.environment, log)

    @property
    def running(self) -> bool:
        return self._program.running

    def start(self) -> None:
        self._program.start()

    def url(self) -> str:
        """The address it printed. Raises: ProcessFailed."""
        self._program.wait_until(lambda: self._printed() is not None)
        found = self._printed()
        if found is None:
            raise ProcessFailed(self._program.name, "said no address", self._program.log)
        return found

    def stop(self) -> None:
        self._program.stop()

    def _printed(self) -> str | None:
        found = _URL.search(self._program.log.read_text("utf-8", "replace"))
        return found[0] if found else None


class AgentHere:
    """The same pages from a thread of this process, because a reader in this process is seen by nobody else."""

    def __init__(self, home: Home, kind: TerminalKind, slot: Slot, city_name: str, code: str | None, port: int) -> None:
        settings = TerminalSettings(kind, home.url, home.terminal(kind), name=f"The demo {kind}")
        if code:
            enrol(settings, code)
        self._station = Station.open(settings)
        told = Port()
        app = create_agent(kind, self._station, slot.reader, city_name=city_name, port=told)
        self._agent: Agent = app.extensions["agent"]
        self._server = make_server(HOST, free_port(port), app, threaded=True)
        told.number = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, name=kind, daemon=True)

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> None:
        self._agent.start()
        self._thread.start()

    def url(self) -> str:
        return f"http://{HOST}:{self._server.server_port}{self._agent.path}"

    def stop(self) -> None:
        self._agent.close()
        self._server.shutdown()
        self._server.server_close()
        self._station.close()
