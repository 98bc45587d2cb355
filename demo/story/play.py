"""Playing the story: step by step, each one again where the service went away in the middle of it."""

import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from demo.office import OfficeError
from demo.processes import ProcessFailed
from demo.story import counter_steps, finance_steps, gate_steps, kiosk_steps, proof_steps
from demo.story.counter_steps import NotAccepted
from demo.story.life import Life
from demo.story.stage import Stage, stage
from demo.story.values import Check, Done, Report, Step
from terminals.card import CardError
from terminals.client import ClientError, ServiceUnreachable
from terminals.counter import CounterError
from terminals.outbox import OutboxError
from terminals.station import StationError

_ATTEMPTS: Final = 3
# What a step may fail with, other than a bug: it is told as a failed step, and the rest is not played.
_FAILURES: Final = (
    OfficeError,
    NotAccepted,
    ProcessFailed,
    ClientError,
    CardError,
    CounterError,
    OutboxError,
    StationError,
    OSError,
    ValueError,
)

Play = Callable[[Stage, Life], Done]
Tell = Callable[[Step], None]


@dataclass(frozen=True, slots=True)
class Scene:
    """A step of the chain. `reading`: it changes nothing at the service, so any request is its middle."""

    name: str
    title: str
    play: Play
    reading: bool = False


SCENES: Final = (
    Scene("terminals", "A counter, a kiosk and a validator are enrolled", counter_steps.terminals),
    Scene("register", "A resident is registered", counter_steps.register),
    Scene("card", "A card is requested, approved, personalised, handed over", counter_steps.card),
    Scene("verify", "The card is verified by a fresh challenge", counter_steps.verify, reading=True),
    Scene("treasury", "The treasury funds a programme and draws cash", counter_steps.treasury),
    Scene("top-up", "A cashier takes cash for the wallet", counter_steps.top_up),
    Scene("taps", "Two taps at the validator, network off", gate_steps.taps),
    Scene("upload", "The taps are uploaded, and uploaded again", gate_steps.upload),
    Scene("cycle", "A benefit is drafted by one officer, approved by another", kiosk_steps.cycle),
    Scene("claim", "The benefit is claimed at the kiosk with card and PIN", kiosk_steps.claim),
    Scene("bill", "A tax bill is imported", kiosk_steps.bill),
    Scene("payment", "The bill is paid at the kiosk with card and PIN", kiosk_steps.payment),
    Scene("page", "The resident reads the balance on the web", finance_steps.page),
    Scene("bank", "The bank's statement is imported and matched", finance_steps.bank),
    Scene("books", "The books are proven", proof_steps.books, reading=True),
    Scene("log", "Log and receipt are verified offline", proof_steps.log, reading=True),
)
EVERY: Final = "every"
NAMES: Final = tuple(scene.name for scene in SCENES)


def play(database_url: str, tell: Tell, *, kill_at: str | None = None) -> Report:
    """Play all of it in a city of its own, which is gone afterwards. `tell` hears of each step when it ends.

    `kill_at` names a step in whose middle the service is killed (-9) and started again, or is "every" for all of them.
    """
    steps: list[Step] = []
    checks: list[Check] = []
    log: str | None = None
    with stage(database_url) as made:
        life, folder = Life(), made.folder
        for scene in SCENES:
            if kill_at in (scene.name, EVERY):
                made.wire.arm(reading=scene.reading)
            step, proven = _play(scene, made, life)
            made.wire.disarm()
            steps.append(step)
            checks += proven
            tell(step)
            if not step.ok:
                log = _keep_log(folder)
                break
        if kill_at:
            wanted = len(SCENES) if kill_at == EVERY else 1
            checks.append(Check("The service was killed", made.wire.crashes == wanted, f"{made.wire.crashes} times"))
    checks.append(Check("Nothing is left behind", not folder.exists(), str(folder)))
    return Report(tuple(steps), tuple(checks), log)


def _play(scene: Scene, made: Stage, life: Life) -> tuple[Step, tuple[Check, ...]]:
    began = time.monotonic_ns()

    def step(done: Done, attempts: int, *, ok: bool) -> Step:
        ms = (time.monotonic_ns() - began) // 1_000_000
        return Step(scene.name, scene.title, ok, ms, attempts, done.details)

    for attempt in range(1, _ATTEMPTS + 1):
        try:
            made.service.ensure()
            done = scene.play(made, life)
        except ServiceUnreachable as error:
            last: Exception = error
        except _FAILURES as error:
            return step(Done(_told(error)), attempt, ok=False), ()
        else:
            return step(done, attempt, ok=all(check.ok for check in done.checks)), done.checks
    return step(Done(_told(last)), _ATTEMPTS, ok=False), ()


def _told(error: Exception) -> dict[str, str | int | bool | None]:
    return {"error": str(getattr(error, "code", type(error).__name__)), "message": str(error)}


def _keep_log(folder: Path) -> str | None:
    """Copy the service's log to where it outlives the stage."""
    log = folder / "service.log"
    if not log.exists():
        return None
    kept = Path(tempfile.mkdtemp(prefix="city-story-log-")) / log.name
    shutil.copyfile(log, kept)
    return str(kept)
