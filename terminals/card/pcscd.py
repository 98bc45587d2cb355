"""PC/SC daemons with a virtual reader: a private one for tests and stories, and the machine's own.

The private one is started as a service manager would start it, with its socket handed over (LISTEN_FDS). So the
socket lives in a temporary folder, any number of daemons run at once, and no root is needed. Clients find it by the
variable in `environment`; libpcsclite reads that once, when the process first asks for a context.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final, Self

from terminals.card.errors import ReaderUnavailable
from terminals.card.vpcd import DEFAULT_PORT

SOCKET_VARIABLE: Final = "PCSCLITE_CSOCK_NAME"
SYSTEM_SOCKET: Final = Path("/run/pcscd/pcscd.comm")
VPCD_DRIVER: Final = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
_DRIVERS: Final = "/usr/lib/pcsc/drivers"
_READY: Final = "daemon ready"
_PORT_TAKEN: Final = "Could not initialize connection to virtual ICC"
_START_SECONDS: Final = 10.0
_STOP_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.02
_ATTEMPTS: Final = 5
# The daemon insists on /run/pcscd, and would take real readers away from the machine's own daemon. In a mount
# namespace of its own it sees an empty /run and no drivers but the one we name.
_HIDE: Final = f"mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs {_DRIVERS} && "
_HAND_OVER: Final = 'LISTEN_PID=$$ exec "$0" "$@" 3<&0 0</dev/null'


class PrivatePcscd:
    """A PC/SC daemon of our own with two virtual slots. A context manager; `start` and `stop` do the same by hand.

    `ports` are the slots' TCP ports for `VirtualReader`, `reader_names` the same slots as PC/SC names them,
    `environment` is what a client process needs. While it runs, whoever reaches these ports on this machine can put a
    card in.
    """

    def __init__(self, reader: str = "City Virtual Reader", *, driver: Path = VPCD_DRIVER) -> None:
        self._reader = reader
        self._driver = driver
        self._directory: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self.ports: tuple[int, int] = (0, 0)

    @property
    def socket_path(self) -> Path:
        assert self._directory is not None, "the daemon is not started"
        return self._directory / "pcscd.comm"

    @property
    def environment(self) -> dict[str, str]:
        return {SOCKET_VARIABLE: str(self.socket_path)}

    @property
    def reader_names(self) -> tuple[str, str]:
        return f"{self._reader} 00 00", f"{self._reader} 00 01"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the daemon and return when its readers are there. Raises: ReaderUnavailable: says what is missing.

        After a `crash` it comes back where its clients look for it, with the same ports.
        """
        program = find_pcscd()
        require_driver()
        for _ in range(_ATTEMPTS):
            if self._directory is None:
                self._prepare()
            self._launch(program)
            if self._ready():
                return
            self.stop()
        raise ReaderUnavailable("a private pcscd found no free ports; try again")

    def crash(self) -> None:
        """End it with SIGKILL, as a fault would: its clients are told nothing, and its socket lies where it lay."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def signal(self, number: int) -> None:
        """Send the daemon a signal: SIGSTOP makes it hang, SIGUSR1 look for readers that came or went."""
        assert self._process is not None, "the daemon is not started"
        self._process.send_signal(number)

    def stop(self) -> None:
        if self._process is not None:
            _end(self._process)
            self._process = None
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None

    def _prepare(self) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="city-pcscd-"))
        self.ports = _free_ports()
        driver = self._directory / self._driver.name
        shutil.copy(self._driver, driver)
        readers = self._directory / "readers"
        readers.mkdir()
        (readers / "vpcd").write_text(
            f'FRIENDLYNAME "{self._reader}"\nDEVICENAME /dev/null:{self.ports[0]:#x}\n'
            f"LIBPATH {driver}\nCHANNELID {self.ports[0]:#x}\n"
        )

    def _launch(self, program: str) -> None:
        readers = self.socket_path.with_name("readers")
        self.socket_path.unlink(missing_ok=True)
        isolation = _isolation()
        script = (_HIDE if isolation else "") + _HAND_OVER
        command = [*isolation, "sh", "-c", script, program, "--foreground", "--info", "-c", str(readers)]
        with socket.socket(socket.AF_UNIX) as listener, self._log_path().open("wb") as log:
            listener.bind(str(self.socket_path))
            listener.listen()
            self._process = subprocess.Popen(  # noqa: S603 - our own command line
                command,
                stdin=listener.fileno(),
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | {"LISTEN_FDS": "1"},
                start_new_session=True,  # a Ctrl-C in the terminal is ours to handle, after the card sessions ended
            )

    def _ready(self) -> bool:
        """True when the readers are up, False when somebody took the ports first."""
        assert self._process is not None
        for _ in range(round(_START_SECONDS / _POLL_SECONDS)):
            log = self._log_path().read_text("utf-8", "replace")
            if _PORT_TAKEN in log:
                return False
            if _READY in log:
                return True
            if self._process.poll() is not None:
                self.stop()
                raise ReaderUnavailable(f"a private pcscd ended at once: {log.strip() or 'it said nothing'}")
            time.sleep(_POLL_SECONDS)
        self.stop()
        raise ReaderUnavailable("a private pcscd did not get ready; look for a pcscd that hangs")

    def _log_path(self) -> Path:
        return self.socket_path.with_name("log")


class SystemPcscd:
    """The machine's PC/SC daemon, at the standard place, where every tool finds it without being told.

    A running one is used; otherwise one is started, and stopped again with us. Its virtual reader is the one that
    Debian's vsmartcard-vpcd configures.
    """

    ports: Final = (DEFAULT_PORT, DEFAULT_PORT + 1)
    reader_names: Final = ("Virtual PCD 00 00", "Virtual PCD 00 01")

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        return {}

    @property
    def started_here(self) -> bool:
        return self._process is not None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def start(self) -> None:
        """Use the running daemon, or start one. Raises: ReaderUnavailable: says what is missing, or who may do it."""
        require_driver()
        if answers(SYSTEM_SOCKET):
            return
        program = find_pcscd()
        if not _may_start():
            raise ReaderUnavailable("no pcscd runs and only root may start it: `sudo pcscd`, or use a private one")
        self._process = subprocess.Popen(  # noqa: S603 - our own command line
            [program, "--foreground"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for _ in range(round(_START_SECONDS / _POLL_SECONDS)):
            if answers(SYSTEM_SOCKET):
                return
            time.sleep(_POLL_SECONDS)
        self.stop()
        raise ReaderUnavailable("pcscd did not start; run `pcscd --foreground` to see why")

    def stop(self) -> None:
        if self._process is not None:
            _end(self._process)
            self._process = None


def answers(path: Path) -> bool:
    """Whether a daemon listens at this socket."""
    with socket.socket(socket.AF_UNIX) as client, contextlib.suppress(OSError):
        client.connect(str(path))
        return True
    return False


def find_pcscd() -> str:
    """Raises: ReaderUnavailable: it is not installed."""
    found = shutil.which("pcscd") or shutil.which("pcscd", path="/usr/sbin:/sbin")
    if found is None:
        raise ReaderUnavailable("pcscd is not installed: `apt-get install pcscd`")
    return found


def require_driver() -> None:
    """Raises: ReaderUnavailable: the virtual reader's driver is not installed."""
    if not VPCD_DRIVER.exists():
        raise ReaderUnavailable("the virtual reader is not installed: `apt-get install vsmartcard-vpcd`")


def _may_start() -> bool:
    return os.geteuid() == 0 or os.access(SYSTEM_SOCKET.parent, os.W_OK)


def _isolation() -> list[str]:
    """The command that gives a process its own view of the file system; empty where the kernel does not allow it."""
    unshare = shutil.which("unshare")
    if unshare is None:
        return []
    command = [unshare, "--mount"] if os.geteuid() == 0 else [unshare, "--map-root-user", "--mount"]
    probe = subprocess.run([*command, "sh", "-c", f"{_HIDE}true"], check=False, capture_output=True)  # noqa: S603
    return command if probe.returncode == 0 else []


def _free_ports() -> tuple[int, int]:
    """Two neighbours nobody listens on now: the driver takes slot 0's port and the next one."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("", 0))
            port = first.getsockname()[1]
            with contextlib.suppress(OSError, OverflowError):
                second.bind(("", port + 1))
                return port, port + 1


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
