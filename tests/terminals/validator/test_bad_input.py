"""What a hostile or a broken world offers a gate: each is refused with its code, leaves no record and opens nothing."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from crypto.errors import CryptoError
from terminals.card import SimulatedCard
from terminals.client import Reply
from terminals.settings import TerminalKind
from terminals.station import DenyListRefused, Station
from terminals.validator import Finding, Inspector, Mode, Outcome, Place, TapResult, Validator
from tests.terminals.city import BUS, DAY_MS, HOUR_MS, JUAN, MARIA, NOON_MS, SetClock, SmallCity, session

CITY, OTHER = SmallCity(), SmallCity(2)
YEAR_MS = 365 * DAY_MS
NOWHERE = b'{"code": "no_delta", "detail": "Take the whole list."}'
PLACES = [Place("bus", "ayala", mode=mode) for mode in Mode]


@dataclass
class Wire:
    """What the network answers: a policy that names list 5, and whatever list is offered."""

    offered: bytes = CITY.deny_list(5)
    policy: bytes = field(default_factory=lambda: CITY.policy(number=5, deny_number=5, holds=(BUS,)))

    def __call__(self, _method: str, path: str, _headers: Mapping[str, str], _body: bytes | None) -> Reply:
        if "/deltas/" in path:
            return Reply(404, NOWHERE)
        return Reply(200, self.policy if path == "/v1/policy" else self.offered)


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def station(tmp_path: Path, clock: SetClock, wire: Wire) -> Iterator[Station]:
    opened = CITY.station(tmp_path, TerminalKind.VALIDATOR, clock=clock, send=wire, policy=b"")
    opened.refresh()
    yield opened
    opened.close()


def copied() -> SimulatedCard:
    """A certificate that anybody can read, on a card with another key."""
    card = CITY.card()
    card.state.keys = CITY.card(JUAN, secret=8).state.keys
    return card


CARDS: dict[str, tuple[Callable[[], SimulatedCard], str]] = {
    "another city's": (OTHER.card, "foreign_card"),
    "expired": (lambda: CITY.card(days=0), "foreign_card"),
    "blank": (SimulatedCard.blank, "card_object_missing"),
    "with a copied certificate": (copied, "card_not_genuine"),
}


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.mode.value)
@pytest.mark.parametrize("name", CARDS)
def test_a_bad_card_passes_in_no_mode(station: Station, clock: SetClock, place: Place, name: str) -> None:
    make, code = CARDS[name]
    opened: list[TapResult] = []
    clock.advance(1_000)
    result = Validator(station, place, opened.append).tap(session(make()), b"uid")
    assert (result.outcome, result.code, result.record_id) == (Outcome.REFUSED, code, None)
    assert (opened, station.outbox.waiting()) == ([], 0)
    assert Inspector(station, place).inspect(session(make())).finding is Finding.NOT_VALID


@pytest.mark.parametrize(
    "offered",
    [OTHER.deny_list(6, cards=(MARIA,)), CITY.deny_list(4), CITY.deny_list(5, cards=(MARIA,)), b"noise", b""],
    ids=["signed by another key", "an older one again", "another of the same number", "noise", "nothing"],
)
def test_a_bad_list_is_refused_and_the_gate_goes_on_with_the_one_it_has(
    station: Station, wire: Wire, offered: bytes
) -> None:
    wire.offered, wire.policy = offered, CITY.policy(number=6, deny_number=6)
    with pytest.raises((DenyListRefused, CryptoError)):
        station.refresh()
    held = station.denials.current()
    assert held
    assert (held.number, station.policy().number) == (5, 5)
    gate = Validator(station, PLACES[0], lambda _result: None)
    assert gate.tap(session(CITY.card())).outcome is Outcome.ACCEPTED


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.mode.value)
@pytest.mark.parametrize(("ahead_ms", "code"), [(YEAR_MS, "policy_too_old"), (-YEAR_MS, "clock_behind")])
def test_a_gate_whose_clock_is_a_year_off_makes_no_tap(
    station: Station, clock: SetClock, place: Place, ahead_ms: int, code: str
) -> None:
    clock.at_ms = NOON_MS + ahead_ms
    assert Validator(station, place, lambda _result: None).tap(session(CITY.card())).code == code
    assert station.outbox.waiting() == 0


def test_a_blocked_card_stays_out_and_in_alike(station: Station, wire: Wire, clock: SetClock) -> None:
    gate_in, gate_out = (Validator(station, place, lambda _result: None) for place in PLACES[1:])
    assert gate_in.tap(session(CITY.card())).outcome is Outcome.ACCEPTED
    wire.offered = CITY.deny_list(6, cards=(MARIA,))
    wire.policy = CITY.policy(number=6, deny_number=6, holds=(BUS,))
    clock.advance(HOUR_MS)
    station.refresh()
    assert gate_out.tap(session(CITY.card())).code == "card_denied"
    assert station.outbox.waiting() == 1
