"""The inspector's handheld: what it can prove, and what it says plainly that it cannot know."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from crypto.wire.policy import FlatFare
from terminals.card import PivSession, SimulatedCard
from terminals.card.apdu import INS_GENERAL_AUTHENTICATE
from terminals.outbox import StoredElsewhere
from terminals.settings import TerminalKind
from terminals.station import News, Station
from terminals.validator import Finding, Inspection, Inspector, Mode, Place, Validator
from tests.terminals.city import (
    BUS,
    DAY_MS,
    HOUR_MS,
    JUAN,
    MARIA,
    CountingConnection,
    SetClock,
    SmallCity,
    inserted,
    session,
)

BUS_STOP = Place("bus", "stop-1")
HOLD = FlatFare("metro", "adult", 3_500, "PHP")
HANDHELD = UUID("01890a5d-ac96-774b-bcce-b302099a8099")


@pytest.fixture
def city() -> SmallCity:
    return SmallCity()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def bus(city: SmallCity, clock: SetClock, tmp_path: Path) -> Iterator[Station]:
    """The validator on the bus."""
    opened = city.station(
        tmp_path / "bus", TerminalKind.VALIDATOR, clock=clock, policy=city.policy(fares=(BUS,), holds=(HOLD,))
    )
    yield opened
    opened.close()


@pytest.fixture
def handheld(city: SmallCity, clock: SetClock, tmp_path: Path) -> Iterator[Station]:
    opened = city.station(tmp_path / "handheld", TerminalKind.VALIDATOR, clock=clock, device_id=HANDHELD)
    yield opened
    opened.close()


@pytest.fixture
def siblings(tmp_path: Path) -> list[StoredElsewhere]:
    return [StoredElsewhere(tmp_path / "bus" / "outbox.sqlite")]


def asked(
    station: Station, siblings: list[StoredElsewhere], card: SimulatedCard, place: Place = BUS_STOP
) -> Inspection:
    return Inspector(station, place, siblings).inspect(session(card))


def test_a_tap_of_a_sibling_answers_that_the_card_paid(
    bus: Station, handheld: Station, siblings: list[StoredElsewhere], city: SmallCity
) -> None:
    taken = Validator(bus, BUS_STOP, lambda _result: None).tap(session(city.card()))
    found = asked(handheld, siblings, city.card())
    assert (found.finding, found.news) == (Finding.PAID, News.FRESH)
    assert found.tap
    assert found.tap.record_id == taken.record_id
    assert asked(handheld, siblings, city.card(JUAN, secret=8)).finding is Finding.NO_TAP_KNOWN


def test_without_the_siblings_records_it_says_that_it_cannot_know(
    bus: Station, handheld: Station, city: SmallCity
) -> None:
    Validator(bus, BUS_STOP, lambda _result: None).tap(session(city.card()))
    found = asked(handheld, [], city.card())
    assert (found.finding, found.tap) == (Finding.NO_TAP_KNOWN, None)
    assert "does not prove" in found.text
    assert any("records are not on this device" in sentence for sentence in found.unknown)


def test_a_ride_that_ended_or_lies_too_long_ago_is_not_the_ride_somebody_is_on(
    bus: Station, handheld: Station, siblings: list[StoredElsewhere], city: SmallCity, clock: SetClock
) -> None:
    metro = Place("metro", "ayala")
    gate_in = Validator(bus, Place("metro", "ayala", mode=Mode.IN), lambda _result: None)
    gate_out = Validator(bus, Place("metro", "buendia", mode=Mode.OUT), lambda _result: None)
    card = city.card()

    def finding() -> Finding:
        return asked(handheld, siblings, card, metro).finding

    gate_in.tap(session(card))
    assert (finding(), asked(handheld, siblings, card).finding) == (Finding.PAID, Finding.NO_TAP_KNOWN)
    clock.advance(HOUR_MS)
    gate_out.tap(session(card))
    assert finding() is Finding.NO_TAP_KNOWN
    clock.advance(HOUR_MS)
    gate_in.tap(session(card))
    clock.advance(metro.ride_ms)
    assert finding() is Finding.NO_TAP_KNOWN


def test_it_takes_one_signature_and_leaves_no_record(
    handheld: Station, siblings: list[StoredElsewhere], city: SmallCity
) -> None:
    connection = CountingConnection(inserted(city.card()).connect())
    Inspector(handheld, BUS_STOP, siblings).inspect(PivSession(connection))
    assert connection.instructions.count(INS_GENERAL_AUTHENTICATE) == 1
    assert connection.sent <= 4
    assert handheld.outbox.waiting() == 0


def test_that_an_earlier_fare_is_owed_is_said_beside_the_finding(
    bus: Station, handheld: Station, siblings: list[StoredElsewhere], city: SmallCity
) -> None:
    Validator(bus, BUS_STOP, lambda _result: None).tap(session(city.card()))
    assert not asked(handheld, siblings, city.card()).owes
    handheld.denials.keep_list(city.deny_list(1, owing=(MARIA,)), city.keys.format())
    paid, unknown = asked(handheld, siblings, city.card()), asked(handheld, [], city.card())
    assert (paid.finding, paid.owes) == (Finding.PAID, True)
    assert (unknown.finding, unknown.owes) == (Finding.NO_TAP_KNOWN, True)
    assert all("An earlier fare is owed" in found.text for found in (paid, unknown))
    assert not asked(handheld, siblings, city.card(JUAN, secret=8)).owes


def test_a_blocked_card_and_one_that_is_not_the_citys_are_said_to_be_so(
    handheld: Station, siblings: list[StoredElsewhere], city: SmallCity, clock: SetClock
) -> None:
    copy, other = city.card(), city.card(JUAN, secret=8)
    copy.state.keys = other.state.keys
    assert asked(handheld, siblings, copy).code == "card_not_genuine"
    assert asked(handheld, siblings, SmallCity(2).card()).code == "foreign_card"
    handheld.policies.keep(city.policy(number=2, deny=(MARIA,)))
    assert asked(handheld, siblings, city.card()).finding is Finding.DENIED
    clock.advance(DAY_MS)
    assert asked(handheld, siblings, other).code == "policy_too_old"
