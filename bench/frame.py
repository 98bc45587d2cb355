"""What every bench stands on: rounds that take turns, figures with a target, and the machine they were measured on."""

import gc
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

ROUNDS = 5  # fewer say nothing: the neighbours' load comes and goes


@dataclass(frozen=True, slots=True)
class Options:
    """How thorough a run is. `quick`: less work a round, to see that it runs; `long`: also what takes minutes."""

    quick: bool = False
    long: bool = False
    rounds: int = ROUNDS
    say: Callable[[str], None] = lambda _text: None

    def size(self, full: T, quick: T) -> T:
        """How much work a round does."""
        return quick if self.quick else full


@dataclass(frozen=True, slots=True)
class Target:
    """What a ratio must be: `sense` is ">=", "<=" or "=="."""

    sense: str
    bound: float

    def holds(self, ratio: float) -> bool:
        return {">=": ratio >= self.bound, "<=": ratio <= self.bound, "==": ratio == self.bound}[self.sense]

    def __str__(self) -> str:
        return f"{self.sense} {self.bound:g}"


def at_least(bound: float) -> Target:
    return Target(">=", bound)


def at_most(bound: float) -> Target:
    return Target("<=", bound)


def exactly(bound: float) -> Target:
    return Target("==", bound)


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` in `unit` is what was measured, `ratio` the same over what `against` names. None: it could not be
    measured, or there is nothing to compare with; without a `target`, `holds` is None too.
    """

    name: str
    value: float | None
    unit: str
    against: str | None = None
    ratio: float | None = None
    target: Target | None = None

    @property
    def holds(self) -> bool | None:
        return None if self.target is None or self.ratio is None else self.target.holds(self.ratio)

    def to_json(self) -> dict[str, Any]:
        target = None if self.target is None else str(self.target)
        return {**asdict(self), "target": target, "holds": self.holds}


def missing(name: str, unit: str, reason: str, target: Target | None = None) -> Figure:
    """A figure whose peer is not here; `reason` says what is missing and how to get it."""
    return Figure(name, None, unit, f"missing: {reason}", None, target)


@dataclass(frozen=True, slots=True)
class Race:
    """What each runner reached in each round. The ratio of two is the median of the rounds' ratios."""

    values: Mapping[str, tuple[float, ...]]

    def median(self, runner: str) -> float:
        return statistics.median(self.values[runner])

    def ratio(self, runner: str, against: str) -> float:
        pairs = zip(self.values[runner], self.values[against], strict=True)
        return statistics.median(one / other for one, other in pairs)

    def figure(self, runner: str, unit: str, against: str, target: Target | None = None) -> Figure:
        return Figure(runner, self.median(runner), unit, against, self.ratio(runner, against), target)


def race(runners: Mapping[str, Callable[[int], float]], options: Options) -> Race:
    """Let the runners take turns, each handed the round's number, for `options.rounds` rounds after one to warm up.

    Who goes first changes from round to round, so that nobody always runs behind the same neighbour.
    """
    values: dict[str, list[float]] = {name: [] for name in runners}
    names = list(runners)
    for turn in range(options.rounds + 1):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            options.say(f"round {turn} of {options.rounds}: {name}" if turn else f"warming up: {name}")
            value = runners[name](turn)
            if turn:
                values[name].append(value)
    return Race({name: tuple(reached) for name, reached in values.items()})


def rate(work: Callable[[], int]) -> float:
    """How many a second: `work` answers how many it did. What others left behind is collected before, not meanwhile."""
    gc.collect()
    started = time.perf_counter()
    done = work()
    return done / (time.perf_counter() - started)


def seconds(work: Callable[[], object]) -> float:
    gc.collect()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    described = dict(_facts(Path("/proc/cpuinfo")))
    flags = described.get("flags", "").split()
    return {
        "processor": described.get("model name") or platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load": os.getloadavg()[0],
        "ifma": bool({"avx512ifma", "avx_ifma"} & set(flags)),  # whether eight signatures can be verified at once
        "system": f"{platform.system()} {platform.release()}",
        "python": ".".join(map(str, sys.version_info[:3])),
    }


def _facts(path: Path) -> Iterator[tuple[str, str]]:
    if path.exists():
        for line in path.read_text().splitlines():
            name, _, value = line.partition(":")
            if not name:
                return  # the other cores are the same
            yield name.strip(), value.strip()
