"""The taps that are stored here, and in the outboxes of the same line: by card, and what they come to in a day."""

from collections.abc import Sequence
from uuid import UUID

from crypto.wire.transit import Tap
from terminals.outbox import Outbox, Stored, StoredElsewhere
from terminals.settings import day_start_ms
from terminals.validator.values import EarlierTap, Mode


class Taken:
    """`siblings` are the outboxes of the other validators of this line, as far as they are at hand, for reading."""

    def __init__(self, outbox: Outbox, siblings: Sequence[StoredElsewhere] = ()) -> None:
        self._outbox = outbox
        self._siblings = tuple(siblings)
        self._day_ms = 0
        self._sequence = 0
        self._cents = 0

    def here(self, card_id: UUID, since_ms: int) -> tuple[EarlierTap, ...]:
        """This card's taps of this validator, in the order of its chain."""
        return tuple(_earlier(stored) for stored in self._outbox.of_subject(Tap.KIND, card_id, since_ms))

    def beside(self, card_id: UUID, since_ms: int) -> tuple[EarlierTap, ...]:
        """This card's taps of the siblings."""
        return tuple(
            _earlier(stored) for sibling in self._siblings for stored in sibling.of_subject(Tap.KIND, card_id, since_ms)
        )

    def today_cents(self, now_ms: int) -> int:
        """What all taps of this validator come to since midnight. Only what is new since the last time is read."""
        day_ms = day_start_ms(now_ms)
        if day_ms != self._day_ms:
            self._day_ms, self._sequence, self._cents = day_ms, 0, 0
        for stored in self._outbox.made_since(Tap.KIND, day_ms, after=self._sequence):
            self._sequence = stored.sequence
            self._cents += Tap.decode(stored.record).fare_cents
        return self._cents


def _earlier(stored: Stored) -> EarlierTap:
    tap = Tap.decode(stored.record)
    mode = Mode(tap.direction)
    return EarlierTap(
        stored.record_id, stored.record.at_ms, tap.network_id, tap.stop_id, mode, tap.fare_cents, tap.currency
    )
