"""Feeds from the command line."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import click

from cardsvc import db, web
from cardsvc.transit import actions, rules

_THE_MACHINE = UUID(int=0)  # whoever runs the machine; no staff account stands behind it


@click.group()
def transit() -> None:
    """Tariffs and taps."""


@transit.command("import")
@click.argument("feed", type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def import_(open_city: Callable[[], web.City], feed: Path, as_json: bool) -> None:
    """Take a GTFS feed (a folder or a zip file with Fares v2 files) as the next tariff, in force at once."""
    city = open_city()
    files = read_files(feed)
    now = city.clock.now()
    tariff = db.run(
        city.engine,
        lambda session: actions.import_feed(session, files, valid_from=now, by=_THE_MACHINE, now=now),
    )
    if as_json:
        click.echo(json.dumps({"version": tariff.version, "fares": len(tariff.fares)}))
    else:
        click.echo(f"Tariff {tariff.version} has {len(tariff.fares)} flat fares on {len(tariff.agency_of)} networks.")


def read_files(feed: Path) -> dict[str, bytes]:
    """The feed's text files by name."""
    if feed.is_dir():
        return {path.name: path.read_bytes() for path in sorted(feed.glob("*.txt"))}
    try:
        with zipfile.ZipFile(feed) as archive:
            return {name: archive.read(name) for name in archive.namelist() if _is_table(name)}
    except zipfile.BadZipFile as error:
        raise rules.InvalidFeed(
            f"{feed} is neither a folder nor a zip file. Give one with the feed's files."
        ) from error


def _is_table(name: str) -> bool:
    return name.endswith(".txt") and "/" not in name
