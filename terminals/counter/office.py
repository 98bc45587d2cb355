"""Who works at this counter and where the city's service is: options, environment, or the demo city on this machine."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from terminals.client import ServiceClient, ServiceUnreachable, StaffClient
from terminals.counter.errors import NoService, NoStaff
from terminals.outbox import Identity, load_identity
from terminals.settings import TerminalKind
from terminals.station import OtherKind

_PRODUCTION: Final = "production"
_FIRST_PORT: Final = "8080"
_NOTE: Final = "demo-city.json"  # what `./city up` and `./city demo load` leave in the city's home
_DEMO_COUNTER: Final = Path("terminals", "counter")  # below that home
_APPROVER: Final = "card_officer"
_HOMES: Final = (Path(__file__).resolve().parents[2] / ".city", Path("var"))
_SOCKET: Final = "PCSCLITE_CSOCK_NAME"


@dataclass(frozen=True, slots=True)
class Credentials:
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DemoNote:
    """What the demo city of this machine says of itself. Empty where there is none, and in production."""

    service: str | None = None
    pcsc_socket: str | None = None
    clerk: Credentials | None = None
    approver: Credentials | None = None
    counter: Path | None = None

    @classmethod
    def find(cls, environ: Mapping[str, str]) -> "DemoNote":
        if is_production(environ):
            return cls()
        homes = (Path(environ["CITY_HOME"]),) if environ.get("CITY_HOME") else _HOMES
        for home in homes:
            if (home / _NOTE).is_file():
                return cls._read(home / _NOTE)
        return cls()

    @classmethod
    def _read(cls, path: Path) -> "DemoNote":
        try:
            content = json.loads(path.read_text("utf-8"))
            staff = [(one["roles"], Credentials(one["username"], one["password"])) for one in content["staff"]]
            clerk = next((who for roles, who in staff if _APPROVER not in roles), None)
            approver = next((who for roles, who in staff if _APPROVER in roles), None)
            counter = path.parent / _DEMO_COUNTER
            enrolled = counter if counter.is_dir() else None
            return cls(content.get("service"), content.get("pcsc_socket"), clerk, approver, enrolled)
        except (OSError, ValueError, KeyError, TypeError):
            return cls()


@dataclass(frozen=True, slots=True)
class Office:
    """The service, and who signs in there. `approver` is the second person, None when none was named.

    `home` is the folder of the counter that was found with them, None where none was.
    """

    client: ServiceClient
    clerk: Credentials
    approver: Credentials | None
    home: Path | None = None

    @classmethod
    def find(
        cls,
        *,
        service_url: str | None = None,
        clerk: Credentials | None = None,
        approver: Credentials | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> "Office":
        """Options win over CITY_TERMINAL_SERVICE_URL and CITY_STAFF_*, these over the demo city of this machine.

        Raises: NoStaff: nobody is named, and this is no demo city.
        """
        found = os.environ if environ is None else environ
        note = DemoNote.find(found)
        if note.pcsc_socket:
            os.environ.setdefault(_SOCKET, note.pcsc_socket)  # the demo's readers, unless another daemon was named
        default = f"http://127.0.0.1:{found.get('CITY_PORT') or _FIRST_PORT}"
        url = service_url or found.get("CITY_TERMINAL_SERVICE_URL") or note.service or default
        worker = clerk or note.clerk
        if worker is None:
            raise NoStaff
        second = approver or (None if clerk else note.approver)
        home = None if found.get("CITY_TERMINAL_HOME") else note.counter
        return cls(ServiceClient(url.rstrip("/")), worker, second, home)

    def sign_in(self, who: Credentials) -> StaffClient:
        """Raises: NoService, ServiceRefused."""
        try:
            return self.client.sign_in(who.username, who.password)
        except ServiceUnreachable as error:
            raise NoService(self.client.url) from error


def counter_identity(home: Path) -> Identity:
    """The counter that lives in this folder. Raises: NotEnrolled, OutboxForeign, OtherKind."""
    identity = load_identity(home)
    if identity.kind is not TerminalKind.COUNTER:
        raise OtherKind(identity.kind, TerminalKind.COUNTER)
    return identity


def is_production(environ: Mapping[str, str] | None = None) -> bool:
    """Whether this counter belongs to a city in production (CITY_ENV), where nothing of a factory may stay."""
    return (os.environ if environ is None else environ).get("CITY_ENV") == _PRODUCTION
