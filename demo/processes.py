"""The city's own processes: started apart from the terminal's signals, stopped whole, their output kept in a file."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import urllib3

ROOT: Final = Path(__file__).resolve().parent.parent
HOST: Final = "127.0.0.1"
_PREFIX: Final = "CITY_"
_STOP_SECONDS: Final = 12.0  # gunicorn lets requests end for 10
_READY_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.05
_PORT_MAX: Final = 65_535
_OK: Final = 200


class ProcessFailed(Exception):
    """A part of the city did not start, or ended; the message holds its last words and where the rest is."""

    code = "process_failed"

    def __init__(self, name: str, why: str, log: Path) -> None:
        super().__init__(f"{name} {why}. Its log: {log}\n{_last_words(log)}")


class Program:
    """`./city ARGUMENTS` as a process of its own session, so that Ctrl-C reaches us alone and we stop it in order."""

    def __init__(self, name: str, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        self._arguments = [sys.executable, "-m", "cli", *arguments]
        self._environment = {**environment, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._arguments,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Raises: ProcessFailed: it ended, or did not get ready in a minute."""
        deadline = time.monotonic() + _READY_SECONDS
        while not ready():
            if not self.running:
                raise ProcessFailed(self.name, "ended at once", self.log)
            if time.monotonic() > deadline:
                raise ProcessFailed(self.name, "did not get ready in a minute", self.log)
            time.sleep(_POLL_SECONDS)

    def kill(self) -> None:
        """Kill -9, children included: what a power cut does."""
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def ask_to_stop(self) -> None:
        """Tell it to end, and do not wait."""
        self._signal(signal.SIGTERM)

    def stop(self) -> None:
        """End it and everything it started. Harmless when it has ended."""
        if self._process is None:
            return
        self.ask_to_stop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_SECONDS)
        self.kill()
        self._process = None

    def _signal(self, number: int) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):  # the whole group is gone already
                os.killpg(self._process.pid, number)


def environment(**city: str) -> dict[str, str]:
    """This process's environment with the CITY_ variables given here and no others."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_PREFIX)}
    return kept | {_PREFIX + name: value for name, value in city.items()}


def free_port(first: int = 0) -> int:
    """The first port from `first` on that nobody on this machine listens on; 0 for any."""
    for port in range(first, _PORT_MAX) if first else (0,):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
            return int(probe.getsockname()[1])
    raise OSError("no port is free")


def is_healthy(url: str) -> bool:
    """Whether a service answers there and is ready to serve."""
    try:
        answer = urllib3.request("GET", f"{url}/readyz", timeout=2.0, retries=False)
    except urllib3.exceptions.HTTPError:
        return False
    return answer.status == _OK


def turn_signals_into_exceptions() -> None:
    """SIGTERM is a Ctrl-C to us, so that everything is put away in both cases."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)


def _last_words(log: Path) -> str:
    if not log.exists():
        return ""
    return "\n".join(log.read_text("utf-8", "replace").splitlines()[-8:])
