"""Which verifier a process uses: chosen once, at its start, and spread over the processor's cores."""

import functools
import itertools
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from crypto.keys import PublicKey
from crypto.verifying.lanes import Lanes
from crypto.verifying.multibuffer import AcceleratorAbsent, open_accelerator
from crypto.verifying.portable import Portable, Verifier

_SHARE_MIN: Final = 32  # fewer signatures than this are verified sooner than handed over


class Threaded:
    """A verifier's work on several threads: the libraries verify without the interpreter's lock.

    Threads gave 1.5 to 1.7 times one core's rate on two cores, processes 1.6 to 1.8: that is not worth processes.
    """

    def __init__(self, verifier: Verifier, threads: int) -> None:
        self._verifier = verifier
        self._threads = threads
        self._pool = ThreadPoolExecutor(max(threads - 1, 1), thread_name_prefix="verify")

    def verdicts(
        self, public_keys: Sequence[PublicKey], messages: Sequence[bytes], signatures: Sequence[bytes], /
    ) -> list[bool]:
        count = len(signatures)
        shares = min(self._threads, count // _SHARE_MIN)
        if shares < 2:  # noqa: PLR2004 - one share is no sharing
            return self._verifier.verdicts(public_keys, messages, signatures)
        bounds = [count * number // shares for number in range(shares + 1)]
        parts = [slice(start, stop) for start, stop in itertools.pairwise(bounds)]
        others = [
            self._pool.submit(self._verifier.verdicts, public_keys[part], messages[part], signatures[part])
            for part in parts[1:]
        ]
        # the first share is this thread's own work
        first = self._verifier.verdicts(public_keys[parts[0]], messages[parts[0]], signatures[parts[0]])
        return first + [verdict for other in others for verdict in other.result()]


@dataclass(frozen=True, slots=True)
class Choice:
    """`name` is "accelerated" or "portable"; `reason` says in a sentence why it is that one."""

    verifier: Verifier
    name: str
    reason: str


@functools.cache
def chosen() -> Choice:
    """This process's verifier, chosen when it is first asked for: after a fork, so that no thread is lost to it."""
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        lanes = Lanes(open_accelerator())
    except AcceleratorAbsent as absent:
        return Choice(Threaded(Portable(), threads), "portable", str(absent))
    return Choice(Threaded(lanes, threads), "accelerated", "The processor verifies eight P-256 signatures at once.")
