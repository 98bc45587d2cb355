"""Why a ride costs what it costs, as text that is kept with its charge: canonical JSON, the same for the same ride."""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from cardsvc.transit.rules.pricing import COVERED, COVERED_BY, Journey
from cardsvc.transit.rules.rides import TapEvent
from cardsvc.transit.rules.tariffs import FareLine

_PRODUCT: Final = "fare_products.txt:"
GONE: Final = "gone"
"""The ending of what is no ride any more: its tap was found to belong to another one."""


def explain(journey: Journey, index: int) -> str:
    """The ride of the journey: its taps, and each rule that was used with the exact amounts before and after, in minor
    units ("2120", "10399/10").
    """
    ride = journey.rides[index]
    lines = tuple([line for line in journey.lines or () if line.ride == index])
    place = ride.network, ride.from_stop, ride.to_stop
    capped, rest = _told(journey.tariff_version, ride.ending._value_, place, ride.passed_back, lines)
    began = _moment(ride.start)
    ended = began if ride.end is ride.start else _moment(ride.end)
    return f'{{"began_at":{began},"capped":{capped},"ended_at":{ended},{rest}'


@lru_cache(maxsize=4096)  # most rides differ from another one in their moments alone
def _told(
    tariff_version: int, ending: str, place: tuple[str, str, str], passed_back: bool, lines: tuple[FareLine, ...]
) -> tuple[str, str]:
    """All but the moments, as it stands between and after them: canonical JSON has its keys in order."""
    network, from_stop, to_stop = place
    document = {
        "tariff_version": tariff_version,
        "ending": ending,
        "network": network,
        "from_stop": from_stop,
        "to_stop": to_stop,
        "passed_back": passed_back,
        "fare_cents": sum(line.amount_cents for line in lines),
        "subsidy_cents": sum(line.subsidy_cents for line in lines),
        "paid_by": payer(lines),
        "product": next((found for line in reversed(lines) if (found := _product(line))), ""),
        "steps": [
            {"step": step.name, "rule": step.rule, "before": str(step.before), "after": str(step.after)}
            for line in lines
            for step in line.steps
        ],
    }
    capped = any(step.name == "cap" for line in lines for step in line.steps)
    return _canonical(capped), _canonical(document)[1:]


def _moment(tap: TapEvent | None) -> str:
    return "null" if tap is None else f'"{tap.at.isoformat()}"'


def explain_gone() -> str:
    """Why what was charged for a ride that is none any more was given back."""
    return _canonical({"ending": GONE, "fare_cents": 0, "subsidy_cents": 0, "steps": []})


def payer(lines: Sequence[FareLine]) -> str:
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


def _canonical(document: object) -> str:
    return _ENCODER.encode(document)


_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)  # made once, not per ride
