"""Looking somebody up from the command line."""

import json
from collections.abc import Callable

import click

from cardsvc import db, web
from cardsvc.residents import queries

OpenCity = Callable[[], web.City]


@click.command("find")
@click.argument("text")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def find(open_city: OpenCity, text: str, as_json: bool) -> None:
    """Find residents by number or by names."""
    page = db.run(open_city().engine, lambda session: queries.search(session, text), read_only=True)
    found = [
        {"id": str(r.id), "number": r.number, "name": r.full_name, "status": r.status.value} for r in page.residents
    ]
    if as_json:
        click.echo(json.dumps({"residents": found}))
        return
    for resident in found:
        click.echo(f"{resident['number']}  {resident['name']}  ({resident['status']})")
    if not found:
        click.echo("Nobody found.")
