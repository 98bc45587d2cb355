from collections.abc import Iterator
from pathlib import Path

import pytest

from crypto.wire.batch import open_batch
from crypto.wire.policy import OfflineLimits
from crypto.wire.transaction import Record, Transaction
from crypto.wire.transit import Tap
from terminals.card import Interface, PivSession, SimulatedCard
from terminals.client import ServiceUnreachable
from terminals.settings import TerminalKind
from terminals.station import Station
from terminals.validator import DUPLICATE_MS, Outcome, Place, TapResult, Validator
from tests.terminals.city import (
    BUS,
    DAY_MS,
    HOUR_MS,
    JUAN,
    LIMITS,
    MARIA,
    NOON_MS,
    CountingConnection,
    SetClock,
    SmallCity,
    inserted,
    session,
)

HERE = Place("bus", "stop-1")


class Gate:
    """Opens, and remembers what the disk held at that moment."""

    def __init__(self) -> None:
        self.opened: list[TapResult] = []
        self.stored: list[int] = []
        self.station: Station | None = None

    def __call__(self, result: TapResult) -> None:
        assert self.station
        self.stored.append(self.station.outbox.waiting())
        self.opened.append(result)


@pytest.fixture
def city() -> SmallCity:
    return SmallCity()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def station(city: SmallCity, clock: SetClock, gate: Gate, tmp_path: Path) -> Iterator[Station]:
    opened = city.station(tmp_path, TerminalKind.VALIDATOR, clock=clock)
    gate.station = opened
    yield opened
    opened.close()


@pytest.fixture
def validator(station: Station, gate: Gate) -> Validator:
    return Validator(station, HERE, gate)


def records(station: Station) -> list[Record]:
    signed = station.outbox.batch(now_ms=NOON_MS, policy_number=1)
    if not signed:
        return []
    opened = open_batch(signed.content, station.identity.signer.public_key)
    return [Record.decode(Transaction.decode(item).record_bytes) for item in opened.items]


def counted(card: SimulatedCard) -> tuple[PivSession, CountingConnection]:
    connection = CountingConnection(inserted(card, Interface.CONTACTLESS).connect())
    return PivSession(connection), connection


def test_a_tap_without_a_network_is_stored_and_then_opens_the_gate(
    validator: Validator, station: Station, gate: Gate, city: SmallCity
) -> None:
    result = validator.tap(session(city.card(), Interface.CONTACTLESS))
    assert (result.outcome, result.fare_cents, result.card_id) == (Outcome.ACCEPTED, BUS.amount_cents, MARIA)
    assert (gate.opened, gate.stored) == ([result], [1])
    (record,) = records(station)
    assert record.record_id == result.record_id
    assert Tap.decode(record) == Tap("bus", "stop-1", "flat", 1_300, "PHP", 1, 1)
    with pytest.raises(ServiceUnreachable):
        validator.sync()
    assert station.outbox.waiting() == 1


def test_a_card_seen_before_takes_two_apdus(validator: Validator, city: SmallCity, clock: SetClock) -> None:
    card = city.card()
    first, on_first_sight = counted(card)
    validator.tap(first, b"uid-1")
    clock.advance(HOUR_MS)
    second, seen_before = counted(card)
    assert validator.tap(second, b"uid-1").outcome is Outcome.ACCEPTED
    assert on_first_sight.sent > seen_before.sent == 2


def test_a_hint_that_leads_to_another_card_costs_time_and_nothing_else(
    validator: Validator, station: Station, city: SmallCity
) -> None:
    validator.tap(session(city.card()), b"uid-1")
    result = validator.tap(session(city.card(JUAN, secret=8)), b"uid-1")
    assert (result.outcome, result.card_id) == (Outcome.ACCEPTED, JUAN)
    assert len(records(station)) == 2


def test_the_same_card_again_is_the_same_tap_and_opens_no_gate(
    validator: Validator, station: Station, gate: Gate, city: SmallCity, clock: SetClock
) -> None:
    card = city.card()
    first = validator.tap(session(card))
    clock.advance(DUPLICATE_MS - 1)
    again = validator.tap(session(card))
    assert (again.outcome, again.record_id) == (Outcome.AGAIN, first.record_id)
    assert (len(records(station)), len(gate.opened)) == (1, 1)
    clock.advance(1)
    assert validator.tap(session(card)).outcome is Outcome.ACCEPTED


def test_a_card_on_the_deny_list_is_refused(
    validator: Validator, station: Station, gate: Gate, city: SmallCity
) -> None:
    station.policies.keep(city.policy(number=2, deny=(JUAN, MARIA)))
    result = validator.tap(session(city.card()))
    assert (result.outcome, result.code) == (Outcome.REFUSED, "card_denied")
    assert (records(station), gate.opened) == ([], [])


def test_another_citys_card_is_refused(validator: Validator, station: Station, city: SmallCity) -> None:
    assert city is not None
    result = validator.tap(session(SmallCity(2).card()))
    assert (result.outcome, result.code) == (Outcome.REFUSED, "foreign_card")
    assert records(station) == []


def test_an_expired_card_is_refused(validator: Validator, city: SmallCity, clock: SetClock) -> None:
    card = city.card(days=0)
    clock.advance(1_000)
    assert validator.tap(session(card)).code == "foreign_card"


def test_a_blank_card_is_refused(validator: Validator) -> None:
    assert validator.tap(session(SimulatedCard.blank())).code == "card_object_missing"


def test_a_card_with_a_copied_certificate_is_refused_and_leaves_nothing(
    validator: Validator, station: Station, gate: Gate, city: SmallCity
) -> None:
    copy, other = city.card(), city.card(JUAN, secret=8)
    copy.state.keys = other.state.keys
    assert validator.tap(session(copy)).code == "card_not_genuine"
    assert (records(station), gate.opened) == ([], [])


def test_a_card_may_not_ride_more_often_than_a_day_allows(
    validator: Validator, city: SmallCity, clock: SetClock
) -> None:
    card = city.card()
    codes = []
    for _ in range(LIMITS.card_day_taps_max + 1):
        codes.append(validator.tap(session(card)).code)
        clock.advance(60_000)
    assert codes == ["accepted"] * 5 + ["day_taps_reached"]
    clock.advance(12 * HOUR_MS)  # past midnight in Manila
    assert validator.tap(session(card)).code == "accepted"


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (OfflineLimits(1_000, 10_000, 5, DAY_MS), "fare_over_limit"),
        (OfflineLimits(5_000, 1_000, 5, DAY_MS), "day_cents_reached"),
    ],
)
def test_a_fare_over_the_policys_limits_is_refused(
    validator: Validator, station: Station, city: SmallCity, limits: OfflineLimits, code: str
) -> None:
    station.policies.keep(city.policy(number=2, limits=limits))
    assert validator.tap(session(city.card())).code == code


def test_the_ceilings_survive_a_restart(city: SmallCity, clock: SetClock, tmp_path: Path) -> None:
    card = city.card()
    codes = []
    for _ in range(LIMITS.card_day_taps_max + 1):
        station = city.station(tmp_path, TerminalKind.VALIDATOR, clock=clock)
        codes.append(Validator(station, HERE, lambda _result: None).tap(session(card)).code)
        station.close()
        clock.advance(60_000)
    assert codes[-1] == "day_taps_reached"


def test_a_place_without_a_fare_refuses_everybody(station: Station, gate: Gate, city: SmallCity) -> None:
    validator = Validator(station, Place("ferry", "pier"), gate)
    assert validator.tap(session(city.card())).code == "no_fare"


def test_a_policy_past_its_time_stops_the_validator(validator: Validator, city: SmallCity, clock: SetClock) -> None:
    clock.advance(DAY_MS)
    assert validator.tap(session(city.card())).code == "policy_too_old"


def test_a_clock_that_runs_behind_the_policy_stops_the_validator(
    validator: Validator, city: SmallCity, clock: SetClock
) -> None:
    clock.advance(-HOUR_MS)
    assert validator.tap(session(city.card())).code == "clock_behind"


def test_a_validator_without_a_policy_says_so(city: SmallCity, gate: Gate, tmp_path: Path) -> None:
    station = city.station(tmp_path, TerminalKind.VALIDATOR, policy=b"")
    assert Validator(station, HERE, gate).tap(session(city.card())).code == "no_policy"
    station.close()


@pytest.mark.parametrize("torn_at", [1, 2, 3, 4])
def test_a_card_pulled_away_leaves_nothing_and_may_tap_again(
    validator: Validator, station: Station, city: SmallCity, torn_at: int
) -> None:
    card = city.card()
    reader = inserted(card)
    connection = CountingConnection(reader.connect())

    class Pulled(CountingConnection):
        def transmit(self, frame: bytes | bytearray) -> bytes:
            if self.sent + 1 == torn_at:
                reader.remove()
            return CountingConnection.transmit(self, frame)

    result = validator.tap(PivSession(Pulled(connection)))
    assert (result.outcome, result.code) == (Outcome.REFUSED, "card_removed")
    assert records(station) == []
    assert validator.tap(session(card)).outcome is Outcome.ACCEPTED
