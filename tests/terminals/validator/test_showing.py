"""What is shown at the gate is one icon, one tone, one colour and a text, the same ones for the same outcome."""

from dataclasses import replace

import pytest

from terminals.card import CardMute, Interface
from terminals.outbox import Balance
from terminals.validator import AmountOf, Colour, Icon, Mode, Outcome, TapResult, Tone, shown
from terminals.validator.lights import light
from tests.terminals.city import HOUR_MS, NOON_MS, CountingConnection, SmallCity, inserted


def result(outcome: Outcome, mode: Mode = Mode.FLAT, fare_cents: int = 1_300, held_cents: int = 0) -> TapResult:
    return TapResult(outcome, outcome, "A sentence.", fare_cents=fare_cents, mode=mode, held_cents=held_cents)


@pytest.mark.parametrize(
    ("outcome", "sign"),
    [
        (Outcome.ACCEPTED, (Icon.GO, Tone.SHORT, Colour.GREEN)),
        (Outcome.AGAIN, (Icon.DONE, Tone.DOUBLE, Colour.AMBER)),
        (Outcome.REFUSED, (Icon.STOP, Tone.LONG, Colour.RED)),
    ],
)
def test_each_outcome_has_its_icon_tone_and_colour_and_no_two_share_one(
    outcome: Outcome, sign: tuple[Icon, Tone, Colour]
) -> None:
    show = shown(result(outcome), 0)
    assert (show.icon, show.tone, show.colour, show.text) == (*sign, "A sentence.")


@pytest.mark.parametrize(
    ("tap", "of", "amount"),
    [
        (result(Outcome.ACCEPTED), AmountOf.FARE, "Fare PHP 13.00"),
        (result(Outcome.AGAIN, fare_cents=123_456), AmountOf.FARE, "Fare PHP 1,234.56"),
        (result(Outcome.ACCEPTED, Mode.IN, 3_500, 3_500), AmountOf.HOLD, "Held PHP 35.00 until you tap out"),
        (
            result(Outcome.ACCEPTED, Mode.OUT, 0, 3_505),
            AmountOf.HOLD,
            "PHP 35.05 was held: what the ride did not cost comes back",
        ),
        (result(Outcome.ACCEPTED, Mode.OUT, 0), AmountOf.NONE, ""),
        (result(Outcome.REFUSED, fare_cents=0), AmountOf.NONE, ""),
    ],
)
def test_the_fare_or_the_hold_is_shown_and_nothing_where_neither_is_known(
    tap: TapResult, of: AmountOf, amount: str
) -> None:
    show = shown(tap, 0)
    assert (show.amount_of, show.amount) == (of, amount)


@pytest.mark.parametrize(
    ("at_ms", "now_ms", "text"),
    [
        (NOON_MS, NOON_MS + HOUR_MS, "Balance PHP 1,120.05 at 12:00"),
        (NOON_MS, NOON_MS + 12 * HOUR_MS - 1, "Balance PHP 1,120.05 at 12:00"),
        (NOON_MS, NOON_MS + 12 * HOUR_MS, "Balance PHP 1,120.05 on 21 Sep at 12:00"),  # midnight in the city
        (NOON_MS + HOUR_MS, NOON_MS, "Balance PHP 1,120.05 at 13:00"),  # this clock is behind
    ],
)
def test_the_last_known_balance_is_shown_with_its_time(at_ms: int, now_ms: int, text: str) -> None:
    known = replace(result(Outcome.ACCEPTED), balance=Balance(1_120_05, at_ms))
    assert shown(known, now_ms).balance == text
    assert shown(result(Outcome.ACCEPTED), now_ms).balance == ""


class Lamp(CountingConnection):
    broken = False

    def transmit(self, frame: bytes | bytearray) -> bytes:
        self.sent += 1
        self.instructions.append(frame[1])
        if self.broken:
            raise CardMute(1.0)
        return b"\x90\x00"


@pytest.mark.parametrize(
    ("reader", "interface", "sent"),
    [
        ("ACS ACR122U PICC Interface 00 00", Interface.CONTACTLESS, 1),
        ("ACS ACR122U PICC Interface 00 00", Interface.CONTACT, 0),
        ("Another reader", Interface.CONTACTLESS, 0),
    ],
)
def test_only_a_reader_whose_lamps_are_known_is_asked_to_light_them(
    reader: str, interface: Interface, sent: int
) -> None:
    lamp = Lamp(inserted(SmallCity().card(), interface).connect())
    light(lamp, reader, shown(result(Outcome.ACCEPTED), 0))
    assert lamp.sent == sent


def test_a_lamp_that_fails_changes_nothing() -> None:
    lamp = Lamp(inserted(SmallCity().card(), Interface.CONTACTLESS).connect())
    lamp.broken = True
    light(lamp, "ACR122U", shown(result(Outcome.REFUSED), 0))
    assert lamp.sent == 1
