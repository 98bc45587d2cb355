"""Bank transfers and mandates from the command line: to read. What moves money is signed by somebody signed in."""

import json
from collections.abc import Callable

import click
from sqlalchemy.orm import Session

from cardsvc import db, residents, wallets, web
from cardsvc.finance import queries
from cardsvc.finance.rules.mandates import Mandate, NoMandate
from cardsvc.money import show


@click.group()
def finance() -> None:
    """The city's bank and what people send there."""


@finance.command()
@click.argument("resident")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def reference(open_city: Callable[[], web.City], resident: str, *, as_json: bool) -> None:
    """What RESIDENT (a number) writes into a bank transfer, so that it tops up their wallet."""

    def read(session: Session) -> str:
        holder = residents.find_by_number(session, resident)
        return wallets.reference_of(wallets.of_resident(session, holder.id).id)

    found = db.run(open_city().engine, read, read_only=True)
    click.echo(json.dumps({"reference": found}) if as_json else wallets.spaced(found))


@finance.command()
@click.argument("resident")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def mandate(open_city: Callable[[], web.City], resident: str, *, as_json: bool) -> None:
    """How the wallet of RESIDENT (a number) is topped up by itself."""

    def read(session: Session) -> Mandate | None:
        holder = residents.find_by_number(session, resident)
        return queries.mandate_of(session, wallets.of_resident(session, holder.id).id)

    found = db.run(open_city().engine, read, read_only=True)
    if found is None:
        raise NoMandate
    if as_json:
        click.echo(json.dumps(_terms(found)))
        return
    below, amount = show(found.threshold_cents), show(found.amount_cents)
    click.echo(f"Below {below}: {amount} from {found.source}, at most {found.day_max} times a day.")


def _terms(found: Mandate) -> dict[str, object]:
    return {
        "mandate_id": str(found.mandate_id),
        "source": found.source,
        "threshold_cents": found.threshold_cents,
        "amount_cents": found.amount_cents,
        "day_max": found.day_max,
    }


@finance.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def transfers(open_city: Callable[[], web.City], *, as_json: bool) -> None:
    """Lines with a top-up reference that nobody signed in, and transfers that wait for staff.

    Both are signed at /finance/transfers.
    """

    def read(session: Session) -> tuple[list[queries.Incoming], list[queries.Waiting]]:
        return queries.incoming(session), queries.waiting(session)

    lines, waiting = db.run(open_city().engine, read, read_only=True)
    if as_json:
        to_sign = [
            {
                "line_id": str(one.line_id),
                **_said(one),
                "wallet_id": None if one.wallet_id is None else str(one.wallet_id),
            }
            for one in lines
        ]
        standing = [{"transfer_id": str(one.transfer_id), **_said(one)} for one in waiting]
        click.echo(json.dumps({"incoming": to_sign, "waiting": standing}))
        return
    for what, found in (("to sign in", lines), ("waits", waiting)):
        for one in found:
            click.echo(f"{what}  {one.booked_on}  {show(one.amount_cents)}  {one.reference or '-'}  {one.why}")
    if not lines and not waiting:
        click.echo("No transfers.")


def _said(one: queries.Incoming | queries.Waiting) -> dict[str, object]:
    return {
        "booked_on": one.booked_on.isoformat(),
        "amount_cents": one.amount_cents,
        "reference": one.reference,
        "why": one.why,
    }
