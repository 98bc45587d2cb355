"""The story at the gate: taps with the network off, then the upload, then the upload once more."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from demo.processes import HOST, free_port
from demo.story import life as story
from demo.story.kiosk_steps import balance_at_kiosk
from demo.story.life import Life
from demo.story.stage import Stage
from demo.story.values import Check, Done, Figure
from terminals.client import HttpTransport, ServiceUnreachable
from terminals.settings import TerminalKind
from terminals.station import Station
from terminals.validator import Outcome, TapResult, Validator

_MS: Final = 1000
_MARGIN_SECONDS: Final = 0.2
_STOPS: Final = (story.GATE.stop_id, "buendia")


def taps(stage: Stage, life: Life) -> Done:
    """Two rides with the network off: nothing listens where the validator looks for its service."""
    if not life.taps:
        online = stage.station(TerminalKind.VALIDATOR)
        online.refresh()  # in the morning, in the depot
        life.balance_before_taps = balance_at_kiosk(stage)
    offline = stage.station(TerminalKind.VALIDATOR, send=HttpTransport(f"http://{HOST}:{free_port()}"))
    opened: list[TapResult] = []
    # The bus went on to the next stop: by the tariff a card seen again at the same one would be the same tap.
    gates = [Validator(offline, replace(story.GATE, stop_id=stop), opened.append) for stop in _STOPS]
    again = _ride(stage, gates, life)
    reached = _reaches(offline)
    checks = (
        Check("The network is off", not reached, "nothing answers" if not reached else "the service answered"),
        Check("The gate opened once a ride", len(life.taps) == story.TAPS == len(opened), f"{len(opened)} times"),
        Check("A tap repeated at once is the same tap", again == Outcome.AGAIN, again),
        Check("The taps wait on the validator's disk", offline.outbox.waiting() == story.TAPS, f"{story.TAPS} wait"),
    )
    details: dict[str, Figure] = {
        "taps": len(life.taps),
        "fare_cents": story.FARE_CENTS,
        "slot": stage.bench.slots[1].name,
    }
    return Done(details, checks)


def _ride(stage: Stage, gates: Sequence[Validator], life: Life) -> str:
    """Tap, tap again at once, wait until that is another ride, tap. What the second tap was answered."""
    again = ""
    for number, gate in enumerate(gates):
        if number:
            time.sleep(story.GATE.duplicate_ms / _MS + _MARGIN_SECONDS)
        with stage.session(stage.bench.slots[1]) as session:
            result = gate.tap(session)
            if result.record_id is not None and result.outcome is Outcome.ACCEPTED:
                life.taps.append(result.record_id)
            if not number:
                again = gate.tap(session).code
    return again


def _reaches(station: Station) -> bool:
    try:
        station.upload()
    except ServiceUnreachable:
        return False
    return True


def upload(stage: Stage, life: Life) -> Done:
    """The network is back: the taps are uploaded; the same batch, sent again byte for byte, changes nothing."""
    station = stage.station(TerminalKind.VALIDATOR)
    if not life.batch:
        signed = station.outbox.batch(now_ms=station.now_ms(), policy_number=station.policy().number)
        life.batch = signed.content if signed else b""
    station.upload()
    after = balance_at_kiosk(stage)
    resent = station.client.upload(life.batch).results
    after_again = balance_at_kiosk(stage)
    stored = [station.outbox.find(record_id) for record_id in life.taps]
    paid = life.balance_before_taps - after
    checks = (
        Check(
            "Every tap is accepted, with a receipt",
            all(one.state == "accepted" and one.receipt for one in stored),
            ", ".join(one.state for one in stored),
        ),
        Check("The rides cost two fares", paid == story.TAPS * story.FARE_CENTS, f"{paid} centavos"),
        Check(
            "Uploading again changes nothing",
            after == after_again and [item.replayed for item in resent] == [True] * story.TAPS,
            f"{len(resent)} answered as before, balance {after_again} centavos",
        ),
    )
    return Done({"uploaded": len(stored), "sent_again": len(resent), "balance_cents": after_again}, checks)
