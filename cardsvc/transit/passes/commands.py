"""Passes from the command line."""

import json
from collections.abc import Callable
from typing import Any

import click

from cardsvc import db, web
from cardsvc.money import show
from cardsvc.transit.passes import queries
from cardsvc.transit.passes.queries import Listed
from cardsvc.transit.rules.selling import Offer


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def passes(open_city: Callable[[], web.City], *, as_json: bool) -> None:
    """List the passes that are on sale now. A resident buys one with card and PIN or with a passkey."""
    city = open_city()
    now = city.clock.now()
    found = db.run(city.engine, lambda session: queries.listed(session, now), read_only=True)
    if as_json:
        click.echo(json.dumps(_document(found)))
        return
    for offer in found.passes:
        where = ", ".join(offer.networks) or "every network"
        click.echo(f"{offer.pass_id:<16} {show(offer.amount_cents):>14}  {offer.name}: {_good_for(offer)}, {where}")
    if not found.passes:
        click.echo("No pass is on sale.")


def _good_for(offer: Offer) -> str:
    days = "" if offer.days is None else f"{offer.days} days"
    rides = "any number of rides" if offer.rides is None else f"{offer.rides} rides"
    return f"{rides} in {days}" if days else rides


def _document(found: Listed) -> dict[str, Any]:
    return {
        "tariff_version": found.tariff_version,
        "currency": found.currency,
        "begins_first": None if found.begins_first is None else found.begins_first.isoformat(),
        "begins_last": None if found.begins_last is None else found.begins_last.isoformat(),
        "passes": [
            {
                "pass_id": offer.pass_id,
                "name": offer.name,
                "networks": list(offer.networks),
                "amount_cents": offer.amount_cents,
                "days": offer.days,
                "rides": offer.rides,
            }
            for offer in found.passes
        ],
    }
