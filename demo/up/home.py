"""The city's home on this machine: made once, found again quickly, filled with the demo city where that is allowed."""

import contextlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from demo.cast import terminal_home
from demo.processes import HOST, ROOT, free_port

SEED: Final = 2026
_MACHINE: Final = UUID(int=0)  # who invites from the command line: nobody who signed in
RESIDENTS: Final = 1_000
CITY_NAME: Final = "Maharlika City"
_FIRST_PORT: Final = 8080
_VERSIONS: Final = ROOT / "cardsvc" / "migrations" / "versions"
_PRODUCTION: Final = "production"


@dataclass(frozen=True, slots=True)
class Home:
    """Where this city lives and is reached. `settings` are the variables that say so to its processes."""

    folder: Path
    port: int
    production: bool
    settings: Mapping[str, str]

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What a process of this city is started with: also where a private PC/SC daemon is, once one is started."""
        return {**os.environ, **self.settings}

    def terminal(self, kind: str) -> Path:
        return terminal_home(self.folder, kind)

    def log(self, name: str) -> Path:
        return self.folder / "logs" / f"{name}.log"

    @property
    def _stamp(self) -> Path:
        return self.folder / "prepared"

    def is_prepared(self) -> bool:
        """Whether all was made before, for this database and this release's tables: then nothing need be looked at."""
        return self._stamp.exists() and self._stamp.read_text("utf-8") == self._key()

    def note_prepared(self) -> None:
        self._stamp.write_text(self._key(), "utf-8")

    def forget_prepared(self) -> None:
        """Something did not start: look at everything again the next time."""
        self._stamp.unlink(missing_ok=True)

    def _key(self) -> str:
        versions = sorted(path.name for path in _VERSIONS.glob("*.py"))
        return "\n".join((os.environ.get("CITY_DATABASE_URL", ""), *versions))


def find_home() -> Home:
    """The city of this environment: CITY_HOME, or `.city/` in the checkout; the first free port from CITY_PORT on."""
    folder = Path(os.environ.get("CITY_HOME") or ROOT / ".city").absolute()
    port = free_port(int(os.environ.get("CITY_PORT") or _FIRST_PORT))
    told = {
        "CITY_HOME": str(folder),
        "CITY_PORT": str(port),
        "CITY_BIND_HOST": HOST,
        "CITY_PUBLIC_URL": os.environ.get("CITY_PUBLIC_URL", f"http://{HOST}:{port}"),
    }
    production = os.environ.get("CITY_ENV") == _PRODUCTION
    return Home(folder, port, production, told)


def prepare(home: Home, today: datetime, say: Callable[[str], None]) -> None:
    """Make what is missing: keys, tables, accounts, and in an empty city that is none of production the demo city.

    Raises: InvalidSettings, WrongPassphrase, UnsuitableDatabase.
    """
    if home.is_prepared():
        return
    os.environ.update(home.settings)
    say("Making the city's keys and tables")
    from cardsvc import app, settings
    from demo.city.load import CityNotEmpty, load

    config = settings.load()
    if home.production:
        app.init_city(config).engine.dispose()
    else:
        with contextlib.suppress(CityNotEmpty):
            load(config, seed=SEED, count=RESIDENTS, today=today, say=lambda text: say(f"Making the demo city: {text}"))
    home.note_prepared()


def invite(home: Home, kind: str, name: str) -> str:
    """A code with which one terminal may enrol."""
    os.environ.update(home.settings)
    from cardsvc import app, db, devices, settings

    city = app.build_city(settings.load())
    try:
        return db.run(
            city.engine,
            lambda session: devices.invite(
                session,
                devices.DeviceKind(kind),
                name,
                by=_MACHINE,
                now=city.clock.now(),
                random_bytes=city.random_bytes,
            ),
        )
    finally:
        city.engine.dispose()
