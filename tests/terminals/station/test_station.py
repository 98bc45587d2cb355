"""An enrolled terminal against the real service: enrolment, policy, and uploads that go wrong in every way."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from cardsvc import db, devices
from crypto.errors import InvalidSignature
from terminals.client import Reply, ServiceClient, ServiceRefused, ServiceUnreachable
from terminals.counter import Till
from terminals.outbox import NotEnrolled, State
from terminals.settings import SettingsError, TerminalKind, TerminalSettings, day_start_ms, load
from terminals.station import ClockBehind, NoPolicy, OtherKind, Station, enrol
from terminals.station.floor import ClockFloor
from terminals.validator import Outcome, Place, Validator
from tests.terminals.city import DAY_MS, HOUR_MS, NOON_MS, SmallCity, session
from tests.terminals.service import PASSWORD, URL, CityService


def invite(office: CityService) -> str:
    by = office.person("admin").session.staff_id
    return db.run(
        office.engine,
        lambda unit: devices.invite(
            unit,
            devices.DeviceKind.KIOSK,
            "hall",
            by=by,
            now=office.clock.now(),
            random_bytes=secrets.token_bytes,
        ),
    )


def test_a_terminal_that_is_not_enrolled_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotEnrolled):
        Station.open(TerminalSettings(TerminalKind.KIOSK, URL, tmp_path))


def test_a_kiosks_home_is_not_used_as_a_counters(office: CityService) -> None:
    office.station(TerminalKind.KIOSK).close()
    with pytest.raises(OtherKind, match="--home"):
        Station.open(TerminalSettings(TerminalKind.COUNTER, URL, office.folder / "kiosk"))


@pytest.mark.parametrize("lost", ["lose_request", "lose_answer"])
def test_an_enrolment_lost_on_the_way_is_the_same_enrolment_when_asked_again(office: CityService, lost: str) -> None:
    settings = TerminalSettings(TerminalKind.KIOSK, URL, office.folder / "hall")
    code = invite(office)
    setattr(office.send, lost, office.send.sent + 1)
    with pytest.raises(ServiceUnreachable):
        enrol(settings, code, send=office.send)
    enrolled = enrol(settings, code, send=office.send)
    again = enrol(settings, code, send=office.send)
    assert enrolled.device_id == again.device_id


def test_a_wrong_code_enrols_nobody(office: CityService) -> None:
    settings = TerminalSettings(TerminalKind.KIOSK, URL, office.folder / "hall")
    with pytest.raises(ServiceRefused) as refused:
        enrol(settings, "AAAA-BBBB-CCCC-DDDD", send=office.send)
    assert refused.value.code == "invalid_invite"
    with pytest.raises(NotEnrolled):
        Station.open(settings)


def test_a_policy_that_the_city_did_not_sign_is_refused_and_the_one_here_stays(office: CityService) -> None:
    station = office.station(TerminalKind.VALIDATOR)
    here = station.policy()
    with pytest.raises(InvalidSignature):
        station.policies.keep(SmallCity(2).policy(number=99))
    assert station.policy() == here
    station.close()


def test_an_older_policy_does_not_replace_a_newer_one(tmp_path: Path) -> None:
    city = SmallCity()
    station = city.station(tmp_path, TerminalKind.VALIDATOR, policy=city.policy(number=7))
    assert station.policies.keep(city.policy(number=6)).number == 7
    assert station.policies.keep(city.policy(number=8)).number == 8
    station.close()


def test_a_place_the_city_has_no_fare_for_is_refused_at_the_gate(office: CityService) -> None:
    station = office.station(TerminalKind.VALIDATOR)
    gate = Validator(station, Place("bus", "stop-1"), lambda _result: None)
    result = gate.tap(session(office.active_card()))
    assert (result.outcome, result.code) == (Outcome.REFUSED, "no_fare")
    station.close()


def test_a_revoked_terminals_batch_is_refused_kept_and_shown(office: CityService) -> None:
    office.fund_vault(1_000_00)
    station = office.station(TerminalKind.COUNTER)
    till, card, cashier = Till(station), office.active_card(), office.person("carlo")
    till.open_shift(cashier, PASSWORD, 100_00)
    office.send.off = True
    kept = till.top_up(session(card), 50_00).stored
    office.send.off = False
    device_id = station.identity.device_id
    office.ask("admin", "POST", f"/v1/devices/{device_id}/revocation", {"reason": "stolen"})
    with pytest.raises(ServiceRefused):
        station.upload()
    refusal = station.outbox.refusal()
    assert refusal
    assert refusal.detail
    assert station.outbox.find(kept.record_id).state is State.WAITING
    station.close()


@pytest.mark.parametrize(("outcome", "reason"), [("accepted", None), ("rejected", "insufficient_funds")])
def test_an_answer_without_its_receipt_is_not_believed(office: CityService, outcome: str, reason: str | None) -> None:
    """Whoever stands between the terminal and the city could say so, and the record would never be sent again."""
    office.fund_vault(1_000_00)
    station = office.station(TerminalKind.COUNTER)
    till, card, cashier = Till(station), office.active_card(), office.person("carlo")
    till.open_shift(cashier, PASSWORD, 100_00)
    office.send.off = True
    kept = till.top_up(session(card), 50_00).stored
    office.send.off = False
    said = {"record_id": str(kept.record_id), "outcome": outcome, "reason": reason, "detail": None, "receipt": None}

    def liar(_method: str, _path: str, _headers: Mapping[str, str], _body: bytes | None) -> Reply:
        return Reply(200, json.dumps({"results": [said]}).encode())

    honest, station.client = station.client, ServiceClient(URL, liar)
    assert station.upload().waiting == 1
    assert station.outbox.find(kept.record_id).state is State.WAITING
    station.client = honest
    assert station.upload().accepted == 1
    assert station.outbox.find(kept.record_id).state is State.ACCEPTED
    station.close()


def test_settings_name_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--service"):
        load(TerminalKind.KIOSK, {})
    found = load(TerminalKind.KIOSK, {"CITY_TERMINAL_SERVICE_URL": "http://c/", "CITY_TERMINAL_HOME": str(tmp_path)})
    assert (found.service_url, found.home, found.reader) == ("http://c", tmp_path, "")
    told = load(TerminalKind.KIOSK, {}, service_url="http://c", home=tmp_path, reader="ACR")
    assert told == replace(found, reader="ACR")


def test_a_day_begins_at_midnight_in_manila() -> None:
    assert day_start_ms(NOON_MS) == NOON_MS - 12 * HOUR_MS
    assert day_start_ms(NOON_MS + 12 * HOUR_MS) == NOON_MS + 12 * HOUR_MS
    assert day_start_ms(NOON_MS + 12 * HOUR_MS - 1) == NOON_MS - 12 * HOUR_MS
    assert day_start_ms(NOON_MS + DAY_MS) - day_start_ms(NOON_MS) == DAY_MS


@pytest.mark.parametrize(
    "damage", [b"", b"\xff", b"\x82\x41\x00\x60", None], ids=["empty", "no CBOR", "another", "cut"]
)
def test_a_damaged_policy_is_no_policy_and_the_next_one_mends_it(office: CityService, damage: bytes | None) -> None:
    station = office.station(TerminalKind.VALIDATOR)
    here = station.policy()
    path = office.folder / "validator" / "policy.cbor"
    path.write_bytes(path.read_bytes()[:-9] if damage is None else damage)
    with pytest.raises(NoPolicy):
        station.policy()
    assert station.fresh_policy().number == here.number
    assert station.policy().number == here.number
    station.close()


@pytest.mark.parametrize("content", [b"9" * 30, b"-5", b"soon", b""])
def test_a_damaged_newest_time_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "newest-time"
    path.write_bytes(content)
    floor = ClockFloor(path)
    floor.check(NOON_MS)
    floor.saw(NOON_MS)
    with pytest.raises(ClockBehind):
        ClockFloor(path).check(NOON_MS - HOUR_MS)
