"""What cards cost. Prices are set by two people who sign in."""

import click

from cardsvc import db
from cardsvc.cards import queries
from cardsvc.cards.commands.common import OpenCity, as_json, echo_json
from cardsvc.cards.rules import city_day
from cardsvc.money import CURRENCY, show


@click.command()
@as_json
@click.pass_obj
def prices(open_city: OpenCity, as_json: bool) -> None:
    """What each kind of issue costs today, and every price that was set, with the day from which it holds."""
    city = open_city()
    day = city_day(city.clock.now())
    today, every = db.run(
        city.engine, lambda session: (queries.prices_on(session, day), queries.prices(session)), read_only=True
    )
    if as_json:
        names = ("issue", "valid_from", "amount_cents", "action_id")
        rows = [{name: getattr(one, name) for name in names} for one in every]
        echo_json({"currency": CURRENCY, "today": today, "prices": rows})
        return
    for issue, cents in today.items():
        click.echo(f"{issue:<10} {show(cents) if cents else 'free':>12}")
    for one in every:
        click.echo(f"  {one.issue} from {one.valid_from}: {show(one.amount_cents)} (action {one.action_id})")
