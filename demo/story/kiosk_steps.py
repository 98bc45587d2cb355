"""The story at the kiosk, and in the offices before it: a benefit claimed, a bill paid, both with card and PIN."""

import csv
import io
from datetime import timedelta
from uuid import UUID

from demo.cast import APPROVER, DRAFTER, TREASURER
from demo.story import life as story
from demo.story.counter_steps import accepted
from demo.story.life import Life, known
from demo.story.stage import Stage
from demo.story.values import Check, Done
from terminals.client import Look
from terminals.kiosk import Kiosk
from terminals.outbox import Stored
from terminals.settings import TerminalKind

_LABEL = "The story's cycle"
_BILL = "BILL-STORY-1"


def look(stage: Stage) -> Look:
    """What the kiosk shows to whoever puts the card in: a question that the card signed."""
    station = stage.station(TerminalKind.KIOSK)
    with stage.session(stage.bench.slots[0]) as session:
        return Kiosk(station).look(session).look


def balance_at_kiosk(stage: Stage) -> int:
    return look(stage).balance_cents


def cycle(stage: Stage, life: Life) -> Done:
    """One officer drafts a cycle of a programme, another one approves it."""
    drafted = [one for one in stage.office.call("GET", "/v1/benefits/cycles", DRAFTER) if one["label"] == _LABEL]
    if not drafted:
        draft = {
            "programme": story.PROGRAMME,
            "label": _LABEL,
            "claim_until": (stage.today() + timedelta(days=60)).isoformat(),
            "count": 1,
            "total_cents": story.BENEFIT_CENTS,
            "lines": [{"resident_id": str(known(life.resident_id)), "amount_cents": story.BENEFIT_CENTS}],
        }
        drafted = [stage.office.call("POST", "/v1/benefits/cycles", DRAFTER, json_body=draft)]
    life.cycle_id = UUID(drafted[0]["id"])
    stage.office.act(f"/v1/benefits/cycles/{life.cycle_id}/approval", APPROVER, stage.key("approval"))
    [after] = [one for one in stage.office.call("GET", "/v1/benefits/cycles", DRAFTER) if one["label"] == _LABEL]
    two = after["state"] == "approved" and after["drafted_by"] != after["approved_by"]
    check = Check(
        "Two officers stand behind the cycle", two, f"{DRAFTER.full_name} drafted, {APPROVER.full_name} signed"
    )
    return Done({"programme": story.PROGRAMME, "lines": 1, "total_cents": after["total_cents"]}, (check,))


def claim(stage: Stage, life: Life) -> Done:
    """The resident claims it at the kiosk: 9C signs, after the PIN."""
    station = stage.station(TerminalKind.KIOSK)
    with stage.session(stage.bench.slots[0]) as session:
        desk = Kiosk(station)
        if life.due is None:
            [life.due] = desk.look(session).look.entitlements
        outcome = desk.claim(session, known(life.card_id), life.due, bytearray(story.PIN))
    done = accepted(station, station.outbox.find(outcome.record_id))
    left = len(look(stage).entitlements)
    check = Check("The benefit is claimed, and cannot be claimed again", left == 0, f"{left} left to claim")
    return Done({"amount_cents": outcome.amount_cents, "record_id": str(done.record_id)}, (check,))


def bill(stage: Stage, life: Life) -> Done:
    """The treasurer imports the tax roll, a CSV file."""
    out = io.StringIO(newline="")
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(("number", "tdn", "owner_name", "resident_number", "year", "quarter", "basic", "sef", "due_on"))
    year = stage.today().year
    basic, sef = (f"{cents // 100}.{cents % 100:02d}" for cents in (story.BASIC_CENTS, story.SEF_CENTS))
    lines.writerow((_BILL, "TD-00001", "Villanueva, Rosario", life.number, year, 4, basic, sef, f"{year}-12-31"))
    path = "/v1/taxes/bills"
    stage.office.call("POST", path, TREASURER, data=out.getvalue().encode(), content_type="text/csv")
    found = stage.office.call("GET", f"{path}?number={_BILL}", TREASURER)
    check = Check("The bill is open", found["state"] == "open", found["state"])
    return Done({"number": found["number"], "total_cents": found["total_cents"]}, (check,))


def payment(stage: Stage, life: Life) -> Done:
    """The resident pays it at the kiosk: 9C signs, after the PIN; an official receipt number is drawn."""
    station = stage.station(TerminalKind.KIOSK)
    with stage.session(stage.bench.slots[0]) as session:
        desk = Kiosk(station)
        if life.bill is None:
            [life.bill] = desk.look(session).look.bills
        outcome = desk.pay(session, known(life.card_id), life.bill, bytearray(story.PIN))
    done: Stored = accepted(station, station.outbox.find(outcome.record_id))
    life.payment, life.receipt = done.record_id, done.receipt or b""
    after = look(stage)
    checks = (
        Check("The bill is paid", not after.bills, f"{len(after.bills)} left to pay"),
        Check(
            "The wallet holds what arithmetic says",
            after.balance_cents == story.BALANCE_CENTS,
            f"{after.balance_cents}",
        ),
    )
    return Done({"amount_cents": outcome.amount_cents, "balance_cents": after.balance_cents}, checks)
