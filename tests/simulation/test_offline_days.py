"""Three days without a network: what the city loses stays within what its policy says it may.

Two validators: the clock of one runs six hours ahead, the other is stolen on the second day and its place taken by a
new one. Three riders: one pays, one rides far beyond their money, one has their card blocked between two legs of a
journey and goes on riding. Everything is the real service and the real terminals; only the days pass faster.
"""

import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import click
import pytest
from sqlalchemy.orm import Session

from cardsvc import audit, cards, db, devices, ledger, transactions, transit, wallets
from cardsvc.clock import FixedClock
from cardsvc.vault import Vault
from crypto.wire.policy import OfflineLimits
from terminals.card import SimulatedCard
from terminals.client import ServiceRefused
from terminals.counter import Till
from terminals.outbox import State
from terminals.settings import TerminalKind, TerminalSettings
from terminals.station import Station, enrol
from terminals.validator import Mode, Outcome, Place, TapResult, Validator
from tests.terminals.city import DAY_MS, HOUR_MS, session
from tests.terminals.service import PASSWORD, URL, CityService
from tests.town import BUS_CENTS, FEED

OFFICER = UUID(int=0x0FF1CE)
DEVICE_DAY_CENTS = 400_00
HOURS = 66  # from six in the morning to midnight of the third day
WAKING = range(16)  # of each day, counted from six
BLOCKED_AT, STOLEN_AT, REPLACED_AT = 30, 36, 40
BUS = Place("bus", "ayala", device_day_cents_max=DEVICE_DAY_CENTS)
MONEY = {"ana": 900_00, "ben": 20_00, "cora": 300_00}
RAIL_STOPS, RAIL_HOLD_CENTS = ("metro-ayala", "metro-guadalupe"), 28_00
LEGS = {"ana": 1, "ben": 4, "cora": 2}  # rides an hour


@dataclass(slots=True)
class WrongClock:
    """A terminal's clock: the city's, and so far off."""

    clock: FixedClock
    ahead_ms: int = 0

    def now_ms(self) -> int:
        return int(self.clock.now().timestamp() * 1000) + self.ahead_ms


@dataclass(frozen=True, slots=True)
class Taken:
    """A tap that a gate let through."""

    rider: str
    gate: str
    result: TapResult


@dataclass(slots=True)
class Days:
    """The city, its riders, its gates, and everything that happened at them."""

    office: CityService
    riders: dict[str, tuple[SimulatedCard, UUID, UUID]] = field(default_factory=dict)  # card, its id, the resident
    stations: dict[str, Station] = field(default_factory=dict)
    gates: dict[str, Validator] = field(default_factory=dict)
    taken: list[Taken] = field(default_factory=list)
    refused: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # rider, gate, code

    def close(self) -> None:
        for station in self.stations.values():
            station.close()

    def open_gate(self, name: str, ahead_ms: int = 0, place: Place = BUS) -> None:
        """Enrol a validator in the depot, where there is a network."""
        office, now = self.office, self.office.clock.now()
        kind = devices.DeviceKind.VALIDATOR
        code = db.run(
            office.engine,
            lambda unit: devices.invite(unit, kind, name, by=OFFICER, now=now, random_bytes=secrets.token_bytes),
        )
        settings = TerminalSettings(TerminalKind.VALIDATOR, URL, office.folder / name)
        enrol(settings, code, send=office.send)
        station = Station.open(settings, send=office.send, clock=WrongClock(office.clock, ahead_ms))
        station.refresh()
        self.stations[name], self.gates[name] = station, Validator(station, place, lambda _result: None)

    def tap(self, rider: str, gate: str) -> TapResult:
        result = self.gates[gate].tap(session(self.riders[rider][0]), rider.encode())
        if result.outcome is Outcome.ACCEPTED:
            self.taken.append(Taken(rider, gate, result))
        else:
            self.refused[rider, gate, result.code] += 1
        return result

    def owed(self, rider: str) -> int:
        return self._wallet(rider).owed_cents

    def balance(self, rider: str) -> int:
        return self._wallet(rider).balance_cents

    def _wallet(self, rider: str) -> wallets.Summary:
        resident_id = self.riders[rider][2]
        return db.run(
            self.office.engine,
            lambda unit: wallets.summary(unit, wallets.of_resident(unit, resident_id).id),
            read_only=True,
        )

    def unpaid(self, rider: str) -> int:
        """What gates let through and the books do not have: refused afterwards, or on a device that is gone."""
        return sum(
            taken.result.fare_cents for taken in self.taken if taken.rider == rider and self.state(taken) != "accepted"
        )

    def state(self, taken: Taken) -> State:
        assert taken.result.record_id is not None
        return self.stations[taken.gate].outbox.find(taken.result.record_id).state

    def lost(self, rider: str) -> int:
        return self.owed(rider) + self.unpaid(rider)


def bound(limits: OfflineLimits, validators: int, fare_cents: int) -> int:
    """E(card), in centavos: what one card can take at this many validators before the policy ends everywhere. A span of
    n days touches n + 1 calendar days.
    """
    taps = limits.card_day_taps_max * fare_cents
    full_days = -(-limits.age_lower_ms // DAY_MS) + 1
    lower_days = -(-(limits.policy_age_ms_max - limits.age_lower_ms) // DAY_MS) + 1
    full, lower = min(limits.card_day_cents_max, taps), min(limits.lower_card_day_cents_max, taps)
    return validators * (full_days * full + lower_days * lower)


@pytest.fixture
def days(tmp_path: Path, vault: Vault, clock: FixedClock) -> Iterator[Days]:
    clock.set(clock.now().replace(hour=22, minute=0, second=0, microsecond=0))  # six in the morning in Manila
    made = Days(CityService(tmp_path, vault, clock))
    yield made
    made.close()
    made.office.close()


def prepare(days: Days) -> None:
    """Fares, riders with money, two validators: all before the network goes."""
    office, now = days.office, days.office.clock.now()
    feed = {path.name: path.read_bytes() for path in sorted(FEED.glob("*.txt"))}
    db.run(office.engine, lambda unit: transit.import_feed(unit, feed, valid_from=now, by=OFFICER, now=now))
    office.fund_vault(5_000_00)
    counter = office.station(TerminalKind.COUNTER)
    till = Till(counter)
    till.open_shift(office.person("carlo"), PASSWORD, 1_000_00)
    for name, cents in MONEY.items():
        resident_id = UUID(office.resident()["id"])
        card = office.active_card(resident_id)
        top_up = till.top_up(session(card), cents).stored
        assert top_up.subject is not None
        days.riders[name] = (card, top_up.subject, resident_id)
    counter.close()
    days.open_gate("A")
    days.open_gate("B", ahead_ms=6 * HOUR_MS)


def live(days: Days) -> None:
    """The three days, hour by hour; the network is off but for one hour in the depot."""
    office, gates = days.office, ["A", "B"]
    office.send.off = True
    for hour in range(HOURS):
        if hour == REPLACED_AT:
            replace_stolen(days)
            gates = ["C", "B"]
        if hour % 24 in WAKING:
            for leg in range(max(LEGS.values())):
                for rider in (name for name, legs in LEGS.items() if leg < legs):
                    if hour == BLOCKED_AT and (rider, leg) == ("cora", 1):
                        block(days, "cora")
                    days.tap(rider, gates[(hour + leg) % 2])
                    if STOLEN_AT <= hour < REPLACED_AT:
                        days.tap("cora", "A")  # whoever has the validator has a blocked card too
                    office.clock.advance(timedelta(minutes=1))
        office.clock.set(office.clock.now().replace(minute=0, second=0) + timedelta(hours=1))


def block(days: Days, rider: str) -> None:
    now, card_id = days.office.clock.now(), days.riders[rider][1]
    db.run(days.office.engine, lambda unit: cards.suspend(unit, card_id, reason="lost", by=OFFICER, now=now))


def replace_stolen(days: Days) -> None:
    """The theft is noticed: the validator is revoked, and another one is enrolled in its place."""
    office, stolen = days.office, days.stations["A"].identity.device_id
    now = office.clock.now()
    db.run(office.engine, lambda unit: devices.revoke(unit, stolen, reason="stolen", by=OFFICER, now=now))
    office.send.off = False
    days.open_gate("C")
    office.send.off = True


def check_books(days: Days) -> None:
    vault = days.office.city.vault

    def work(unit: Session) -> None:
        ledger.check_books(unit)
        audit.check_log(unit, vault.city_keys().logs, source=transactions.contents)
        transactions.check_transactions(unit, vault)

    db.run(days.office.engine, work, read_only=True)


def report(days: Days, e: int, stolen: int) -> None:
    """To be read with `pytest -s`."""
    taps = f"{len(days.taken)} taps let through, {sum(days.refused.values())} refused"
    click.echo(f"\n{taps}; E = {e / 100:,.2f} a card over {len(days.gates)} validators. Lost:")
    for rider in days.riders:
        owed, unpaid = days.owed(rider), days.unpaid(rider)
        click.echo(f"  {rider:5} {(owed + unpaid) / 100:9,.2f}: owed {owed / 100:,.2f}, not booked {unpaid / 100:,.2f}")
    click.echo(f"  on the stolen validator {stolen / 100:,.2f}, of at most {DEVICE_DAY_CENTS / 100:,.2f} a day")


def test_three_days_without_a_network_lose_no_more_than_the_policy_allows(days: Days) -> None:
    prepare(days)
    limits = days.stations["A"].policy().limits
    live(days)
    days.office.send.off = False

    # the thief turns to the city, or the police bring the device: nothing on it counts, nothing of it is forgotten
    waiting = days.stations["A"].outbox.waiting()
    with pytest.raises(ServiceRefused):
        days.stations["A"].upload()
    assert days.stations["A"].outbox.waiting() == waiting > 0
    for name in ("B", "C"):
        days.stations[name].sync()
        assert days.stations[name].outbox.waiting() == 0
    check_books(days)

    # what went wrong was noticed, where it could be
    codes = {(rider, code) for rider, _gate, code in days.refused}
    assert ("ben", "day_cents_reached") in codes
    assert days.refused["cora", "C", "card_denied"] > 0  # C was enrolled after the block
    assert days.tap("cora", "B").code == "card_denied"  # and B has heard of it by now
    late = [one for one in days.taken if one.rider == "cora" and one.gate == "B" and days.state(one) == State.REJECTED]
    assert late
    reasons = Counter(stored.reason for stored in days.stations["B"].outbox.rejected(1_000))
    assert set(reasons) == {"card_not_active", "from_the_future"}
    assert days.unpaid("ana") > 0  # what the stolen device held, and what awaits finance

    # and the losses are within the bound
    e = bound(limits, len(days.gates), BUS_CENTS)
    stolen = sum(one.result.fare_cents for one in days.taken if one.gate == "A")
    report(days, e, stolen)
    assert all(0 <= days.lost(rider) <= e for rider in days.riders)
    assert stolen <= DEVICE_DAY_CENTS * 3

    # sending everything once more changes nothing
    owed = {rider: days.owed(rider) for rider in days.riders}
    assert [days.stations[name].sync().sent for name in ("B", "C")] == [0, 0]
    assert {rider: days.owed(rider) for rider in days.riders} == owed


def test_a_card_denied_while_its_holder_travels_pays_what_was_held_and_no_more(days: Days) -> None:
    """The gates have no network: the exit lets them out, and the city does not take the tap of a blocked card."""
    prepare(days)
    days.open_gate("in", place=Place("rail", RAIL_STOPS[0], mode=Mode.IN))
    days.open_gate("out", place=Place("rail", RAIL_STOPS[1], mode=Mode.OUT))
    days.office.send.off = True
    held = days.tap("cora", "in")
    days.office.clock.advance(timedelta(minutes=10))
    block(days, "cora")
    days.office.clock.advance(timedelta(minutes=10))
    left = days.tap("cora", "out")
    assert (held.outcome, left.outcome) == (Outcome.ACCEPTED, Outcome.ACCEPTED)
    assert held.held_cents == RAIL_HOLD_CENTS
    days.office.send.off = False
    for name in ("out", "in"):
        days.stations[name].sync()
    assert [days.state(taken) for taken in days.taken] == [State.ACCEPTED, State.REJECTED]
    assert days.balance("cora") == MONEY["cora"] - RAIL_HOLD_CENTS
    assert days.lost("cora") == 0
    assert days.tap("cora", "in").code == "card_denied"
    check_books(days)
