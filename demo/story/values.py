"""What the story tells: its steps with their figures, and what was checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Figure = str | int | bool | None


@dataclass(frozen=True, slots=True)
class Check:
    """Something that must hold; `detail` says what was found."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Done:
    """What a step did, and what it proved on the way."""

    details: Mapping[str, Figure]
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """A step as it went. `attempts` is more than one where the service was killed in it."""

    name: str
    title: str
    ok: bool
    ms: int
    attempts: int
    details: Mapping[str, Figure]


@dataclass(frozen=True, slots=True)
class Report:
    """`log` is where the service's log was kept, None when all went well."""

    steps: tuple[Step, ...]
    checks: tuple[Check, ...]
    log: str | None = None

    @property
    def ok(self) -> bool:
        return all(step.ok for step in self.steps) and all(check.ok for check in self.checks) and bool(self.checks)

    def to_json(self) -> dict[str, Any]:
        steps = [
            {
                "name": step.name,
                "ok": step.ok,
                "ms": step.ms,
                "details": {"title": step.title, "attempts": step.attempts, **step.details},
            }
            for step in self.steps
        ]
        checks = [{"name": check.name, "ok": check.ok, "detail": check.detail} for check in self.checks]
        return {"ok": self.ok, "steps": steps, "checks": checks} | ({"log": self.log} if self.log else {})
