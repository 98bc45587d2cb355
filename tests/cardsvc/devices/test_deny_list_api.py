"""Deny lists, certificates and revocation lists over HTTP; and a terminal that follows a city's list."""

import json
import secrets
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from cardsvc import access, cards, db, devices, jobs, web
from cardsvc.app import wiring
from cardsvc.cards import RevocationReason
from cardsvc.clock import FixedClock
from cardsvc.devices import commands as device_commands
from cardsvc.devices.rules import Breaker, HeldChanged
from crypto import pki
from crypto.wire.denylist import open_delta, open_list
from terminals.client import ServiceUnreachable
from terminals.settings import TerminalKind, TerminalSettings
from terminals.station import CardDenied, CityCard, NoDenyList, Station, enrol
from tests.builders import CLERK, OFFICER, PASSWORD, SoftwareCard, make_card, make_resident, make_staff, staff_token
from tests.terminals.service import URL, InProcess, StationClock


def card_in(city: web.City) -> SoftwareCard:
    now = city.clock.now()
    return db.run(city.engine, lambda session: make_card(session, city.vault, make_resident(session, now).id, now))


def suspend(city: web.City, card: SoftwareCard) -> None:
    def work(session: Session) -> None:
        cards.suspend(session, card.card_id, reason="?", by=CLERK, now=city.clock.now())

    db.run(city.engine, work)


def publish(city: web.City, breaker: Breaker | None = None) -> int:
    def work(session: Session) -> int:
        if breaker:
            return devices.publish_deny_list(session, city.clock.now(), breaker=breaker)
        return devices.publish_deny_list(session, city.clock.now())

    return db.run(city.engine, work)


def officers_of(city: web.City) -> list[access.StaffMember]:
    """Two of them."""
    return db.run(
        city.engine, lambda session: [make_staff(session, city.clock.now(), "card_officer") for _ in range(2)]
    )


def sign(city: web.City, action: access.ActionView, members: list[access.StaffMember]) -> None:
    for member in members:
        signature = db.run(
            city.engine,
            partial(access.sign_action_as, staff_id=member.id, password=PASSWORD, action_bytes=action.action_bytes),
        )
        db.run(
            city.engine,
            partial(
                access.sign_action,
                handlers=wiring.ACTIONS,
                action_id=action.id,
                by=member.id,
                signature=signature,
                now=city.clock.now(),
            ),
        )


def test_anybody_may_download_the_deny_list_and_ask_whether_it_is_still_the_one(
    city: web.City, client: FlaskClient
) -> None:
    first = client.get("/v1/deny-list")
    assert (first.status_code, first.content_type, first.headers["ETag"]) == (200, "application/cose", 'W/"1"')
    assert open_list(first.data, city.vault.city_keys()).number == 1
    again = client.get("/v1/deny-list", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    card = card_in(city)
    suspend(city, card)
    assert publish(city) == 2
    newer = client.get("/v1/deny-list", headers={"If-None-Match": first.headers["ETag"]})
    assert (newer.status_code, newer.headers["ETag"]) == (200, 'W/"2"')
    assert open_list(newer.data, city.vault.city_keys()).denies_card(card.card_id)


def test_a_step_leads_to_the_list_or_says_take_the_whole(city: web.City, client: FlaskClient) -> None:
    base = open_list(client.get("/v1/deny-list").data, city.vault.city_keys())
    suspend(city, card_in(city))
    publish(city)
    answer = client.get("/v1/deny-list/deltas/1")
    newest = open_list(client.get("/v1/deny-list").data, city.vault.city_keys())
    assert open_delta(answer.data, city.vault.city_keys()).apply(base) == newest
    for number in (0, 2, 3, 2**64):
        refused = client.get(f"/v1/deny-list/deltas/{number}")
        assert (refused.status_code, refused.get_json()["code"]) == (404, "no_delta")


def test_what_is_held_back_is_shown_and_released_by_two(city: web.City, client: FlaskClient, clock: FixedClock) -> None:
    publish(city)
    suspend(city, card := card_in(city))
    assert publish(city, Breaker(0, 0, timedelta(hours=1))) == 1
    officer = staff_token(city, client, "card_officer")
    shown = client.get("/v1/deny-list/held", headers=officer).get_json()
    assert (shown["number"], shown["held"]) == (1, 1)
    assert client.get("/v1/deny-list/held").status_code == 401
    result = CliRunner().invoke(device_commands.devices, ["deny-list", "--json"], obj=lambda: city)
    counts = {"cards": 0, "keys": 0, "held": 1, "owing": 0, "owing_waiting": 0}
    assert json.loads(result.stdout) == {"number": 1, **counts}
    told = CliRunner().invoke(device_commands.devices, ["deny-list"], obj=lambda: city)
    assert "1 cards were denied at once" in told.stdout
    officers = officers_of(city)
    named = {"held": shown["held"], "list_hash": shown["list_hash"]}

    def propose(session: Session) -> access.ActionView:
        return access.propose(
            session,
            devices.RELEASE,
            named,
            devices.RELEASE.describe(session, named) if devices.RELEASE.describe else "",
            by=officers[0].id,
            now=clock.now(),
            random_bytes=secrets.token_bytes,
        )

    action = db.run(city.engine, propose)
    sign(city, action, officers)
    newest = open_list(client.get("/v1/deny-list").data, city.vault.city_keys())
    assert (newest.number, newest.action_id, newest.denies_card(card.card_id)) == (2, action.id, True)
    with pytest.raises(HeldChanged):  # nothing is held any more: what was named is not what is there
        db.run(city.engine, propose)


def test_what_two_people_suspend_at_once_is_on_the_list_at_once(
    city: web.City, client: FlaskClient, clock: FixedClock
) -> None:
    some = [card_in(city) for _ in range(3)]
    publish(city)
    order = cards.BulkOrder(
        cards.BulkKind.SUSPEND, cards.Criteria(card_ids=tuple(card.card_id for card in some)), "weak keys"
    )
    officers = officers_of(city)

    def propose(session: Session) -> access.ActionView:
        return cards.propose_bulk(session, order, by=officers[0].id, now=clock.now(), random_bytes=secrets.token_bytes)[
            1
        ]

    action = db.run(city.engine, propose)
    sign(city, action, officers)
    newest = open_list(client.get("/v1/deny-list").data, city.vault.city_keys())
    assert newest.action_id == action.id
    assert all(newest.denies_card(card.card_id) for card in some)


@pytest.mark.parametrize("name", ["root", "card-ca", "terminal-ca", "content", "card-ca.1"])
def test_certificates_are_where_others_look_for_them(city: web.City, client: FlaskClient, name: str) -> None:
    answer = client.get(f"/pki/{name}.cer")
    assert (answer.status_code, answer.content_type) == (200, "application/pkix-cert")
    assert pki.load_certificate(answer.data) in (
        city.vault.certificate("root"),
        city.vault.certificate("card-ca"),
        city.vault.certificate("terminal-ca"),
        city.vault.certificate("content"),
    )


def test_revocation_lists_are_served_without_a_worker_and_made_anew_by_one(
    city: web.City, client: FlaskClient, clock: FixedClock
) -> None:
    issuer = city.vault.certificate("card-ca")

    def served(path: str = "/pki/card-ca.crl") -> pki.VerifiedCrl:
        answer = client.get(path)
        assert (answer.status_code, answer.content_type) == (200, "application/pkix-crl")
        return pki.check_crl(answer.data, issuer, clock.now())

    assert (served().number, len(served().entries)) == (1, 0)
    suspend(city, card_in(city))
    assert served().number == 1  # until the worker comes by
    tasks = [task for task in wiring.periodic(city) if isinstance(task, jobs.Periodic)]
    [task] = [task for task in tasks if task.name == "publish revocation lists"]
    db.run(city.engine, lambda session: task.work(session, clock.now()))
    assert (served().number, len(served("/pki/card-ca.1.crl").entries)) == (2, 3)
    clock.advance(timedelta(hours=24))
    assert served().number == 3  # the worker did not come: the last list is past its time
    terminals = client.get("/pki/terminal-ca.crl")
    assert pki.check_crl(terminals.data, city.vault.certificate("terminal-ca"), clock.now()).number == 2


@pytest.mark.parametrize("path", ["root.crl", "content.crl", "log.cer", "card-ca.2.cer", "card-ca.01.crl", "x.crl"])
def test_what_the_city_does_not_publish_is_not_found(client: FlaskClient, path: str) -> None:
    answer = client.get(f"/pki/{path}")
    assert (answer.status_code, answer.get_json()["code"]) == (404, "unknown_authority")


# ---------------------------------------------------------------------------------------------- a terminal follows it


@pytest.fixture
def send(app: Flask) -> InProcess:
    return InProcess(app)


@pytest.fixture
def station(city: web.City, send: InProcess, clock: FixedClock, tmp_path: Path) -> Station:
    def invite(session: Session) -> str:
        return devices.invite(
            session,
            devices.DeviceKind.VALIDATOR,
            "jeep",
            by=OFFICER,
            now=clock.now(),
            random_bytes=secrets.token_bytes,
        )

    settings = TerminalSettings(TerminalKind.VALIDATOR, URL, tmp_path / "jeep")
    enrol(settings, db.run(city.engine, invite), send=send)
    return Station.open(settings, send=send, clock=StationClock(clock))


def seen(card: SoftwareCard) -> CityCard:
    [presence] = [signer for slot, signer in card.keys.signers.items() if slot.name == "CARD_AUTH"]
    return CityCard(card.card_id, presence.public_key)


def test_a_terminal_follows_the_citys_list_by_steps(
    city: web.City, send: InProcess, station: Station, clock: FixedClock
) -> None:
    lost, good = card_in(city), card_in(city)
    assert station.refresh().deny_number == 1
    station.check_not_denied(seen(lost))
    db.run(
        city.engine,
        lambda session: cards.revoke(session, lost.card_id, reason=RevocationReason.LOST, by=CLERK, now=clock.now()),
    )
    before = send.sent
    policy = station.refresh()
    assert (policy.number, policy.deny_number) == (2, 2)
    assert send.sent == before + 2  # the policy and one step
    with pytest.raises(CardDenied):
        station.check_not_denied(seen(lost))
    station.check_not_denied(seen(good))
    station.close()


@pytest.mark.parametrize("lost", ["lose_request", "lose_answer"])
@pytest.mark.parametrize("step", [1, 2])
def test_a_list_lost_on_the_way_leaves_the_terminal_as_it_was(
    city: web.City, send: InProcess, station: Station, lost: str, step: int
) -> None:
    """The policy or the step may be lost, before it was answered or after."""
    card = card_in(city)
    station.refresh()
    suspend(city, card)
    setattr(send, lost, send.sent + step)
    try:
        station.refresh()
    except ServiceUnreachable:
        assert (station.policy().number, station.policy().deny_number) == (1, 1)
    station.refresh()
    assert station.policy().deny_number == 2
    with pytest.raises(CardDenied):
        station.check_not_denied(seen(card))
    station.close()


def test_a_terminal_whose_list_was_removed_says_so_and_fetches_it(
    city: web.City, station: Station, tmp_path: Path
) -> None:
    station.refresh()
    (tmp_path / "jeep" / "denylist.cbor").unlink()
    with pytest.raises(NoDenyList):
        station.policy()
    station.fresh_policy()
    assert station.denials.current()
    station.close()
