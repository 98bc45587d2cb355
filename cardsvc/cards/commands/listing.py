"""Cards by state."""

import json
from collections.abc import Callable
from uuid import UUID

import click

from cardsvc import db, web
from cardsvc.cards import queries
from cardsvc.cards.rules import CardState


@click.group()
def cards() -> None:
    """The city's cards and their states."""


@cards.command("list")
@click.option("--state", type=click.Choice([state.value for state in CardState]), help="Only cards in this state.")
@click.option("--after", type=click.UUID, help="The last id of the page before.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def list_(open_city: Callable[[], web.City], state: str | None, after: UUID | None, limit: int, as_json: bool) -> None:
    """Cards by state."""
    wanted = CardState(state) if state else None
    page = db.run(
        open_city().engine,
        lambda session: queries.listed(session, state=wanted, after=after, limit=limit),
        read_only=True,
    )
    if as_json:
        found = [{"id": str(c.id), "resident_id": str(c.resident_id), "state": c.state.value} for c in page.cards]
        click.echo(json.dumps({"cards": found, "next": str(page.next) if page.next else None}))
        return
    for card in page.cards:
        expires = f"expires {card.expires_on}" if card.expires_on else ""
        click.echo(f"{card.id}  {card.state:<13}  {expires}".rstrip())
    click.echo(f"More: --after {page.next}" if page.next else f"{len(page.cards)} cards.")
