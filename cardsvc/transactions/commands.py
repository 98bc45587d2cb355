"""Disputes from the command line: what waits for finance."""

import json
from collections.abc import Callable

import click

from cardsvc import db, money, web
from cardsvc.transactions import queries
from cardsvc.transactions.schemas import DisputesSchema
from crypto.wire import kinds

OpenCity = Callable[[], web.City]
LISTED_MAX = 500


@click.group()
def disputes() -> None:
    """Records that came too late or from the future, and what finance decided."""


@disputes.command("list")
@click.option("--state", type=click.Choice(queries.STATES), default=queries.OPEN, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def list_(open_city: OpenCity, state: str, as_json: bool) -> None:
    """Disputed records, the oldest first, at most 500. They are decided at /disputes, by whoever signs for it."""
    city = open_city()
    now = city.clock.now()
    with db.unit_of_work(city.engine, read_only=True) as session:
        found = queries.disputes(session, state=state, limit=LISTED_MAX)
    if as_json:
        click.echo(json.dumps(DisputesSchema().dump({"disputes": found, "next": None})))
        return
    for each in found:
        days = (now - each.received_at).days
        sum_ = "no amount" if each.amount_cents is None else money.show(each.amount_cents)
        click.echo(
            f"{each.record_id}  {each.state:<8}  {days:>3} days  {kinds.title(each.kind):<12}  {sum_:>14}"
            f"  {each.reason:<15}  {each.terminal}"
        )
    if not found:
        click.echo("No record is disputed." if state == queries.OPEN else "There is none.")
