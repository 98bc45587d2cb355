"""The log and all that can be proved, from the command line."""

import dataclasses
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
from sqlalchemy.orm import Session

from cardsvc import db, web
from cardsvc.audit.actions import publish
from cardsvc.audit.queries import Source, check_log
from cardsvc.errors import CityError
from crypto.errors import CryptoError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclass(frozen=True, slots=True)
class Check:
    """Something that another room can prove: `run` returns the counts of what it looked at, or raises."""

    name: str
    run: Callable[[Session, web.City], "DataclassInstance"]


def make(checks: Sequence[Check], *, source: Source | None = None) -> click.Group:
    """The command `audit`. `app.py` says what is checked beside the log, and who keeps the records of its leaves."""

    @click.group()
    def audit() -> None:
        """Check the books and the transparency log."""

    @audit.command()
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    @click.pass_obj
    def checkpoint(open_city: Callable[[], web.City], as_json: bool) -> None:
        """Sign and publish the log's present head; prints the last one when nothing came since."""
        city = open_city()
        now = city.clock.now()
        head = db.run(city.engine, lambda session: publish(session, city.vault, now))
        click.echo(json.dumps({"tree_size": head.tree_size, "note": head.note}) if as_json else head.note, nl=as_json)

    @audit.command()
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    @click.pass_obj
    def check(open_city: Callable[[], web.City], as_json: bool) -> None:
        """Recompute everything and compare it with what is stored and signed; exit 0 only when all of it holds."""
        city = open_city()
        log = Check("log", lambda session, city: check_log(session, city.vault.city_keys().logs, source=source))
        report = {item.name: _run(item, city) for item in (*checks, log)}
        ok = all(result["ok"] for result in report.values())
        if as_json:
            click.echo(json.dumps({"ok": ok, **report}))
        else:
            for name, result in report.items():
                click.echo(f"{name}: {_sentence(result)}")
        sys.exit(0 if ok else 1)

    return audit


def _run(item: Check, city: web.City) -> dict[str, Any]:
    """One check's result; the others run even where it fails, because together they say what happened."""
    try:
        counts = db.run(city.engine, lambda session: item.run(session, city), read_only=True)
    except (CityError, CryptoError) as error:
        return {"ok": False, "code": error.code, "message": str(error)}
    return {"ok": True, **dataclasses.asdict(counts)}


def _sentence(result: dict[str, Any]) -> str:
    if not result["ok"]:
        return str(result["message"])
    return "holds, " + ", ".join(f"{count:,} {name}" for name, count in result.items() if name != "ok")
