"""Feeds from the command line."""

import json
import sys
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from cardsvc import db, web
from cardsvc.clock import MANILA
from cardsvc.transit import actions, queries, quotes, rules, versions
from cardsvc.transit.riding.commands import right
from cardsvc.transit.rules.feed import FILE_BYTES_MAX

_THE_MACHINE = UUID(int=0)  # whoever runs the machine; no staff account stands behind it
_VERSION_MAX = 2**31 - 1


@click.group()
def transit() -> None:
    """Tariffs and taps."""


transit.add_command(right)


@transit.command("import")
@click.argument("feed", type=click.Path(exists=True, path_type=Path))
@click.option("--valid-from", "since", help="When it comes into force: 2027-03-02T04:00; without it, at once.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def import_(open_city: Callable[[], web.City], feed: Path, since: str | None, as_json: bool) -> None:
    """Take a GTFS feed (a folder or a zip file with Fares v2 files) as the next tariff.

    A journey is priced by the version in force when it began. What was priced stays as it was: no tariff comes into
    force in the past.
    """
    city = open_city()
    files = read_files(feed)
    now = city.clock.now()
    valid_from = rules.read_time("valid-from", since, MANILA) if since else now
    if valid_from < now:
        raise click.BadParameter(f"{since} is in the past; give a time to come.", param_hint="--valid-from")
    tariff = db.run(
        city.engine,
        lambda session: actions.import_feed(session, files, valid_from=valid_from, by=_THE_MACHINE, now=now),
    )
    if as_json:
        click.echo(json.dumps({"version": tariff.version, "fares": len(tariff.fares)}))
    else:
        click.echo(f"Tariff {tariff.version} has {len(tariff.fares)} flat fares on {len(tariff.agency_of)} networks.")


@transit.command()
@click.option("--from", "from_stop", required=True, help="Stop to board at, by its id.")
@click.option("--to", "to_stop", required=True, help="Stop to leave at, by its id.")
@click.option("--at", required=True, help="When: 2027-03-02T07:45, local time of the agency.")
@click.option("--arrive", default="", help="When the ride ends; without it, when it begins.")
@click.option("--category", "categories", multiple=True, help="Category of riders; can be given again.")
@click.option("--network", default="", help="Needed where several networks serve both stops.")
@click.option("--medium", default="", help="Fare medium; without it the transit card, else the feed's first.")
@click.option("--feed", type=click.Path(exists=True, path_type=Path), help="A feed instead of the city's tariff.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def quote(open_city: Callable[[], web.City], /, feed: Path | None, as_json: bool, **options: Any) -> None:
    """Say what a ride costs and which rows make it so. Exit 1 where the tariff does not know the fare."""
    asked = rules.Asked(**options)
    answer = quotes.ask(rules.read_feed(read_files(feed)), asked) if feed else _by_the_tariff(open_city(), asked)
    document = answer.document()
    if as_json:
        click.echo(json.dumps(document))
    elif not document["known"]:
        click.echo("The tariff has no fare for this ride; nothing would be charged.")
    else:
        for line in document["lines"]:
            for step in line["steps"]:
                click.echo(f"{step['step']:<12} {step['before']:>8} -> {step['after']:>8}  {step['rule']}")
        click.echo(f"{document['total']} {document['currency']}")
    sys.exit(0 if document["known"] else 1)


def _by_the_tariff(city: web.City, asked: rules.Asked) -> rules.Answer:
    """By the tariff of the city that is in force at the time of the question."""
    found = db.run(city.engine, lambda session: quotes.quote(session, asked), read_only=True)
    if found is None:
        raise rules.InvalidQuote("at", "No tariff is in force then. Import a feed first: ./city transit import FOLDER")
    return found


@transit.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--version", type=click.IntRange(1, _VERSION_MAX), help="A version of the tariff; without it, the one in force."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def export(open_city: Callable[[], web.City], folder: Path, version: int | None, as_json: bool) -> None:
    """Write a tariff's feed into FOLDER, every file byte for byte as it was imported."""
    city = open_city()
    now = city.clock.now()
    number = version or db.run(city.engine, lambda session: queries.version_at(session, now), read_only=True)
    files = db.run(city.engine, lambda session: versions.files_of(session, number or 0), read_only=True)
    if not files:
        raise click.ClickException("There is no such tariff. Import a feed first: ./city transit import FOLDER")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise click.FileError(str(error.filename or folder), error.strerror) from error
    if as_json:
        click.echo(json.dumps({"version": number, "files": sorted(files)}))
    else:
        click.echo(f"Tariff {number}: {len(files)} files in {folder}.")


@transit.command("check-cases")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def check_cases(file: Path, as_json: bool) -> None:
    """Price every fare case of FILE and list what differs from its "want". Exit 0 only when all agree."""
    try:
        document = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise rules.InvalidCases(f"{file} is not JSON: {error}.") from error
    checked = rules.check_cases(document)
    wrong = [case for case in checked if not case.ok]
    if as_json:
        click.echo(json.dumps(_cases_document(checked)))
    else:
        for case in wrong:
            click.echo(f"{case.number}. {case.group}: {case.name}")
            click.echo(f"   {case.problem or f'wanted {case.want}, got {case.got}'}")
        click.echo(f"{len(checked) - len(wrong)} of {len(checked)} cases agree.")
    sys.exit(1 if wrong or not checked else 0)


def _cases_document(checked: Sequence[rules.CheckedCase]) -> dict[str, Any]:
    wrong = [case for case in checked if not case.ok]
    return {
        "ok": bool(checked) and not wrong,
        "cases": len(checked),
        "agree": len(checked) - len(wrong),
        "differing": [
            {"number": c.number, "group": c.group, "name": c.name, "want": c.want, "got": c.got, "problem": c.problem}
            for c in wrong
        ],
    }


def read_files(feed: Path) -> dict[str, bytes]:
    """The feed's text files by name. Raises: InvalidFeed."""
    try:
        if feed.is_dir():
            return {path.name: path.read_bytes() for path in sorted(feed.glob("*.txt"))}
        with zipfile.ZipFile(feed) as archive:
            return {one.filename: _unpacked(archive, one) for one in archive.infolist() if _is_table(one.filename)}
    except OSError as error:
        raise rules.InvalidFeed(f"{error.filename or feed} cannot be read: {error.strerror}.") from error
    except zipfile.BadZipFile as error:
        raise rules.InvalidFeed(
            f"{feed} is neither a folder nor a zip file. Give one with the feed's files."
        ) from error
    except (RuntimeError, zlib.error, EOFError) as error:  # a password, an unknown way of packing, damage
        raise rules.InvalidFeed(f"{feed} cannot be unpacked: {error}. Give the feed's folder.") from error


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """No more than the member says it has is ever unpacked."""
    if member.file_size > FILE_BYTES_MAX:
        raise rules.InvalidFeed(f"{member.filename} is too large.")
    return archive.read(member)


def _is_table(name: str) -> bool:
    return name.endswith(".txt") and "/" not in name
