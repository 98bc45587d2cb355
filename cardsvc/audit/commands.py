"""The log and all that can be proved, from the command line."""

import dataclasses
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
from sqlalchemy.orm import Session

from cardsvc import access, db, web
from cardsvc.audit.actions import (
    RECOVER,
    State,
    check_kept,
    cosign,
    finish_recovery,
    outside,
    propose_recovery,
    publish,
)
from cardsvc.audit.queries import LogChecked, Source, check_log, city_keys, origin
from cardsvc.audit.rules import NoWitnesses
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
        kept = city.settings.log_head
        head = db.run(city.engine, lambda session: publish(session, city.vault, now, kept))
        click.echo(json.dumps({"tree_size": head.tree_size, "note": head.note}) if as_json else head.note, nl=as_json)

    @audit.command()
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    @click.pass_obj
    def check(open_city: Callable[[], web.City], as_json: bool) -> None:
        """Recompute everything and compare it with what is stored and signed; exit 0 only when all of it holds."""
        city = open_city()
        log = Check("log", lambda session, city: _check(session, city, source))
        report = {item.name: _run(item, city) for item in (*checks, log)}
        ok = all(result["ok"] for result in report.values())
        if as_json:
            click.echo(json.dumps({"ok": ok, **report}))
        else:
            for name, result in report.items():
                click.echo(f"{name}: {_sentence(result)}")
        sys.exit(0 if ok else 1)

    return audit


def _check(session: Session, city: web.City, source: Source | None) -> LogChecked:
    """The log by itself, and that it continues the head kept outside the database."""
    check_kept(session, city.vault, city.settings.log_head)
    return check_log(session, city_keys(session, city.vault).logs, source=source)


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


# ------------------------------------------------------------------------------------------------------------- the log


def make_log(*others: click.Command) -> click.Group:
    """The command `log`; `others` are those of a witness, which need no city."""

    @click.group()
    def log() -> None:
        """Watch the transparency log: witnesses, and what was lost with a database."""

    for command in (cosign_, recover, *others):
        log.add_command(command)
    return log


@click.command("cosign")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def cosign_(open_city: Callable[[], web.City], as_json: bool) -> None:
    """Publish the log's head and let the city's witnesses sign it; exit 0 only when enough of them have."""
    city = open_city()
    around, now = outside(city.settings), city.clock.now()
    if around.witnesses is None:
        raise NoWitnesses
    head = db.run(city.engine, lambda session: publish(session, city.vault, now, around.kept))
    asked = cosign(city.engine, city.vault, around, now)
    signed = {one.name for one in asked if one.state in {State.COSIGNED, State.HELD}}
    verifiers = [witness.verifier for name, witness in around.witnesses.witnesses.items() if name in signed]
    enough = around.witnesses.is_met(verifiers)
    if as_json:
        rows = [dataclasses.asdict(one) for one in asked]
        click.echo(json.dumps({"tree_size": head.tree_size, "enough": enough, "witnesses": rows}))
    else:
        for one in asked:
            click.echo(f"{one.name:<20} {one.state.value:<12} {one.size:>10}  {one.detail}".rstrip())
        click.echo(f"Head of {head.tree_size} leaves: {'enough witnesses' if enough else 'not enough witnesses yet'}.")
    sys.exit(0 if enough else 1)


@click.command("recover")
@click.option("--by", "first", required=True, help="User name of who proposes it (administrator or auditor).")
@click.option("--second", required=True, help="User name of who signs it, too: another person.")
@click.option("--reason", required=True, help="What happened, for whoever looks later.")
@click.option("--same-log", is_flag=True, help="Only the file of the last head was lost; the log keeps its name.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def recover(
    open_city: Callable[[], web.City], first: str, second: str, reason: str, same_log: bool, as_json: bool
) -> None:
    """Go on after an older database was restored and nobody has a newer one. Two people sign, each with the password.

    What was signed after the restored state is given up for good: the log goes on under a new name, and everybody who
    watches sees that it does. Restore the newest copy instead wherever there is one.
    """
    city = open_city()
    kept, now = city.settings.log_head, city.clock.now()
    passwords = [click.prompt(f"Password of {name}", hide_input=True, err=True) for name in (first, second)]

    def work(session: Session) -> str:
        people = [access.find_staff(session, name).id for name in (first, second)]
        proposed = propose_recovery(
            session,
            city.vault,
            kept,
            reason=reason,
            same_log=same_log,
            by=people[0],
            now=now,
            random_bytes=city.random_bytes,
        )
        for person, password in zip(people, passwords, strict=True):
            access.check_own_password(session, person, password, now)
            signature = access.sign_action_as(session, person, password, proposed.action_bytes)
            handlers = access.handlers_by_kind(RECOVER)
            access.sign_action(session, handlers, proposed.id, by=person, signature=signature, now=now)
        return origin(session, city.vault)

    name = db.run(city.engine, work)
    head = db.run(city.engine, lambda session: finish_recovery(session, city.vault, kept, now))
    if as_json:
        click.echo(json.dumps({"origin": name, "tree_size": head.tree_size, "note": head.note}))
    else:
        click.echo(f"The log goes on as {name}, at {head.tree_size} leaves. Witnesses need its new key: /v1/keys.")
