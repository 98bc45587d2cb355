"""The demo city's staff, and how they sign in. Refused where CITY_ENV is production."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True, slots=True)
class Member:
    username: str
    full_name: str
    roles: tuple[str, ...]

    @property
    def password(self) -> str:
        return f"demo password of {self.username}"


CLERK: Final = Member("clerk", "Liza Ocampo", ("clerk",))
OFFICER: Final = Member("officer", "Ramon Dizon", ("clerk", "card_officer"))
CASHIER: Final = Member("cashier", "Nena Salonga", ("cashier", "clerk", "card_officer"))
DRAFTER: Final = Member("drafter", "Joel Magbanua", ("benefits_officer",))
APPROVER: Final = Member("approver", "Corazon Ilagan", ("benefits_approver",))
TREASURER: Final = Member("treasurer", "Andres Villamor", ("treasurer",))
FINANCE: Final = Member("finance", "Teresita Lacson", ("finance",))
ADMIN: Final = Member("admin", "Paolo Sumulong", ("admin",))
AUDITOR: Final = Member("auditor", "Imelda Catacutan", ("auditor",))

STAFF: Final = (CLERK, OFFICER, CASHIER, DRAFTER, APPROVER, TREASURER, FINANCE, ADMIN, AUDITOR)

NOTE: Final = "demo-city.json"
_SOCKET: Final = "PCSCLITE_CSOCK_NAME"


def terminal_home(home: Path, kind: str) -> Path:
    """Where one of the demo's own terminals lives: its key, its outbox."""
    return home / "terminals" / kind


def write_note(home: Path, service: str | None = None) -> None:
    """Leave a note in the demo city's home, so that a command at the counter needs no options: who may sign in, where
    the service is while it runs, and which PC/SC daemon the demo started for its readers.
    """
    content = {
        "service": service,
        "pcsc_socket": os.environ.get(_SOCKET) if service else None,
        "staff": [
            {"username": one.username, "password": one.password, "roles": list(one.roles)} for one in (CLERK, OFFICER)
        ],
    }
    path = home / NOTE
    path.touch(mode=0o600)
    path.write_text(json.dumps(content, indent=1), "utf-8")
