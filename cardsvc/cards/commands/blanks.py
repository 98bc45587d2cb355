"""The stock of blank cards from the command line: taking a delivery in, and whether the books agree."""

import csv
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from cardsvc import db, web
from cardsvc.cards import actions, queries
from cardsvc.cards.commands.common import MACHINE, OpenCity, as_json, echo_json
from cardsvc.cards.queries import Reconciliation
from cardsvc.cards.rules import DEFAULT_PRODUCT, PRODUCTS, Delivery, InvalidDelivery, SpoilageReason

SERIAL = "serial"


@click.group()
def blanks() -> None:
    """The stock of blank cards: deliveries, spoilage, reconciliation."""


@blanks.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", required=True, help="The delivery's name, as the city will speak of it.")
@click.option("--product", type=click.Choice(sorted(PRODUCTS)), default=DEFAULT_PRODUCT, show_default=True)
@click.option("--delivered-by", required=True, help="Who delivered the blanks.")
@click.option("--delivered-on", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The day, as 2026-11-02.")
@click.option("--delivered", type=click.IntRange(min=1), help="Cards on the delivery note; else: as many as serials.")
@click.option("--transport-key-reference", help="Where the transport key is kept. Never the key itself.")
@click.option("--dry-run", is_flag=True, help="Check every row and write nothing.")
@as_json
@click.pass_obj
def import_(
    open_city: OpenCity, /, file: Path, delivered_on: datetime, dry_run: bool, as_json: bool, **given: Any
) -> None:
    """Take the serials of a CSV file into stock, all of them or none.

    The column `serial` is read, others are not. `row 1` is the first row below the heading. The same file under the
    same name again changes nothing.
    """
    taken, wrong = _take_in(open_city(), file, Delivery(delivered_on=delivered_on.date(), **given), dry_run=dry_run)
    if as_json:
        found = None if taken is None else _shown(taken)
        echo_json({"delivery": found, "dry_run": dry_run, "errors": wrong})
    elif taken is None:
        for row, problems in wrong.items():
            click.echo(f"{row}: {' '.join(problems)}", err=True)
        click.echo(f"No blank was taken in: {len(wrong)} errors.")
    else:
        done = "would be" if dry_run else "are"
        click.echo(f"{taken.in_stock} blanks of delivery {taken.name} {done} in stock.")
    if wrong:
        raise SystemExit(1)


def _take_in(
    city: web.City, file: Path, delivery: Delivery, *, dry_run: bool
) -> tuple[Reconciliation | None, dict[str, list[str]]]:
    serials, wrong = _read(file)
    if wrong:
        return None, wrong

    def work(session: Session) -> Reconciliation:
        attempt = session.begin_nested()
        now = city.clock.now()
        taken = actions.take_in(session, delivery, serials, by=MACHINE, now=now, random_bytes=city.random_bytes)
        if dry_run:
            attempt.rollback()
        return taken

    try:
        return db.run(city.engine, work), {}
    except InvalidDelivery as error:
        return None, dict(error.fields)


def _read(file: Path) -> tuple[Sequence[str], dict[str, list[str]]]:
    reader = csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines(), strict=True)
    if SERIAL not in (reader.fieldnames or ()):
        return [], {"heading": [f"missing_column: There is no column {SERIAL}."]}
    try:
        return [(row[SERIAL] or "").strip() for row in reader], {}
    except csv.Error as error:
        return [], {f"line {reader.line_num}": [f"invalid_csv: This is not CSV: {error}."]}


@blanks.command()
@as_json
@click.pass_obj
def report(open_city: OpenCity, as_json: bool) -> None:
    """Every delivery against its note. Exits 1 when one does not agree."""
    found = db.run(open_city().engine, queries.reconciliation, read_only=True)
    agrees = all(one.difference == 0 for one in found)
    if as_json:
        echo_json({"deliveries": [_shown(one) for one in found], "agrees": agrees})
    else:
        for one in found:
            click.echo(
                f"{one.name}: delivered {one.delivered} = in stock {one.in_stock} + used {one.used}"
                f" + spoiled {one.spoiled} + returned {one.returned}"
                + (f"; difference {one.difference:+}" if one.difference else "")
            )
        click.echo("The books agree." if agrees else "The books do not agree.")
    if not agrees:
        raise SystemExit(1)


@blanks.command()
@click.argument("serial")
@click.option("--reason", required=True, type=click.Choice([reason.value for reason in SpoilageReason]))
@click.option("--note", help="What happened.")
@as_json
@click.pass_obj
def spoil(open_city: OpenCity, serial: str, reason: str, note: str | None, as_json: bool) -> None:
    """Write a blank off, with its reason."""
    city = open_city()
    why = SpoilageReason(reason)
    blank = db.run(
        city.engine,
        lambda session: actions.spoil(session, serial, reason=why, note=note, by=MACHINE, now=city.clock.now()),
    )
    if as_json:
        echo_json(asdict(blank))
    else:
        click.echo(f"Blank {blank.serial} of delivery {blank.batch} is spoiled.")


@blanks.command()
@as_json
@click.pass_obj
def spoilage(open_city: OpenCity, as_json: bool) -> None:
    """The spoilage register, newest first."""
    found = db.run(open_city().engine, queries.spoilage, read_only=True)
    if as_json:
        echo_json({"spoiled": [asdict(step) for step in found]})
        return
    for step in found:
        click.echo(f"{step.at:%Y-%m-%d %H:%M}  {step.serial}  {step.reason}  {step.note or ''}".rstrip())
    if not found:
        click.echo("No blank was spoiled.")


def _shown(found: Reconciliation) -> dict[str, Any]:
    return {**asdict(found), "difference": found.difference}
