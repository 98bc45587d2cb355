"""The test run's own PostgreSQL server, started as the benchmarks start theirs; without one the test is skipped."""

import contextlib
from collections.abc import Iterator

from bench import postgres
from bench.postgres import Server
from tests import judging

__all__ = ["Server", "running_server"]


@contextlib.contextmanager
def running_server() -> Iterator[Server]:
    """Start a server, stop it on leaving, and leave nothing behind; ends the test where none can be started."""
    with contextlib.ExitStack() as stack:
        try:
            server = stack.enter_context(postgres.running_server())
        except postgres.PostgresMissing as error:
            judging.missing(str(error))
        yield server
