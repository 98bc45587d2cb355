"""A thread for calls that may never return. PC/SC has no time-outs: whoever asks must be able to stop waiting."""

import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar

_T = TypeVar("_T")
_END: Final = None


class CallStuck(Exception):
    """The call did not return in time. It is still being made, and what comes of it is thrown away."""


class Worker:
    """Makes one call after another in a thread of its own.

    A call that hangs cannot be ended from outside (SCardCancel does not end a transmit: measured). So the thread is
    left with it, and takes no further calls until it comes back. It is a daemon thread: it keeps no process alive.
    """

    def __init__(self, name: str) -> None:
        self._calls: queue.SimpleQueue[Callable[[], Any] | None] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[tuple[bool, Any]] = queue.SimpleQueue()
        self._owed = False
        threading.Thread(target=_work, args=(self._calls, self._results), daemon=True, name=name).start()

    @property
    def stuck(self) -> bool:
        """Whether it still waits for a call that somebody gave up."""
        if self._owed:
            try:
                self._results.get_nowait()
            except queue.Empty:
                return True
            self._owed = False
        return False

    def run(self, call: Callable[[], _T], seconds: float) -> _T:
        """What the call returns or raises. Asked by one thread at a time.

        Raises:
            CallStuck: it took longer than `seconds`, or an earlier one still does. Whether it is done is unknown.
        """
        if self.stuck:
            raise CallStuck
        self._calls.put(call)
        try:
            returned, value = self._results.get(timeout=seconds)
        except queue.Empty:
            self._owed = True
            raise CallStuck from None
        if not returned:
            raise value
        result: _T = value
        return result

    def end(self, last: Callable[[], None], seconds: float) -> None:
        """Make one last call, then end the thread. Behind a stuck call it waits its turn, and we do not wait for it."""
        if self.stuck:
            self._calls.put(last)
        else:
            with contextlib.suppress(CallStuck):
                self.run(last, seconds)
        self._calls.put(_END)


def _work(calls: "queue.SimpleQueue[Callable[[], Any] | None]", results: "queue.SimpleQueue[tuple[bool, Any]]") -> None:
    """No method, so that the thread does not keep its worker alive."""
    while (call := calls.get()) is not _END:
        try:
            result = (True, call())
        except BaseException as error:  # noqa: BLE001 - it is raised again where the call was asked for
            result = (False, error)
        del call
        results.put(result)
        del result
