"""Rights of riders from the command line."""

import json
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import click
from sqlalchemy.orm import Session

from cardsvc import db, residents, web
from cardsvc.transit import riders
from cardsvc.transit.riders import Right
from cardsvc.transit.riding import actions

_THE_MACHINE = UUID(int=0)  # whoever runs the machine; no staff account stands behind it
_DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def right() -> None:
    """Who rides at which reduced fare: categories of riders, given for a time."""


@right.command()
@click.argument("resident")
@click.argument("category")
@click.option("--from", "since", type=_DAY, required=True, help="The first fare day: 2026-11-02.")
@click.option("--to", "until", type=_DAY, required=True, help="The last fare day.")
@click.option("--reason", required=True, help="The proof that was shown.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def give(
    open_city: Callable[[], web.City],
    /,
    resident: str,
    category: str,
    since: datetime,
    until: datetime,
    reason: str,
    as_json: bool,
) -> None:
    """Give RESIDENT (a number) a CATEGORY of riders. What was charged before changes with the next tap."""
    city = open_city()
    now = city.clock.now()

    def work(session: Session) -> Right:
        return actions.give_right(
            session,
            residents.find_by_number(session, resident).id,
            category,
            valid_from=since.date(),
            valid_to=until.date(),
            reason=reason,
            by=_THE_MACHINE,
            now=now,
            random_bytes=city.random_bytes,
        )

    _show([db.run(city.engine, work)], as_json=as_json)


@right.command()
@click.argument("resident")
@click.argument("right_id", type=click.UUID)
@click.option("--to", "until", type=_DAY, required=True, help="The last fare day; before the first: never given.")
@click.option("--reason", required=True, help="Why it ends.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def end(
    open_city: Callable[[], web.City], /, resident: str, right_id: UUID, until: datetime, reason: str, as_json: bool
) -> None:
    """Say which fare day is the last of a right of RESIDENT."""
    city = open_city()
    now = city.clock.now()

    def work(session: Session) -> Right:
        resident_id = residents.find_by_number(session, resident).id
        last = until.date()
        return actions.end_right(session, resident_id, right_id, valid_to=last, reason=reason, by=_THE_MACHINE, now=now)

    _show([db.run(city.engine, work)], as_json=as_json)


@right.command("list")
@click.argument("resident")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def list_(open_city: Callable[[], web.City], resident: str, as_json: bool) -> None:
    """The rights of RESIDENT as they stand."""

    def read(session: Session) -> list[Right]:
        return riders.current_rights(session, [residents.find_by_number(session, resident).id])

    _show(db.run(open_city().engine, read, read_only=True), as_json=as_json)


def _show(rights: Sequence[Right], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"rights": [_document(one) for one in rights]}))
        return
    for one in rights:
        click.echo(f"{one.right_id}  {one.category}  {one.valid_from} to {one.valid_to}  {one.reason}")
    if not rights:
        click.echo("No rights.")


def _document(right: Right) -> dict[str, Any]:
    def day(value: date) -> str:
        return value.isoformat()

    return {
        "right_id": str(right.right_id),
        "category": right.category,
        "valid_from": day(right.valid_from),
        "valid_to": day(right.valid_to),
        "reason": right.reason,
        "given_at": right.given_at.isoformat(),
    }
