"""`./city residents import`: what the operator asks for, and what is told."""

import csv
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cardsvc import access, db, web
from cardsvc.residents.actions import OnRegistered
from cardsvc.residents.commands.finding import OpenCity
from cardsvc.residents.commands.taking import Checked, Order, check_file, known_import, take_file, try_file
from cardsvc.residents.queries import Import
from cardsvc.residents.rules import DATES, DELIMITERS, ENCODINGS, FIELDS, Layout, RowError

FILE: Final = UUID(int=0)
"""Who registered a resident that came with a file, where nobody is named: whoever runs the machine."""
ERRORS_SHOWN: Final = 1000


def make_import(on_registered: OnRegistered) -> click.Command:
    @click.command("import")
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--dry-run", is_flag=True, help="Check and compare every row, write nothing.")
    @click.option("--accept-good-rows", is_flag=True, help="Leave wrong rows out, take the others in.")
    @click.option("--map", "said", multiple=True, metavar="COLUMN=FIELD", help=f"FIELD: {', '.join(FIELDS)}, or none.")
    @click.option("--encoding", type=click.Choice(ENCODINGS), default="utf-8", show_default=True)
    @click.option("--delimiter", type=click.Choice([*DELIMITERS]), help="Found from the heading when not said.")
    @click.option("--dates", type=click.Choice(DATES), default=DATES[0], show_default=True)
    @click.option("--errors", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Write a CSV here.")
    @click.option("--by", "username", help="The staff member in whose name people are registered.")
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    @click.pass_obj
    def import_(open_city: OpenCity, /, file: Path, **given: Any) -> None:
        """Take the people of a CSV file into the register.

        Nobody is taken in while one row is wrong, unless --accept-good-rows says otherwise. Everybody is compared with
        the register and with the rows before: who is there already stays as they are, a second entry of somebody is
        merged (./city residents part undoes it), who may be somebody waits in ./city residents pairs. The same file
        again changes nothing; after a crash it goes on where it stopped.

        Columns: family_name, given_name, birth_date, sex (F or M), barangay_code, address; middle_name and mobile
        where people have them. Lines are counted as an editor does: the heading is line 1.
        """
        columns = _columns(given["said"])
        delimiter = DELIMITERS[given["delimiter"]] if given["delimiter"] else None
        layout = Layout(given["encoding"], delimiter, given["dates"], columns)
        city = open_city()
        order = Order(file, layout, _actor(city, given["username"]), given["accept_good_rows"])
        with _bars() as told:
            report = _carry_out(city, order, on_registered, told, dry_run=given["dry_run"])
        if given["errors"]:
            write_errors(given["errors"], report["errors"])
        _tell(report, as_json=given["as_json"])
        if report["errors"] and not (order.accept_good_rows and report["good_rows"]):
            raise SystemExit(1)

    return import_


def _carry_out(
    city: web.City, order: Order, on_registered: OnRegistered, told: Callable[[str, int], None], *, dry_run: bool
) -> dict[str, Any]:
    checked = check_file(city, order, told)
    if checked.errors and not (order.accept_good_rows and checked.good):
        return _report(checked, dry_run=dry_run)
    known = known_import(city, checked)
    if known is not None and known.is_done:
        return _report(checked, known, dry_run=dry_run, already=True)
    if dry_run:
        counts = {outcome.value: count for outcome, count in try_file(city, order, told).items()}
        return _report(checked, dry_run=True) | counts
    made, already = take_file(city, order, checked, on_registered, told)
    return _report(checked, made, dry_run=False, already=already)


def _report(checked: Checked, made: Import | None = None, *, dry_run: bool, already: bool = False) -> dict[str, Any]:
    """What is printed. Counts are those of the file, however many runs it took."""
    return {
        "import_id": str(made.id) if made else None,
        "file_sha256": checked.file_hash.hex(),
        "dry_run": dry_run,
        "already_imported": already,
        "good_rows": checked.good,
        "registered": made.registered if made else 0,
        "known": made.known if made else 0,
        "merged": made.merged if made else 0,
        "review": made.review if made else 0,
        "refused": checked.refused,
        "ignored_columns": list(checked.ignored),
        "errors": checked.errors,
    }


def _tell(report: dict[str, Any], *, as_json: bool) -> None:
    errors: list[RowError] = report["errors"]
    if as_json:
        shown = [_as_json(error) for error in errors[:ERRORS_SHOWN]]
        click.echo(json.dumps(report | {"errors": shown, "error_count": len(errors)}))
        return
    for error in errors[:ERRORS_SHOWN]:
        place = f"line {error.line}" + (f", {error.column}" if error.column else "")
        click.echo(f"{place}: {error.sentence} ({error.code})", err=True)
    if len(errors) > ERRORS_SHOWN:
        click.echo(f"... and {len(errors) - ERRORS_SHOWN} more: --errors FILE writes all of them.", err=True)
    if report["ignored_columns"]:
        click.echo(f"Not read: {', '.join(report['ignored_columns'])}.", err=True)
    if report["already_imported"]:
        click.echo(f"This file is in already, as import {report['import_id']}. Nothing was changed.")
    if report["import_id"] is None and not report["dry_run"]:
        click.echo(f"Nobody was registered: {len(errors)} errors.")
        return
    would = "Would be: " if report["dry_run"] else ""
    new = report["registered"] + report["review"]
    click.echo(
        f"{would}{new} residents registered, {report['review']} of them to be looked at (residents pairs); "
        f"{report['known']} known already, {report['merged']} merged, {report['refused']} rows refused."
    )


def write_errors(path: Path, errors: Sequence[RowError]) -> None:
    """Every error as a line of CSV: line, column, code, sentence. No cell of the register is copied."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("line", "column", "code", "sentence"))
        writer.writerows((error.line, error.column, error.code, error.sentence) for error in errors)


def _as_json(error: RowError) -> dict[str, Any]:
    return {"line": error.line, "column": error.column, "code": error.code, "sentence": error.sentence}


def _columns(said: Sequence[str]) -> dict[str, str]:
    columns: dict[str, str] = {}
    for one in said:
        column, equals, name = one.rpartition("=")
        if not equals or not column or name not in (*FIELDS, "none"):
            raise click.BadParameter(f"{one!r} is not COLUMN=FIELD; a field is {', '.join(FIELDS)} or none.")
        columns[column] = name
    return columns


def _actor(city: web.City, username: str | None) -> UUID:
    if username is None:
        return FILE
    return db.run(city.engine, lambda session: access.find_staff(session, username), read_only=True).id


def _bars() -> Any:
    """Progress on a terminal, silence everywhere else."""
    if not sys.stderr.isatty():
        return nullcontext(lambda _what, _count: None)
    return _Bars()


class _Bars:
    def __enter__(self) -> Callable[[str, int], None]:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self._progress.start()
        tasks: dict[str, Any] = {}

        def told(what: str, count: int) -> None:
            if what not in tasks:  # the first look counts the rows, so the next ones know how many there are
                tasks[what] = self._progress.add_task(what, total=self._progress.tasks[0].completed if tasks else None)
            self._progress.advance(tasks[what], count)

        return told

    def __exit__(self, *_: object) -> None:
        self._progress.stop()
