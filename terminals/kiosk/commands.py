"""`./city kiosk`: what a resident does at a kiosk, from the command line."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from terminals.card import PivSession, Reader, pcsc
from terminals.client import BillView, DueView, Look, PassView
from terminals.kiosk.desk import Kiosk, Outcome, Seen
from terminals.outbox import State
from terminals.settings import TerminalKind
from terminals.station import Station, console

_WAIT_SECONDS = 30.0


@click.group()
@console.terminal_options
@click.pass_context
def kiosk(context: click.Context, /, **options: Any) -> None:
    """What residents do themselves: balance, claim, pay, buy a pass."""
    console.keep_options(context, TerminalKind.KIOSK, options)


@kiosk.command()
@console.json_option
@click.pass_context
def balance(context: click.Context) -> None:
    """Show the balance of the card's wallet, what may be claimed, what is to be paid, which passes are on sale."""
    seen = _look(console.open_station(context))
    console.say(_balance_said(seen), "\n".join(_balance_lines(seen.look)))


@kiosk.command()
@click.argument("entitlement")
@console.pin_option
@console.json_option
@click.pass_context
def claim(context: click.Context, entitlement: str, pin_file: Path | None) -> None:
    """Claim ENTITLEMENT (its id, or "next" for the first that is due) with the PIN."""
    station = console.open_station(context)
    seen = _look(station)
    found = [due for due in seen.look.entitlements if entitlement in ("next", str(due.entitlement_id))]
    if not found:
        raise click.ClickException("The holder of this card has no such entitlement to claim.")
    _finish(context, _act(station, seen, found[0], console.read_pin(pin_file)))


@kiosk.command()
@click.argument("bill")
@console.pin_option
@console.json_option
@click.pass_context
def pay(context: click.Context, bill: str, pin_file: Path | None) -> None:
    """Pay BILL (its number or id) with the PIN."""
    station = console.open_station(context)
    seen = _look(station)
    found = [item for item in seen.look.bills if bill in (item.number, str(item.bill_id))]
    if not found:
        raise click.ClickException("The holder of this card has no such bill to pay.")
    _finish(context, _act(station, seen, found[0], console.read_pin(pin_file)))


@kiosk.command()
@click.argument("pass_id")
@click.option(
    "--begins", type=click.DateTime(["%Y-%m-%d"]), help="The first day, up to 30 days ahead; today without it."
)
@console.pin_option
@console.json_option
@click.pass_context
def buy(context: click.Context, pass_id: str, begins: datetime | None, pin_file: Path | None) -> None:
    """Buy the transit pass PASS_ID with the PIN; `balance` lists what is on sale."""
    station = console.open_station(context)
    seen = _look(station)
    found = next((offer for offer in seen.look.passes if offer.pass_id == pass_id), None)
    if found is None:
        raise click.ClickException("There is no such pass on sale.")
    if begins is not None:
        found = replace(found, begins=begins.date().isoformat())
    _finish(context, _act(station, seen, found, console.read_pin(pin_file)))


def _balance_lines(look: Look) -> list[str]:
    lines = [f"{look.initials}: {_pesos(look.balance_cents)}"]
    lines += [
        f"  purse {_pesos(purse.balance_cents)}  for {purse.purpose}"
        + (f", use by {purse.use_by}" if purse.use_by else "")
        for purse in look.purses
    ]
    if look.top_up_reference:
        lines.append(f"  top up by bank transfer with the reference {look.top_up_reference}")
    lines += [
        f"  below {_pesos(one.threshold_cents)} {_pesos(one.amount_cents)} come from {one.source}, "
        f"at most {one.day_max} a day"
        for one in look.top_up_mandates
    ]
    lines += [
        f"  claim {_pesos(due.amount_cents)}  {due.programme}, {due.cycle}  {due.entitlement_id}"
        for due in look.entitlements
    ]
    lines += [f"  pay   {_pesos(bill.amount_cents)}  {bill.number}, due {bill.due_on}" for bill in look.bills]
    lines += [f"  pass  {_pesos(offer.amount_cents)}  {offer.pass_id}, {offer.name}" for offer in look.passes]
    return lines


def _balance_said(seen: Seen) -> dict[str, Any]:
    look = seen.look
    return {
        "card_id": str(seen.card_id),
        "balance_cents": look.balance_cents,
        "owed_cents": look.owed_cents,
        "held_cents": look.held_cents,
        "currency": look.currency,
        "purses": [
            {"name": p.name, "purpose": p.purpose, "balance_cents": p.balance_cents, "use_by": p.use_by}
            for p in look.purses
        ],
        "top_up_reference": look.top_up_reference,
        "top_up_mandates": [
            {
                "source": one.source,
                "threshold_cents": one.threshold_cents,
                "amount_cents": one.amount_cents,
                "day_max": one.day_max,
            }
            for one in look.top_up_mandates
        ],
        "entitlements": [
            {"id": str(due.entitlement_id), "amount_cents": due.amount_cents} for due in look.entitlements
        ],
        "bills": [
            {"id": str(bill.bill_id), "number": bill.number, "amount_cents": bill.amount_cents} for bill in look.bills
        ],
        "passes": [
            {"pass_id": offer.pass_id, "name": offer.name, "amount_cents": offer.amount_cents} for offer in look.passes
        ],
    }


def _look(station: Station) -> Seen:
    with _session(station) as session:
        return Kiosk(station).look(session)


def _act(station: Station, seen: Seen, what: DueView | BillView | PassView, pin: bytearray) -> Outcome:
    desk = Kiosk(station)
    with _session(station) as session:
        if isinstance(what, DueView):
            return desk.claim(session, seen.card_id, what, pin)
        if isinstance(what, PassView):
            return desk.buy(session, seen.card_id, what, pin)
        return desk.pay(session, seen.card_id, what, pin)


def _session(station: Station) -> PivSession:
    reader = _reader(station)
    if not reader.wait_for_card(_WAIT_SECONDS):
        raise click.ClickException("No card came within 30 seconds.")
    return PivSession(reader.connect())


def _reader(station: Station) -> Reader:
    pattern = station.settings.reader
    return console.card_in_file(pattern) or pcsc.find_reader(pattern)


def _finish(context: click.Context, outcome: Outcome) -> None:
    sentences = {
        State.ACCEPTED: f"Done: {_pesos(outcome.amount_cents)}.",
        State.WAITING: "Kept: it will be confirmed when the city's service answers. Do not ask again elsewhere.",
        State.REJECTED: outcome.detail or "The city's service refused it.",
    }
    console.say(
        {
            "record_id": str(outcome.record_id),
            "state": outcome.state.value,
            "earlier": outcome.earlier,
            "amount_cents": outcome.amount_cents,
            "currency": outcome.currency,
            "reason": outcome.reason,
            "detail": outcome.detail,
        },
        sentences[outcome.state],
    )
    if outcome.state is State.REJECTED:
        context.exit(1)


def _pesos(cents: int) -> str:
    return f"₱{cents // 100:,}.{cents % 100:02d}" if cents >= 0 else f"\N{MINUS SIGN}{_pesos(-cents)}"
