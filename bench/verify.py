"""`audit verify`: how fast a whole city's evidence is proved, against the signatures that one core verifies at all."""

import itertools
import math
import multiprocessing
import resource
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from bench.frame import Figure, Options, at_least, at_most, race, seconds
from bench.limits import VERIFY, raw_verify
from bench.verify_town import Evidence, exports
from cardsvc.evidence import cores

TARGET = at_least(0.8)
SLOPE = at_most(1.1)
_KIB_TO_BYTES = 1024


def figures(options: Options) -> Iterator[Figure]:
    """The rate on one core and on all, how it grows, and how much memory it takes."""
    sizes: tuple[int, ...] = options.size((10_000, 100_000), (1_000, 10_000))
    if options.long:
        sizes = (*sizes, 1_000_000)
    options.say(f"writing the evidence of {max(sizes):,} taps")
    with exports(*sizes) as made:
        yield from _rates(made[-1] if options.quick else made[0], options)
        yield from _growth(made, options)


def _rates(evidence: Evidence, options: Options) -> Iterator[Figure]:
    """Signatures a second and core. Both sides pay for what the neighbours take."""
    count = options.size(6_000, 1_500)
    runners = {
        VERIFY: lambda _turn: raw_verify(count),
        "audit verify, one process": lambda _turn: _rate(evidence, 1),
        f"audit verify, {cores()} processes, a core": lambda _turn: _rate(evidence, cores()) / cores(),
    }
    reached = race(runners, options)
    for name in list(runners)[1:]:
        yield reached.figure(name, "signatures/s", VERIFY, TARGET)


def _rate(evidence: Evidence, jobs: int) -> float:
    verdict = evidence.verify(jobs)
    return verdict.counts.signatures / verdict.seconds


def _growth(made: list[Evidence], options: Options) -> Iterator[Figure]:
    """Time and memory at each size; the slope is the exponent of growth, 1 where it is linear."""
    spent: list[float] = []
    for evidence in made:
        options.say(f"verifying {evidence.taps:,} taps")
        spent.append(min(seconds(lambda it=evidence: it.verify(cores())) for _ in range(2)))  # type: ignore[misc]
        name = f"audit verify of {evidence.taps:,} entries"
        yield Figure(name, spent[-1], "s")
        yield Figure(f"{name}, most memory of one process", _peak(evidence) / 1e6, "MB")
    pairs = list(zip(made, spent, strict=True))
    for (less, before), (more, after) in itertools.pairwise(pairs):
        slope = math.log(after / before) / math.log(more.taps / less.taps)
        name = f"slope from {less.taps:,} to {more.taps:,} entries"
        yield Figure(name, slope, "exponent", "linear growth", slope, SLOPE)


def _peak(evidence: Evidence) -> int:
    """Bytes that a process of its own had in memory at most, or one of those that it began."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_peak_here, evidence).result()


def _peak_here(evidence: Evidence) -> int:
    evidence.verify(cores())
    whose = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
    return max(resource.getrusage(who).ru_maxrss for who in whose) * _KIB_TO_BYTES
