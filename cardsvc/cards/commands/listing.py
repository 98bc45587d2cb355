"""Cards by state, and the backlog of orders."""

from dataclasses import asdict
from datetime import timedelta
from uuid import UUID

import click

from cardsvc import db
from cardsvc.cards import queries
from cardsvc.cards.commands.common import OpenCity, as_json, echo_json
from cardsvc.cards.rules import STAGES, CardState, InvalidAge, read_age

_DAY, _HOUR, _MINUTE = 86_400, 3_600, 60


class _Age(click.ParamType[timedelta]):
    name = "age"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        try:
            return read_age(value)
        except InvalidAge as error:
            self.fail(str(error), param, ctx)


@click.group()
def cards() -> None:
    """The city's cards, their orders, and the stock of blanks."""


@cards.command("list")
@click.option("--state", type=click.Choice([state.value for state in CardState]), help="Only cards in this state.")
@click.option("--stage", type=click.Choice([stage.value for stage in STAGES]), help="Only orders at this stage.")
@click.option("--older-than", type=_Age(), help="Only those longer in their state than 3d, 12h or 30m.")
@click.option("--after", type=click.UUID, help="The last id of the page before.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@as_json
@click.pass_obj
def list_(
    open_city: OpenCity,
    state: str | None,
    stage: str | None,
    older_than: timedelta | None,
    after: UUID | None,
    limit: int,
    as_json: bool,
) -> None:
    """Cards by state."""
    if state and stage:
        raise click.UsageError("Name a state or a stage; a stage is the state of an order.")
    city = open_city()
    named = state or stage
    wanted = CardState(named) if named else None
    before = None if older_than is None else city.clock.now() - older_than
    page = db.run(
        city.engine,
        lambda session: queries.listed(session, state=wanted, since_before=before, after=after, limit=limit),
        read_only=True,
    )
    if as_json:
        names = ("id", "resident_id", "state", "state_since", "order_kind", "expires_on")
        echo_json({"cards": [{name: getattr(card, name) for name in names} for card in page.cards], "next": page.next})
        return
    for card in page.cards:
        expires = f"expires {card.expires_on}" if card.expires_on else ""
        click.echo(f"{card.id}  {card.state:<13}  since {card.state_since:%Y-%m-%d %H:%M}  {expires}".rstrip())
    click.echo(f"More: --after {page.next}" if page.next else f"{len(page.cards)} cards.")


@cards.command()
@as_json
@click.pass_obj
def backlog(open_city: OpenCity, as_json: bool) -> None:
    """How many orders wait at each stage, and for how long."""
    city = open_city()
    found = db.run(city.engine, lambda session: queries.backlog(session, city.clock.now()), read_only=True)
    if as_json:
        echo_json(asdict(found))
        return
    click.echo(f"{'stage':<14}{'orders':>8}{'median':>10}{'p90':>10}{'oldest':>10}")
    for stage in found.stages:
        ages = (stage.median_seconds, stage.p90_seconds, stage.oldest_seconds)
        click.echo(f"{stage.stage:<14}{stage.count:>8}" + "".join(f"{_age(seconds):>10}" for seconds in ages))


def _age(seconds: int | None) -> str:
    if seconds is None:
        return "-"
    if seconds >= _DAY:
        return f"{seconds // _DAY}d {seconds % _DAY // _HOUR}h"
    return f"{seconds // _HOUR}h {seconds % _HOUR // _MINUTE}m"
