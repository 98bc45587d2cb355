"""Gates where a ride begins and ends, the limits of a device, and a full disk: what they let through, and what not."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from crypto.wire.policy import FlatFare, OfflineLimits
from crypto.wire.transit import Tap
from terminals.card import PivSession, SimulatedCard
from terminals.outbox import Balance, Outbox, OutboxForeign, StoredElsewhere
from terminals.settings import TerminalKind
from terminals.station import Station
from terminals.validator import DUPLICATE_MS, PASS_BACK_MS, Mode, Outcome, Place, TapResult, Validator, shown
from tests.terminals.city import (
    BUS,
    DAY_MS,
    HOUR_MS,
    JUAN,
    MARIA,
    NOON_MS,
    CountingConnection,
    SetClock,
    SmallCity,
    inserted,
    session,
)

HOLD = FlatFare("metro", "adult", 3_500, "PHP")
IN = Place("metro", "ayala", mode=Mode.IN)
OUT = Place("metro", "ayala", mode=Mode.OUT)
IDS = {name: UUID(f"01890a5d-ac96-774b-bcce-b302099a80{place:02x}") for place, name in enumerate("abc", start=1)}


@dataclass
class Line:
    """Two gates in and one out at one stop, on one computer: each has its own outbox, and reads the others'."""

    city: SmallCity
    clock: SetClock
    stations: dict[str, Station]
    gates: dict[str, Validator]

    def tap(self, gate: str, card: SimulatedCard) -> TapResult:
        return self.gates[gate].tap(session(card))


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    city, clock = SmallCity(), SetClock()
    policy = city.policy(holds=(HOLD,))
    stations = {
        name: city.station(tmp_path / name, TerminalKind.VALIDATOR, clock=clock, policy=policy, device_id=device_id)
        for name, device_id in IDS.items()
    }
    gates = {
        name: Validator(
            station,
            OUT if name == "c" else IN,
            lambda _result: None,
            siblings=[StoredElsewhere(tmp_path / other / "outbox.sqlite") for other in IDS if other != name],
        )
        for name, station in stations.items()
    }
    yield Line(city, clock, stations, gates)
    for station in stations.values():
        station.close()


def stored(station: Station, card_id: UUID = MARIA) -> list[Tap]:
    return [Tap.decode(found.record) for found in station.outbox.of_subject(Tap.KIND, card_id, 0)]


def test_a_ride_is_held_at_entry_and_closed_at_exit(line: Line) -> None:
    card = line.city.card()
    came = line.tap("a", card)
    line.clock.advance(20 * 60_000)
    left = line.tap("c", card)
    assert (came.outcome, came.mode, came.fare_cents, came.held_cents) == (Outcome.ACCEPTED, Mode.IN, 3_500, 3_500)
    assert (left.outcome, left.mode, left.fare_cents, left.held_cents) == (Outcome.ACCEPTED, Mode.OUT, 0, 3_500)
    assert stored(line.stations["a"]) == [Tap("metro", "ayala", "in", 3_500, "PHP", 1, 1)]
    assert stored(line.stations["c"]) == [Tap("metro", "ayala", "out", 0, "PHP", 1, 1)]
    assert "Held PHP 35.00" in shown(came, 0).amount
    assert "comes back" in shown(left, 0).amount


def test_an_exit_of_a_ride_that_began_elsewhere_is_recorded_and_says_no_amount(line: Line) -> None:
    left = line.tap("c", line.city.card())
    assert (left.outcome, left.held_cents, shown(left, 0).amount) == (Outcome.ACCEPTED, 0, "")


@pytest.mark.parametrize("gate", ["a", "b"])
def test_a_card_that_is_passed_back_is_refused_at_every_gate_of_the_line_without_a_record(
    line: Line, gate: str
) -> None:
    card = line.city.card()
    line.tap("a", card)
    line.clock.advance(DUPLICATE_MS)
    refused = line.tap(gate, card)
    assert (refused.outcome, refused.code, refused.record_id) == (Outcome.REFUSED, "pass_back", None)
    assert sum(station.outbox.waiting() for station in line.stations.values()) == 1
    assert line.tap(gate, line.city.card(JUAN, secret=8)).outcome is Outcome.ACCEPTED
    line.clock.advance(PASS_BACK_MS)
    assert line.tap(gate, card).outcome is Outcome.ACCEPTED


def test_a_card_that_owes_a_fare_is_not_let_in_and_is_let_out(line: Line) -> None:
    card = line.city.card()
    assert line.tap("a", card).outcome is Outcome.ACCEPTED
    for station in line.stations.values():
        station.denials.keep_list(line.city.deny_list(1, owing=(MARIA,)), line.city.keys.format())
    assert line.tap("a", card).outcome is Outcome.AGAIN  # the tap that began the ride stands
    line.clock.advance(HOUR_MS)
    assert line.tap("c", card).outcome is Outcome.ACCEPTED
    refused = line.tap("b", card)
    assert (refused.outcome, refused.code, refused.record_id) == (Outcome.REFUSED, "fare_owed", None)
    assert line.tap("b", line.city.card(JUAN, secret=8)).outcome is Outcome.ACCEPTED


def test_whoever_went_out_may_come_in_again_at_once(line: Line) -> None:
    card = line.city.card()
    for gate in "acbc":
        assert line.tap(gate, card).outcome is Outcome.ACCEPTED
        line.clock.advance(DUPLICATE_MS)


def test_each_direction_has_its_own_window_of_duplicates(line: Line) -> None:
    card = line.city.card()
    first = line.tap("a", card)
    again = line.tap("a", card)
    assert (again.outcome, again.record_id, again.held_cents) == (Outcome.AGAIN, first.record_id, 3_500)
    assert line.tap("c", card).outcome is Outcome.ACCEPTED
    assert line.tap("c", card).outcome is Outcome.AGAIN
    assert sum(station.outbox.waiting() for station in line.stations.values()) == 2


def test_a_known_card_takes_two_commands_in_and_out(line: Line) -> None:
    card = line.city.card()
    for gate in "ac":
        line.gates[gate].tap(session(card), b"uid")
    line.clock.advance(HOUR_MS)
    for gate in "ac":
        connection = CountingConnection(inserted(card).connect())
        assert line.gates[gate].tap(PivSession(connection), b"uid").outcome is Outcome.ACCEPTED
        assert connection.sent == 2


def test_a_gate_whose_network_has_no_hold_takes_nobody(line: Line) -> None:
    place = Place("bus", "stop-1", mode=Mode.IN)
    gate = Validator(line.stations["a"], place, lambda _result: None)
    assert gate.tap(session(line.city.card())).code == "no_fare"


def test_the_day_of_a_card_is_counted_in_holds_and_an_exit_is_never_refused_for_money(line: Line) -> None:
    card, codes = line.city.card(), []
    for gate in "acacac":  # 2 holds of 35 pesos are 70 of the 100 that a card may take at one gate
        codes.append(line.tap(gate, card).code)
        line.clock.advance(DUPLICATE_MS)
    assert codes == ["accepted"] * 4 + ["day_cents_reached", "accepted"]


def test_a_sibling_that_cannot_be_read_keeps_nobody_out(tmp_path: Path, line: Line) -> None:
    broken = tmp_path / "broken.sqlite"
    broken.write_bytes(b"no database at all, and long enough to tell" * 40)
    gate = Validator(line.stations["a"], IN, lambda _result: None, siblings=[StoredElsewhere(broken)])
    assert gate.tap(session(line.city.card())).outcome is Outcome.ACCEPTED


def test_a_siblings_outbox_that_is_missing_counts_nothing_and_a_damaged_one_is_said(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    assert StoredElsewhere(path).of_subject(Tap.KIND, MARIA, 0) == ()
    path.write_bytes(b"no database at all, and long enough to tell" * 40)
    with pytest.raises(OutboxForeign):
        StoredElsewhere(path).of_subject(Tap.KIND, MARIA, 0)


# ------------------------------------------------------------------------------------------------- limits of the device


@pytest.mark.parametrize("by_policy", [True, False])
def test_a_device_takes_no_more_in_a_day_than_it_may_of_all_cards_together(tmp_path: Path, by_policy: bool) -> None:
    city, clock, most = SmallCity(), SetClock(), 2 * BUS.amount_cents + 1
    limits = OfflineLimits(5_000, 10_000, 9, 2 * DAY_MS, device_day_cents_max=most if by_policy else 0)
    place = Place("bus", "stop-1", device_day_cents_max=0 if by_policy else most)
    codes = []
    for number in range(3):  # each time after a restart
        station = city.station(tmp_path, TerminalKind.VALIDATOR, clock=clock, policy=city.policy(limits=limits))
        gate = Validator(station, place, lambda _result: None)
        codes.append(gate.tap(session(city.card(UUID(int=(4 << 76) | (8 << 60) | number), secret=9 + number))).code)
        station.close()
    assert codes == ["accepted", "accepted", "device_day_reached"]
    clock.advance(12 * HOUR_MS)  # past midnight in Manila
    station = city.station(tmp_path, TerminalKind.VALIDATOR, clock=clock)
    assert Validator(station, place, lambda _result: None).tap(session(city.card())).outcome is Outcome.ACCEPTED
    station.close()


def test_what_a_device_took_is_counted_once_and_from_midnight(tmp_path: Path) -> None:
    city, clock = SmallCity(), SetClock()
    station = city.station(tmp_path, TerminalKind.VALIDATOR, clock=clock)
    gate = Validator(station, Place("bus", "stop-1", device_day_cents_max=3 * BUS.amount_cents), lambda _result: None)
    codes = []
    for number in range(8):
        if number == 4:
            clock.advance(12 * HOUR_MS)
        codes.append(gate.tap(session(city.card(UUID(int=(4 << 76) | (8 << 60) | number), secret=9 + number))).code)
    assert codes == (["accepted"] * 3 + ["device_day_reached"]) * 2
    station.close()


# ------------------------------------------------------------------------------------------------------ a full storage


@pytest.mark.parametrize("full", ["disk", "outbox"])
def test_a_full_storage_is_found_before_the_card_is_asked_for_anything(tmp_path: Path, full: str) -> None:
    city = SmallCity()
    station = city.station(tmp_path, TerminalKind.VALIDATOR)
    gate = Validator(station, Place("bus", "stop-1"), lambda _result: None)
    assert gate.tap(session(city.card())).outcome is Outcome.ACCEPTED
    station.outbox.close()
    free_bytes_min, waiting_max = (2**62, 9) if full == "disk" else (0, 1)
    station.outbox = Outbox(
        tmp_path / "outbox.sqlite", station.identity, free_bytes_min=free_bytes_min, waiting_max=waiting_max
    )
    opened: list[TapResult] = []
    gate = Validator(station, Place("bus", "stop-1"), opened.append)
    connection = CountingConnection(inserted(city.card(JUAN, secret=8)).connect())
    refused = gate.tap(PivSession(connection))
    assert (refused.outcome, refused.code) == (Outcome.REFUSED, "terminal_storage_full")
    assert (connection.sent, opened, station.outbox.waiting()) == (0, [], 1)
    station.close()


def test_a_storage_that_was_emptied_takes_taps_again(tmp_path: Path) -> None:
    city = SmallCity()
    station = city.station(tmp_path, TerminalKind.VALIDATOR)
    station.outbox.close()
    station.outbox = Outbox(tmp_path / "outbox.sqlite", station.identity, waiting_max=1)
    gate = Validator(station, Place("bus", "stop-1"), lambda _result: None)
    assert gate.tap(session(city.card())).outcome is Outcome.ACCEPTED
    assert gate.tap(session(city.card(JUAN, secret=8))).code == "terminal_storage_full"
    (waits,) = station.outbox.of_subject(Tap.KIND, MARIA, NOON_MS)
    station.outbox.record_results([Answered(waits.record_id)])
    assert gate.tap(session(city.card(JUAN, secret=8))).outcome is Outcome.ACCEPTED
    station.close()


@dataclass(frozen=True)
class Answered:
    record_id: UUID
    outcome: str = "accepted"
    reason: str | None = None
    detail: str | None = None
    receipt: bytes | None = b"receipt"
    balance: Balance | None = None
