"""Witnesses of the city's log: real ones over HTTP, as partners run them."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cardsvc.clock import FixedClock
from cardsvc.witness import Witness, WitnessKey
from cardsvc.witness.actions import make_server
from crypto import tlog


@dataclass
class Partners:
    """Witnesses by name; each keeps its memory in a folder and may be stopped and started."""

    folder: Path
    clock: FixedClock
    log: tlog.NoteVerifier
    running: dict[str, ExitStack] = field(default_factory=dict)
    urls: dict[str, str] = field(default_factory=dict)

    def key(self, name: str) -> WitnessKey:
        return WitnessKey(f"{name}.example/w", name.encode().ljust(32, b"."))

    def start(self, name: str) -> None:
        stack = ExitStack()
        witness = stack.enter_context(Witness(self.folder / name, self.key(name).signer(), [self.log]))
        server = make_server(witness, "127.0.0.1", 0, clock=self.clock, say=lambda _text: None)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        stack.callback(server.server_close)
        stack.callback(thread.join)
        stack.callback(server.shutdown)
        self.running[name] = stack
        self.urls[name] = f"http://127.0.0.1:{server.server_port}/"

    def stop(self, name: str) -> None:
        self.running.pop(name).close()

    def policy(self, count: int) -> str:
        lines = [f"witness {name} {self.key(name).signer().verifier.format()} {url}" for name, url in self.urls.items()]
        return "\n".join([*lines, f"group all-of-them {count} {' '.join(self.urls)}", "quorum all-of-them", ""])


@contextmanager
def three(folder: Path, clock: FixedClock, log: tlog.NoteVerifier) -> Iterator[Partners]:
    partners = Partners(folder, clock, log)
    for name in ("barangay7", "auditor", "province"):
        partners.start(name)
    try:
        yield partners
    finally:
        for name in list(partners.running):
            partners.stop(name)
