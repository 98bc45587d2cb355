"""What a rider sees and hears: one icon, one tone, one colour, and text. None of them alone says anything new."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from terminals.settings import city_time
from terminals.validator.values import Mode, Outcome, TapResult


class Icon(StrEnum):
    GO = "go"
    DONE = "done"  # an earlier tap stands
    STOP = "stop"


class Tone(StrEnum):
    SHORT = "short"
    DOUBLE = "double"
    LONG = "long"


class Colour(StrEnum):
    GREEN = "green"
    AMBER = "amber"
    RED = "red"


class AmountOf(StrEnum):
    FARE = "fare"
    HOLD = "hold"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Shown:
    """`text` is one sentence, `amount` what stands below it: "Fare PHP 13.00", "Held PHP 35.00", "" for nothing.

    `balance` is the last one that the city told this gate, with its time: "Balance PHP 120.00 at 08:12". It is from
    before this tap, and nothing is taken off it: a guess is not shown. "" where none is known.
    """

    icon: Icon
    tone: Tone
    colour: Colour
    text: str
    amount_of: AmountOf
    amount: str
    balance: str


_SIGNS: Final = {
    Outcome.ACCEPTED: (Icon.GO, Tone.SHORT, Colour.GREEN),
    Outcome.AGAIN: (Icon.DONE, Tone.DOUBLE, Colour.AMBER),
    Outcome.REFUSED: (Icon.STOP, Tone.LONG, Colour.RED),
}


def shown(result: TapResult, now_ms: int) -> Shown:
    """What is shown for a tap at that time. Every tap is shown something, in the same way each time."""
    of = _amount_of(result)
    amount = ""
    if of is AmountOf.FARE:
        amount = f"Fare {money(result.fare_cents, result.currency)}"
    elif of is AmountOf.HOLD and result.mode is Mode.IN:
        amount = f"Held {money(result.held_cents, result.currency)} until you tap out"
    elif of is AmountOf.HOLD:
        amount = f"{money(result.held_cents, result.currency)} was held: what the ride did not cost comes back"
    return Shown(*_SIGNS[result.outcome], result.text, of, amount, _last_known(result, now_ms))


def _last_known(result: TapResult, now_ms: int) -> str:
    if result.balance is None:
        return ""
    at = city_time(result.balance.at_ms)
    when = f"at {at:%H:%M}" if at.date() == city_time(now_ms).date() else f"on {at.day} {at:%b at %H:%M}"
    return f"Balance {money(result.balance.cents, result.currency)} {when}"


def money(cents: int, currency: str) -> str:
    """As riders read it: PHP 13.00."""
    return f"{currency} {cents // 100:,}.{cents % 100:02d}"


def _amount_of(result: TapResult) -> AmountOf:
    if result.outcome is Outcome.REFUSED:
        return AmountOf.NONE
    if result.mode is Mode.FLAT:
        return AmountOf.FARE
    return AmountOf.HOLD if result.held_cents else AmountOf.NONE
