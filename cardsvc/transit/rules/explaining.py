"""Why a ride costs what it costs, as text that is kept with its charge: canonical JSON, the same for the same ride."""

import json
from typing import Any, Final

from cardsvc.transit.rules.pricing import COVERED, COVERED_BY, Journey
from cardsvc.transit.rules.tariffs import FareLine

_PRODUCT: Final = "fare_products.txt:"
GONE: Final = "gone"
"""The ending of what is no ride any more: its tap was found to belong to another one."""


def explain(journey: Journey, index: int) -> str:
    """The ride of the journey: its taps, and each rule that was used with the exact amounts before and after, in minor
    units ("2120", "10399/10").
    """
    ride = journey.rides[index]
    lines = [line for line in journey.lines or () if line.ride == index]
    return _canonical(
        {
            "tariff_version": journey.tariff_version,
            "ending": ride.ending.value,
            "network": ride.network,
            "from_stop": ride.from_stop,
            "to_stop": ride.to_stop,
            "began_at": None if ride.start is None else ride.start.at.isoformat(),
            "ended_at": None if ride.end is None else ride.end.at.isoformat(),
            "passed_back": ride.passed_back,
            "fare_cents": sum(line.amount_cents for line in lines),
            "subsidy_cents": sum(line.subsidy_cents for line in lines),
            "paid_by": payer(lines),
            "product": next((found for line in reversed(lines) if (found := _product(line))), ""),
            "capped": any(step.name == "cap" for line in lines for step in line.steps),
            "steps": [
                {"step": step.name, "rule": step.rule, "before": str(step.before), "after": str(step.after)}
                for line in lines
                for step in line.steps
            ],
        }
    )


def explain_gone() -> str:
    """Why what was charged for a ride that is none any more was given back."""
    return _canonical({"ending": GONE, "fare_cents": 0, "subsidy_cents": 0, "steps": []})


def payer(lines: list[FareLine]) -> str:
    """The programme that pays a part of a ride; empty where none does."""
    return next((line.paid_by for line in lines if line.paid_by), "")


def read(explanation: str) -> dict[str, Any]:
    """The explanation as `explain` wrote it."""
    found: dict[str, Any] = json.loads(explanation)
    return found


def product(explanation: str) -> str:
    """The fare product of the ride; empty where none was: a pass, or a ride that lacks a tap."""
    return str(read(explanation).get("product", ""))


def pass_of(explanation: str) -> str:
    """The pass that paid the ride; empty where none did."""
    steps = read(explanation)["steps"]
    return next((str(one["rule"]).removeprefix(COVERED_BY) for one in steps if one["step"] == COVERED), "")


def capped(explanation: str) -> bool:
    """Whether a cap made the ride cheaper."""
    return bool(read(explanation).get("capped"))


def _product(line: FareLine) -> str:
    """As `conceding` names it: "fare_products.txt:3 bus_ride"."""
    named = line.steps[0].rule.partition(_PRODUCT)[2] if line.steps else ""
    return named.partition(" ")[2]


def _canonical(document: dict[str, Any]) -> str:
    return _ENCODER.encode(document)


_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)  # made once, not per ride
