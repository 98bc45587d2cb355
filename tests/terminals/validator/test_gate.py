from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from crypto import keys
from crypto.pki import CardSlot
from crypto.wire.batch import open_batch
from crypto.wire.policy import FlatFare, OfflineLimits
from crypto.wire.transaction import Record, Transaction
from crypto.wire.transit import Tap
from terminals.card import Interface, PivSession, SimulatedCard
from terminals.client import Reply, ServiceUnreachable
from terminals.settings import TerminalKind
from terminals.station import News, Station
from terminals.validator import DUPLICATE_MS, Colour, Icon, Outcome, Place, TapResult, Tone, Validator, shown
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


@pytest.mark.parametrize("by_key", [False, True])
def test_a_card_on_the_deny_list_that_the_policy_names_is_refused(
    validator: Validator, station: Station, gate: Gate, city: SmallCity, by_key: bool
) -> None:
    """By its key where the card itself is good: the chip of a personalisation begun again bears the same id."""
    torn, good = city.card(secret=8), city.card(secret=7)
    torn_key = keys.key_id(keys.SoftwareSigner.from_secret(8 * 1_000 + CardSlot.CARD_AUTH).public_key)
    denied = city.deny_list(1, key_ids=(torn_key,)) if by_key else city.deny_list(1, cards=(JUAN, MARIA))
    station.denials.keep_list(denied, city.keys.format())
    station.policies.keep(city.policy(number=2, deny_number=1))
    result = validator.tap(session(torn))
    assert (result.outcome, result.code) == (Outcome.REFUSED, "card_denied")
    assert (records(station), gate.opened) == ([], [])
    assert validator.tap(session(good)).code == ("accepted" if by_key else "card_denied")


def test_a_card_that_owes_a_fare_is_refused_for_that_until_a_list_no_longer_names_it(
    validator: Validator, station: Station, gate: Gate, city: SmallCity
) -> None:
    assert validator.tap(session(city.card(JUAN, secret=8)), b"uid").outcome is Outcome.ACCEPTED
    station.denials.keep_list(city.deny_list(1, owing=(JUAN, MARIA)), city.keys.format())
    station.policies.keep(city.policy(number=2, deny_number=1))
    refused = validator.tap(session(city.card()))
    assert (refused.outcome, refused.code, refused.fare_cents) == (Outcome.REFUSED, "fare_owed", 0)
    show = shown(refused, 0)
    assert (show.icon, show.tone, show.colour) == (Icon.STOP, Tone.LONG, Colour.RED)
    assert (show.text, show.amount) == ("You owe a fare. Top up or pay at a counter.", "")
    assert (len(records(station)), len(gate.opened)) == (1, 1)
    station.denials.keep_list(city.deny_list(2, owing=(JUAN,)), city.keys.format())
    assert validator.tap(session(city.card())).outcome is Outcome.ACCEPTED


def test_a_hint_does_not_lead_around_a_debt(
    validator: Validator, station: Station, city: SmallCity, clock: SetClock
) -> None:
    assert validator.tap(session(city.card()), hint=b"uid").outcome is Outcome.ACCEPTED
    station.denials.keep_list(city.deny_list(1, owing=(MARIA,)), city.keys.format())
    clock.advance(HOUR_MS)
    assert validator.tap(session(city.card()), hint=b"uid").code == "fare_owed"


def test_a_hint_does_not_lead_around_the_deny_list(validator: Validator, station: Station, city: SmallCity) -> None:
    assert validator.tap(session(city.card()), hint=b"uid").outcome is Outcome.ACCEPTED
    station.denials.keep_list(city.deny_list(1, cards=(MARIA,)), city.keys.format())
    assert validator.tap(session(city.card()), hint=b"uid").code == "card_denied"


def test_without_the_deny_list_that_the_policy_names_nobody_passes(
    validator: Validator, station: Station, gate: Gate, city: SmallCity
) -> None:
    station.policies.keep(city.policy(number=2, deny_number=7))
    assert validator.tap(session(city.card())).code == "no_deny_list"
    station.denials.keep_list(city.deny_list(6), city.keys.format())
    assert validator.tap(session(city.card())).code == "no_deny_list"
    station.denials.keep_list(city.deny_list(7), city.keys.format())
    assert validator.tap(session(city.card())).outcome is Outcome.ACCEPTED
    assert len(gate.opened) == 1


def test_old_news_warn_then_lower_the_ceilings_then_stop(
    validator: Validator, station: Station, city: SmallCity, clock: SetClock
) -> None:
    limits = OfflineLimits(5_000, 10_000, 9, DAY_MS, 2 * HOUR_MS, 4 * HOUR_MS, 1_300, 2_600)
    dear = FlatFare("ferry", "adult", 1_400, "PHP")
    station.policies.keep(city.policy(number=2, limits=limits, fares=(BUS, dear)))
    ferry = Validator(station, Place("ferry", "pier"), lambda _result: None)

    def at(hours: int) -> tuple[News, str, str]:
        clock.at_ms = NOON_MS + hours * HOUR_MS
        return (
            station.news(),
            ferry.tap(session(city.card(JUAN, secret=8))).code,
            validator.tap(session(city.card())).code,
        )

    assert at(1) == (News.FRESH, "accepted", "accepted")
    assert at(2) == (News.OLD, "accepted", "accepted")
    assert at(4) == (News.VERY_OLD, "fare_over_limit", "day_cents_reached")  # 2 rides of 13 pesos are 26 pesos
    assert at(24) == (News.VERY_OLD, "policy_too_old", "policy_too_old")


def test_a_clock_set_back_behind_what_the_city_signed_is_noticed_after_a_restart(
    city: SmallCity, clock: SetClock, tmp_path: Path
) -> None:
    """The policy alone would not tell: it was issued before the clock was set back, and is kept in force by it."""

    def send(_method: str, path: str, _headers: Mapping[str, str], _body: bytes | None) -> Reply:
        later = NOON_MS + 3 * HOUR_MS
        answers = {
            "/v1/policy": city.policy(number=2, deny_number=1),
            "/v1/deny-list": city.deny_list(1, issued_at_ms=later),
        }
        return Reply(200, answers[path])

    station = city.station(tmp_path, TerminalKind.VALIDATOR, clock=clock, send=send)
    clock.advance(3 * HOUR_MS)
    station.refresh()
    assert Validator(station, HERE, lambda _result: None).tap(session(city.card())).outcome is Outcome.ACCEPTED
    station.close()
    clock.at_ms = NOON_MS + 2 * HOUR_MS
    station = city.station(tmp_path, TerminalKind.VALIDATOR, clock=clock, policy=b"")
    assert Validator(station, HERE, lambda _result: None).tap(session(city.card())).code == "clock_behind"
    clock.at_ms = NOON_MS + 3 * HOUR_MS - 5 * 60_000
    assert Validator(station, HERE, lambda _result: None).tap(session(city.card(JUAN))).outcome is Outcome.ACCEPTED
    (tmp_path / "newest-time").write_text("not a number")
    station.close()


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
