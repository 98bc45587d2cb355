"""`./city bench batch`: signed batches, from body to durable commit on PostgreSQL; many clients of one account.

The plain batch is posted and proved; beside it the same taps as the service takes them, with the fare engine.
"""

import contextlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import hot, postgres
from bench.city import BenchCity, Validator, bench_city
from bench.frame import Figure, Options, Target, at_least, missing, race, rate
from bench.limits import VERIFY, raw_verify
from crypto import verifying

_UNIT = "taps/s"
_PROCESSES = 2  # as many as the service runs on PostgreSQL
_SMALL, _LARGE = 1024, 4096
_PORTABLE, _ACCELERATED, _WITH_FARES = at_least(0.9), at_least(2.5), at_least(0.7)
_PRICED = f"the same with journeys priced and capped: {_SMALL:,} taps (two processes)"


def figures(options: Options) -> Iterator[Figure]:
    with postgres.running_server() as server:
        yield from _signed(options, server)
    yield from hot.figures(options)


def _signed(options: Options, server: postgres.Server) -> Iterator[Figure]:
    url = server.create("batches")
    options.say("making a city")
    with (
        bench_city(url, people=options.size(1024, 128)) as town,
        _takers(url, town, "plain") as takers,
        _takers(url, town) as pricing,
    ):
        size = options.size(_SMALL, 128)
        small, one, priced = (_Senders(town, some, size) for some in (takers, takers[:1], pricing))
        two = _named(_SMALL, "two processes")
        runners = {
            VERIFY: lambda _turn: raw_verify(options.size(2000, 500)),
            two: lambda _turn: small.sent(options.size(3, 1)),
            _PRICED: lambda _turn: priced.sent(options.size(3, 1)),
            _named(_SMALL, "one batch at a time"): lambda _turn: one.sent(options.size(2, 1)),
        }
        accelerated = verifying.chosen().name == "accelerated"
        if accelerated:
            large = _Senders(town, takers, options.size(_LARGE, 256))
            runners[_named(_LARGE, "accelerator")] = lambda _turn: large.sent(options.size(2, 1))
        won = race(runners, options)
        targets: dict[str, Target] = {two: _PORTABLE}
        if accelerated:
            targets[_named(_LARGE, "accelerator")] = _ACCELERATED
        for name in runners.keys() - {VERIFY, _PRICED}:
            yield won.figure(name, _UNIT, VERIFY, targets.get(name))
        yield won.figure(_PRICED, _UNIT, two, _WITH_FARES)
        if not accelerated:
            yield missing(_named(_LARGE, "accelerator"), _UNIT, verifying.chosen().reason, _ACCELERATED)


def _named(size: int, how: str) -> str:
    return f"signed batch of {size:,} taps, body to durable commit ({how})"


class _Senders:
    """Gates that upload to some processes, each its own batches, one after the other, and each of riders of its own:
    nobody passes two gates in one minute, again and again for weeks.
    """

    def __init__(self, town: BenchCity, takers: list["_Taker"], size: int) -> None:
        self._towns = [town.part(number, _PROCESSES) for number in range(len(takers))]
        self._takers = takers
        self._size = size
        self._gates: list[Validator] = [town.validator() for _ in takers]

    def sent(self, each: int) -> float:
        """Taps a second when every gate sends `each` batches; they are signed before the clock starts."""
        with TemporaryDirectory(prefix="bench-bodies-") as folder:
            bodies: list[list[Path]] = []
            for number, (part, gate) in enumerate(zip(self._towns, self._gates, strict=True)):
                files = [Path(folder) / f"{number}-{turn}" for turn in range(each)]
                for file in files:
                    file.write_bytes(part.batch(gate, self._size))
                bodies.append(files)
            return rate(lambda: self._send(bodies))

    def _send(self, bodies: list[list[Path]]) -> int:
        taken = [0] * len(self._takers)

        def one(number: int) -> None:
            taken[number] = sum(self._takers[number].take(body) for body in bodies[number])

        threads = [threading.Thread(target=one, args=(number,)) for number in range(len(self._takers))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(taken) == sum(map(len, bodies)) * self._size, "a tap was refused"
        return sum(taken)


class _Taker:
    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def take(self, body: Path) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{body}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@contextlib.contextmanager
def _takers(url: str, town: BenchCity, *how: str) -> Iterator[list[_Taker]]:
    home = str(town.city.settings.home)
    with contextlib.ExitStack() as stack:
        started = []
        for _ in range(_PROCESSES):
            process = subprocess.Popen(
                [sys.executable, "-m", "bench.taker", url, home, *how],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=Path(__file__).parents[1],
            )
            stack.callback(process.wait)
            stack.callback(process.stdin.close)  # type: ignore[union-attr]  # it is a pipe; its end ends the process
            started.append(_Taker(process))
        yield started
