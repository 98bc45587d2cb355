"""The story at the counter: terminals, the resident, the card, cash."""

import secrets
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from crypto.wire.wallets import CashTopUp
from demo.cast import ADMIN, CASHIER, CLERK, DRAFTER, OFFICER, TREASURER, Member
from demo.story import life as story
from demo.story.life import Life, known
from demo.story.stage import Stage
from demo.story.values import Check, Done
from terminals.client import StaffClient
from terminals.counter import Personalisation, Till, verify_card
from terminals.outbox import State, Stored
from terminals.settings import TerminalKind
from terminals.station import Station, enrol

_ACTIVE: Final = "active"


class NotAccepted(Exception):
    """The service rejected a record that the story needs."""

    code = "story_rejected"


def accepted(station: Station, stored: Stored) -> Stored:
    """The record as the service accepted it; asked for again when an answer was lost. Raises: NotAccepted."""
    if stored.state is State.WAITING:
        station.upload()
        stored = station.outbox.find(stored.record_id)
    if stored.state is not State.ACCEPTED:
        raise NotAccepted(f"{stored.state}: {stored.reason}: {stored.detail}")
    return stored


def staff_at(station: Station, member: Member) -> StaffClient:
    return station.client.sign_in(member.username, member.password)


def terminals(stage: Stage, life: Life) -> Done:
    """An administrator invites a counter, a kiosk and a validator; each enrols with the proof that it holds its key."""
    for kind in TerminalKind:
        if kind not in life.codes:
            given = {"kind": kind.value, "name": f"The story's {kind}"}
            life.codes[kind] = stage.office.call("POST", "/v1/devices/invites", ADMIN, json_body=given)["code"]
        enrol(stage.terminal(kind), life.codes[kind], send=stage.wire)
    listed = stage.office.call("GET", "/v1/devices", ADMIN)["devices"]
    enrolled = [device for device in listed if device["kind"] in set(TerminalKind)]
    check = Check("Three terminals are enrolled, each once", len(enrolled) == len(TerminalKind), f"{len(enrolled)}")
    return Done({"enrolled": ", ".join(TerminalKind), "readers": stage.bench.what}, (check,))


def register(stage: Stage, life: Life) -> Done:
    """A clerk registers a resident, and with the resident a wallet."""
    found = _find(stage)
    if not found:
        person = story.RESIDENT
        given = {
            "family_name": person.family_name,
            "given_name": person.given_name,
            "middle_name": person.middle_name,
            "birth_date": person.birth_date.isoformat(),
            "sex": person.sex,
            "barangay_code": person.barangay_code,
            "address": person.address,
            "mobile": person.mobile,
        }
        stage.office.call("POST", "/v1/residents", CLERK, json_body=given)
        found = _find(stage)
    life.resident_id, life.number = UUID(found[0]["id"]), found[0]["number"]
    check = Check("The resident is registered once", len(found) == 1, f"{len(found)} of this name")
    return Done({"number": life.number, "name": found[0]["name"]}, (check,))


def _find(stage: Stage) -> list[dict[str, Any]]:
    query = urlencode({"q": story.RESIDENT.family_name})
    found: list[dict[str, Any]] = stage.office.call("GET", f"/v1/residents?{query}", CLERK)["residents"]
    return found


def card(stage: Stage, life: Life) -> Done:
    """A clerk requests a card, an officer approves it, the counter makes it of a blank one, the holder sets a PIN."""
    station = stage.station(TerminalKind.COUNTER)
    clerk, officer = staff_at(station, CLERK), staff_at(station, OFFICER)
    resident_id = known(life.resident_id)
    held = [view for view in clerk.cards_of(resident_id) if view.state == _ACTIVE]
    view = held[0] if held else clerk.request_card(resident_id)
    if view.state == "requested":
        view = officer.approve_card(view.card_id)
    life.card_id = view.card_id
    if view.state != _ACTIVE:
        work = Personalisation(clerk, view.card_id, station.identity, random_bytes=secrets.token_bytes)
        with stage.session(stage.bench.slots[0]) as session:
            made = work.make(session)
            view = work.hand_over(session, made, bytearray(story.PIN), bytearray(story.PIN))
    mine = [one.state for one in clerk.cards_of(resident_id)]
    check = Check("The resident holds one card, and it is active", mine == [_ACTIVE], ", ".join(mine))
    return Done({"card_id": str(view.card_id), "state": view.state, "reader": stage.bench.slots[0].name}, (check,))


def verify(stage: Stage, life: Life) -> Done:
    """The counter asks the card to sign a fresh challenge with 9E, and the service what it knows of it."""
    station = stage.station(TerminalKind.COUNTER)
    with stage.session(stage.bench.slots[0]) as session:
        found = verify_card(session, station, staff_at(station, CLERK))
    holds = found.card_id == life.card_id and not found.denied and found.state == _ACTIVE
    check = Check("The card is genuine and active", holds, f"challenge signed by 9E, state {found.state}")
    return Done({"state": found.state, "pin_tries_left": found.attempts_left}, (check,))


def treasury(stage: Stage, life: Life) -> Done:
    """The treasurer signs for the year's money, a programme's fund, and cash for the drawers."""
    del life
    codes = [one["code"] for one in stage.office.call("GET", "/v1/benefits/programmes", DRAFTER)]
    if story.PROGRAMME not in codes:
        given = {"code": story.PROGRAMME, "name": "Senior citizens' cash gift"}
        stage.office.call("POST", "/v1/benefits/programmes", DRAFTER, json_body=given)
    sources = (
        ("equity:general", story.FUND_CENTS, "APPROP-GF"),
        (f"benefits:{story.PROGRAMME}:fund", story.PROGRAMME_CENTS, "APPROP-SENIOR"),
    )
    for code, cents, reference in sources:
        money = {"amount_cents": cents, "currency": "PHP", "reference": reference, "account_code": code}
        stage.office.act("/v1/finance/funding", TREASURER, stage.key(reference), money)
    cash = {"amount_cents": story.WITHDRAWN_CENTS, "currency": "PHP", "reference": "CASH-1"}
    stage.office.act("/v1/finance/withdrawals", TREASURER, stage.key("CASH-1"), cash)
    return Done({"funded_cents": story.FUND_CENTS + story.PROGRAMME_CENTS, "cash_cents": story.WITHDRAWN_CENTS})


def top_up(stage: Stage, life: Life) -> Done:
    """A cashier opens a shift and takes cash for the wallet of the card in the reader."""
    station = stage.station(TerminalKind.COUNTER)
    till = Till(station)
    station.upload()  # what an earlier attempt left waiting
    opened = till.shift()
    if opened is None:
        accepted(station, till.open_shift(staff_at(station, CASHIER), CASHIER.password, story.FLOAT_CENTS))
    taken = [one for one in station.outbox.since(CashTopUp.KIND, 0) if one.state is not State.REJECTED]
    if not taken:
        with stage.session(stage.bench.slots[0]) as session:
            taken = [till.top_up(session, story.TOP_UP_CENTS).stored]
    done = accepted(station, taken[0])
    life.early_checkpoint = stage.wire("GET", "/log/checkpoint", {}, None).body.decode()
    shift = till.shift()
    expected = shift.expected_cents if shift else None
    check = Check(
        "The drawer should hold float and cash", expected == story.FLOAT_CENTS + story.TOP_UP_CENTS, f"{expected}"
    )
    return Done({"amount_cents": story.TOP_UP_CENTS, "record_id": str(done.record_id)}, (check,))


def close_shift(stage: Stage) -> int:
    """The cashier counts the drawer and closes; returns what was counted."""
    station = stage.station(TerminalKind.COUNTER)
    till = Till(station)
    station.upload()
    shift = till.shift()
    if shift is not None:
        accepted(station, till.close_shift(staff_at(station, CASHIER), CASHIER.password, shift.expected_cents))
    return story.FLOAT_CENTS + story.TOP_UP_CENTS
