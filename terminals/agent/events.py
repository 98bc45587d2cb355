"""What happens at the reader, told to the page as it happens (server-sent events, WHATWG HTML 9.2)."""

import json
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

HEARTBEAT_SECONDS: Final = 15.0
_KEPT: Final = 200


@dataclass(frozen=True, slots=True)
class Event:
    """`name` is screen, status or step; `data` a JSON object on one line (templates/base.html says what is in it)."""

    number: int
    name: str
    data: str

    def encode(self) -> str:
        return f"id: {self.number}\nevent: {self.name}\ndata: {self.data}\n\n"


class EventLog:
    """The newest events, numbered from 1 in this boot. Any thread may publish, any number may follow."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque(maxlen=_KEPT)
        self._number = 0
        self._closed = False
        self._changed = threading.Condition()

    def screen(self, name: str, path: str) -> None:
        """Pages that show another screen go to the path."""
        self._publish("screen", {"screen": name, "path": path})

    def status(self, text: str, *, wrong: bool = False) -> None:
        """Words for the page's status region."""
        self._publish("status", {"text": text, "mood": "wrong" if wrong else ""})

    def step(self, name: str, state: str) -> None:
        """A line of the making of a card: "now", "done" or "failed"."""
        self._publish("step", {"name": name, "state": state, "text": state})

    def _publish(self, name: str, data: dict[str, str]) -> None:
        with self._changed:
            self._number += 1
            self._events.append(Event(self._number, name, json.dumps(data)))
            self._changed.notify_all()

    def close(self) -> None:
        """End every stream."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def last(self) -> int:
        with self._changed:
            return self._number

    def after(self, number: int, timeout: float) -> tuple[Event, ...]:
        """The events after this number, waiting up to `timeout` seconds for the first; empty when none came.

        A number from another boot is ahead of ours: such a follower gets everything that is kept.
        """
        with self._changed:
            start = number if number <= self._number else 0
            self._changed.wait_for(lambda: self._closed or self._number > start, timeout)
            return tuple(event for event in self._events if event.number > start)

    def stream(self, last_seen: int, heartbeat: float = HEARTBEAT_SECONDS) -> Iterator[str]:
        """The text of an event stream, for ever: a comment when nothing happened, so that both ends know they live."""
        yield "retry: 1000\n\n"
        while not self._closed:
            events = self.after(last_seen, heartbeat)
            for event in events:
                last_seen = event.number
                yield event.encode()
            if not events:
                yield ": still here\n\n"
