"""Terminals from the command line, by whoever runs the machine."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

import click
from sqlalchemy.orm import Session

from cardsvc import db, web
from cardsvc.devices import actions, queries
from cardsvc.devices.rules import INVITED_KINDS, Clock, DeviceKind
from cardsvc.devices.schemas import ChainsSchema, chain_shown
from crypto.wire.denylist import ENTRY_BYTES

OpenCity = Callable[[], web.City]
Clocks = Callable[[Session, Sequence[UUID]], Mapping[UUID, Clock]]
MACHINE = UUID(int=0)
"""Who invited a terminal from the command line: nobody who signed in."""


@click.group()
def devices() -> None:
    """Enrol, list and retire terminals."""


@devices.command("invite")
@click.option("--kind", required=True, type=click.Choice([kind.value for kind in INVITED_KINDS]))
@click.option("--name", required=True, help="Where it stands, such as 'City Hall, window 3'.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def invite(open_city: OpenCity, kind: str, name: str, as_json: bool) -> None:
    """Make a code with which one terminal may enrol within a week."""
    city = open_city()
    code = db.run(
        city.engine,
        lambda session: actions.invite(
            session, DeviceKind(kind), name, by=MACHINE, now=city.clock.now(), random_bytes=city.random_bytes
        ),
    )
    if as_json:
        click.echo(json.dumps({"code": code, "kind": kind, "name": name}))
        return
    click.echo(f"{code}\nType it at the terminal: ./city {kind} --enrol-code {code}")


@devices.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def list_(open_city: OpenCity, as_json: bool) -> None:
    """Every terminal, how far its records go, and what is wrong in its chain."""
    city = open_city()
    with db.unit_of_work(city.engine, read_only=True) as session:
        found, wrong = queries.listed(session), queries.anomalies(session)
    counts = {device.id: sum(1 for anomaly in wrong if anomaly.device_id == device.id) for device in found}
    if as_json:
        lines = [
            {
                "id": str(device.id),
                "kind": device.kind.value,
                "name": device.name,
                "status": device.status.value,
                "last_sequence": device.last_sequence,
                "anomalies": counts[device.id],
            }
            for device in found
        ]
        click.echo(json.dumps({"devices": lines}))
        return
    for device in found:
        chain = f"{counts[device.id]} anomalies" if counts[device.id] else "chain whole"
        click.echo(
            f"{device.id}  {device.kind:<9}  {device.status:<8}  {device.last_sequence:>8}  {chain}  {device.name}"
        )
    if not found:
        click.echo("No terminal is enrolled yet: ./city devices invite")


def make(clocks: Clocks) -> click.Group:
    """The command `devices`; `clocks` is what the room knows that takes the terminals' batches."""
    devices.add_command(_make_chain(clocks))
    return devices


def _make_chain(clocks: Clocks) -> click.Command:
    @click.command("chain")
    @click.argument("device_id", type=click.UUID, required=False)
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    @click.pass_obj
    def chain(open_city: OpenCity, device_id: UUID | None, as_json: bool) -> None:
        """What is missing from the terminals' records, what came late, what exists twice; and how their clocks are.

        Exit 1 where a gap is older than a day or a chain is doubled.
        """
        city = open_city()
        now = city.clock.now()
        with db.unit_of_work(city.engine, read_only=True) as session:
            found = (
                queries.chain_reports(session, now)
                if device_id is None
                else (queries.chain_report(session, device_id, now),)
            )
            known = clocks(session, [report.device.id for report in found])
        if as_json:
            shown = [chain_shown(report, known.get(report.device.id)) for report in found]
            click.echo(json.dumps(ChainsSchema().dump({"chains": shown})))
        else:
            for report in found:
                _tell(report, known.get(report.device.id))
        wrong = any(report.overdue or report.forks for report in found if report.device.status == "enrolled")
        sys.exit(1 if wrong else 0)

    return chain


def _tell(report: queries.ChainReport, clock: Clock | None) -> None:
    device = report.device
    off = "clock not known" if clock is None else f"clock {clock.offset_ms:+} ms"
    click.echo(f"{device.id}  {device.name}  last record {device.last_sequence}, {off}")
    for gap in report.missing:
        click.echo(f"  missing {gap.first} to {gap.last} since {gap.since.isoformat()}")
    for closed in report.closed:
        click.echo(f"  {closed.first} to {closed.last} came late, the last at {closed.closed_at.isoformat()}")
    for seen in report.forks:
        fork = seen.fork
        click.echo(
            f"  fork at {fork.sequence} ({fork.why.value}): {fork.record_id} {fork.record_hash.hex()[:16]}"
            f" and {fork.other_id} {fork.other_hash.hex()[:16]}"
        )


@devices.command("deny-list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def deny_list(open_city: OpenCity, as_json: bool) -> None:
    """The newest deny list, how many cards the breaker keeps off it, and how many owe a fare and are not on it yet."""
    city = open_city()
    with db.unit_of_work(city.engine, read_only=True) as session:
        newest = queries.newest_deny_list(session)
        number = newest.number if newest else 0
        cards, keys = (len(queries.deny_entries(session, kind, number)) // ENTRY_BYTES for kind in ("card", "key"))
        held = len(queries.held_back(session))
        owing = len(queries.owing_entries(session, number)) // ENTRY_BYTES
        waiting = queries.owing_waiting(session, city.clock.now())
    if as_json:
        counts = {"cards": cards, "keys": keys, "held": held, "owing": owing, "owing_waiting": waiting}
        click.echo(json.dumps({"number": number, **counts}))
        return
    listed = f"{cards} cards, {keys} keys; gates refuse {owing} cards that owe a fare."
    click.echo(f"Deny list {number}: {listed}" if newest else "No deny list was published yet.")
    if waiting:
        click.echo(f"{waiting} more cards owe a fare and come onto the next lists.")
    if held:
        click.echo(
            f"{held} cards were denied at once and are held back: two people sign denials.release, or let them go."
        )


@devices.command("revoke")
@click.argument("device_id", type=click.UUID)
@click.option("--reason", required=True)
@click.pass_obj
def revoke(open_city: OpenCity, device_id: UUID, reason: str) -> None:
    """Take a terminal out of service for good; what it sent stays."""
    city = open_city()
    device = db.run(
        city.engine,
        lambda session: actions.revoke(session, device_id, by=MACHINE, reason=reason, now=city.clock.now()),
    )
    click.echo(f"{device.name} is out of service.")
