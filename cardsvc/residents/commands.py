"""The register from the command line: taking an existing list in, looking somebody up."""

import csv
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from uuid import UUID

import click

from cardsvc import db, web
from cardsvc.residents import actions, queries
from cardsvc.residents.actions import OnRegistered
from cardsvc.residents.rules import InvalidRegistration, Registration, Sex

OpenCity = Callable[[], web.City]
COLUMNS = ("family_name", "given_name", "middle_name", "birth_date", "sex", "barangay_code", "address", "mobile")
FILE = UUID(int=0)
"""Who registered a resident that came with a file: nobody who signed in."""


def make(on_registered: OnRegistered) -> click.Group:
    @click.group()
    def residents() -> None:
        """Register and find residents."""

    @residents.command("import")
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--dry-run", is_flag=True, help="Check every row and write nothing.")
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    @click.pass_obj
    def import_(open_city: OpenCity, file: Path, dry_run: bool, as_json: bool) -> None:
        """Register everybody in a CSV file, or nobody if one row is wrong.

        Columns: family_name, given_name, middle_name, birth_date (2001-12-31), sex (F or M), barangay_code, address,
        mobile. `row 1` is the first row below the heading.
        """
        text = file.read_text(encoding="utf-8-sig")
        count, wrong = import_text(open_city(), text, on_registered, dry_run=dry_run)
        if as_json:
            click.echo(json.dumps({"registered": count, "dry_run": dry_run, "errors": wrong}))
        else:
            _tell(count, wrong, dry_run=dry_run)
        if wrong:
            raise SystemExit(1)

    residents.add_command(find)
    return residents


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


def import_text(
    city: web.City, text: str, on_registered: OnRegistered, *, dry_run: bool
) -> tuple[int, dict[str, list[str]]]:
    """How many residents of the CSV text were registered (or would be, in a dry run), and what is wrong with it."""
    wrong: dict[str, list[str]] = {}
    rows = read_rows(text, wrong)
    if wrong:
        return 0, wrong
    now = city.clock.now()
    try:
        with db.unit_of_work(city.engine) as session:
            attempt = session.begin_nested()
            made = actions.register_many(session, rows, by=FILE, now=now, random_bytes=city.random_bytes)
            on_registered(session, [resident.id for resident in made], now)
            if dry_run:
                attempt.rollback()
    except InvalidRegistration as error:
        return 0, error.fields
    return len(rows), {}


def _tell(count: int, wrong: dict[str, list[str]], *, dry_run: bool) -> None:
    for row, problems in wrong.items():
        click.echo(f"{row}: {' '.join(problems)}", err=True)
    done = "would be registered" if dry_run else "registered"
    click.echo(f"Nobody was registered: {len(wrong)} errors." if wrong else f"{count} residents {done}.")


def read_rows(text: str, wrong: dict[str, list[str]]) -> list[Registration]:
    """The registrations of a CSV text; what cannot be read is noted in `wrong` by its row."""
    reader = csv.DictReader(text.splitlines(), strict=True)
    missing = sorted(set(COLUMNS) - set(reader.fieldnames or ()))
    if missing:
        wrong["heading"] = [f"These columns are missing: {', '.join(missing)}."]
        return []
    rows: list[Registration] = []
    try:
        for number, row in enumerate(reader, start=1):
            try:
                rows.append(_read_row({name: (row[name] or "").strip() for name in COLUMNS}))
            except ValueError:
                wrong[f"row {number}"] = ["Write birth_date as 2001-12-31 and sex as F or M."]
    except csv.Error as error:
        wrong[f"line {reader.line_num}"] = [f"This is not CSV: {error}."]
    return rows


def _read_row(row: dict[str, str]) -> Registration:
    return Registration(
        family_name=row["family_name"],
        given_name=row["given_name"],
        middle_name=row["middle_name"] or None,
        birth_date=date.fromisoformat(row["birth_date"]),
        sex=Sex(row["sex"].upper()),
        barangay_code=row["barangay_code"],
        address=row["address"],
        mobile=row["mobile"] or None,
    )
