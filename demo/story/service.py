"""The story's service: a process of its own on a free port, that can be killed and comes back."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from demo.processes import HOST, Program, environment, free_port, is_healthy
from terminals.client import HttpTransport, Reply, Send, ServiceUnreachable

_NOT_COUNTED: Final = "/v1/sign-in"


class Service:
    """`./city serve` on a loopback port, with a city's home and database."""

    def __init__(self, home: Path, database_url: str, log: Path) -> None:
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        self.environment = environment(
            HOME=str(home), DATABASE_URL=database_url, PORT=str(self.port), PUBLIC_URL=self.url
        )
        self._program = Program("The story's service", ["serve"], self.environment, log)

    def start(self) -> None:
        """Start it and return when it answers. Raises: ProcessFailed."""
        self._program.start()
        self._program.wait_until(lambda: is_healthy(self.url))

    def stop(self) -> None:
        self._program.stop()

    def crash(self) -> None:
        """Kill -9, then start again: what was not on disk is gone."""
        self._program.kill()
        self.start()

    def ensure(self) -> None:
        """Start it again if it is not there."""
        if not self._program.running:
            self.start()


class Wire:
    """The network between everybody and the service: a `Send` that can lose an answer because the service was killed.

    `arm` says that it dies after its next work is done and before the answer arrives: the worst moment, because only
    the service knows what it did. Where `reading`, any request will do; else only one that changes something.
    """

    def __init__(self, service: Service) -> None:
        self._send: Send = HttpTransport(service.url)
        self._service = service
        self._armed: tuple[str, ...] = ()
        self.crashes = 0

    def arm(self, *, reading: bool) -> None:
        self._armed = ("GET", "POST") if reading else ("POST",)

    def disarm(self) -> None:
        self._armed = ()

    def __call__(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        reply = self._send(method, path, headers, body)
        self.arrived(method, path)
        return reply

    def arrived(self, method: str, path: str) -> None:
        """An answer is on its way to whoever asked. Raises: ServiceUnreachable: it never arrives."""
        if method in self._armed and path != _NOT_COUNTED:
            self.disarm()
            self.crashes += 1
            self._service.crash()
            raise ServiceUnreachable(self._service.url)
