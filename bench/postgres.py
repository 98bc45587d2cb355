"""A PostgreSQL server of one's own for a while: in a temporary folder, on a unix socket, as durable as in production.

Nothing listens on a port and no system cluster is touched. The server refuses to run as root, so root hands it to the
`postgres` account (or `nobody`). The tests start theirs here too.
"""

import contextlib
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

STARTUP_SECONDS = 60


class PostgresMissing(Exception):
    """No server can be started here; the message says why."""

    code = "postgres_missing"


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; `socket_dir` holds its socket, its one superuser is `cardsvc`, `programs` are its programs."""

    socket_dir: Path
    programs: Path

    def url(self, database: str) -> str:
        """The database's URL as `CITY_DATABASE_URL` takes it."""
        return f"postgresql+psycopg://cardsvc@/{database}?host={quote(str(self.socket_dir), safe='/')}"

    def create(self, database: str, *, template: str = "template1") -> str:
        """Make a database, empty or a copy of another to which nobody is connected, and return its URL."""
        self._run(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        return self.url(database)

    def drop(self, database: str) -> None:
        """Remove a database, ending whatever is still connected to it."""
        self._run(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def checkpoint(self) -> None:
        """Write everything now, so that nobody pays for what another did before."""
        self._run("CHECKPOINT")

    def _run(self, statement: str) -> None:
        with psycopg.connect(host=str(self.socket_dir), user="cardsvc", dbname="postgres", autocommit=True) as session:
            session.execute(statement.encode())


@contextlib.contextmanager
def running_server() -> Iterator[Server]:
    """Start a server, stop it on leaving, and leave nothing behind.

    Raises: PostgresMissing.
    """
    programs = _programs()
    # not pytest's own folder: its parents are closed to every account but the caller's
    home = Path(tempfile.mkdtemp(prefix="cardsvc-pg-"))
    account = _unprivileged_account()
    if account:
        shutil.chown(home, account, pwd.getpwnam(account).pw_gid)
    data = home / "data"
    subprocess.run(
        [programs / "initdb", "-D", data, "-U", "cardsvc", "--auth=trust", "--encoding=UTF8", "--locale=C", "-N"],
        check=True,
        capture_output=True,
        cwd=home,
        user=account,
    )
    log = (home / "log").open("wb")
    server = subprocess.Popen(
        [programs / "postgres", "-D", data, "-k", home, "-h", "", "-c", "max_connections=60", "-c", "fsync=on"],
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=home,
        user=account,
    )
    try:
        _wait_until_ready(server, home)
        yield Server(home, programs)
    finally:
        server.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown: ends sessions, writes everything
        server.wait(timeout=STARTUP_SECONDS)
        log.close()
        shutil.rmtree(home)


def _programs() -> Path:
    """The newest installed server's folder; Debian keeps it off the PATH."""
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: int(re.sub(r"\D", "", path.parent.parent.name) or 0),
    )
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    if not installed:
        raise PostgresMissing("No PostgreSQL server is installed (Debian: postgresql).")
    return installed[-1].parent


def _unprivileged_account() -> str | None:
    """Whom root hands the server to; None where the caller is not root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _wait_until_ready(server: subprocess.Popen[bytes], home: Path) -> None:
    deadline = time.monotonic() + STARTUP_SECONDS
    while True:
        try:
            psycopg.connect(host=str(home), user="cardsvc", dbname="postgres").close()
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > deadline:
                log = (home / "log").read_text(errors="replace")
                raise PostgresMissing(f"PostgreSQL did not start:\n{log}") from error
            time.sleep(0.05)
        else:
            return
