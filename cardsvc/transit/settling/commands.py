"""Settlements from the command line."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import click
from sqlalchemy.orm import Session

from cardsvc import db, web
from cardsvc.transit.rules import tides
from cardsvc.transit.rules.settling import Kind, Settlement
from cardsvc.transit.rules.tides import decimal
from cardsvc.transit.settling import files, queries


@click.command()
@click.option("--agency", required=True, help="The operator, by its agency_id in the feed.")
@click.option("--day", required=True, type=click.DateTime(["%Y-%m-%d"]), help="A day of the books: 2026-11-02.")
@click.option(
    "--csv", "csv_file", type=click.Path(dir_okay=False, path_type=Path), help="Also write the statement here."
)
@click.option(
    "--tides",
    "tides_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write TIDES fare_transactions here: JSON where the name ends so, else CSV.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def settlement(
    open_city: Callable[[], web.City],
    /,
    agency: str,
    day: datetime,
    csv_file: Path | None,
    tides_file: Path | None,
    as_json: bool,
) -> None:
    """Say what a day owes an operator. It is compared with the books first, and fails where they differ by a centavo.

    A day has what the books took in on it: a tap that came late is an adjustment of the day on which it came.
    """
    city = open_city()
    now = city.clock.now()

    def read(session: Session) -> tuple[Settlement, str]:
        found = queries.settlement(session, agency, day.date(), now)
        if tides_file is None:
            return found, ""
        rows = queries.fare_transactions(session, city.vault, agency, day.date())
        to_text = tides.to_json if tides_file.suffix == ".json" else tides.to_csv
        return found, "".join(to_text(rows))

    found, table = db.run(city.engine, read, read_only=True)
    for file, text in ((csv_file, files.to_csv(found)), (tides_file, table)):
        if file is not None:
            _write(file, text)
    if as_json:
        click.echo(json.dumps(files.to_document(found)))
        return
    for line in found.lines:
        late = " late" if line.late else ""
        what, count = (
            (line.network, f"{line.rides:>7} rides") if line.kind is Kind.RIDES else ("pass", f"{line.passes:>7} sold ")
        )
        click.echo(
            f"{line.fare_day} {what:<12} {line.product or line.pass_id:<16} {count}"
            f" {decimal(line.charged_cents):>14} charged {decimal(line.refunded_cents):>12} refunded"
            f" {decimal(line.subsidy_cents):>12} subsidy{late}"
        )
    for other in found.others:
        click.echo(f"{other.entry_id} {decimal(other.amount_cents):>14} of no ride")
    state = "final" if found.final else "the day is not over"
    click.echo(f"Due to {agency} for {found.day}: {decimal(found.due_cents)} {found.currency} ({state})")


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, newline="")
    except OSError as error:
        raise click.FileError(str(file), error.strerror) from error
