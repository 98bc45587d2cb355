"""Two entries of one person, from the command line."""

import json
from typing import Any, Final
from uuid import UUID

import click

from cardsvc import access, db
from cardsvc.residents import actions, queries
from cardsvc.residents.actions import Holdings
from cardsvc.residents.commands.finding import OpenCity
from cardsvc.residents.queries import Pair, Resident
from cardsvc.residents.rules import PairState

STATES: Final = [state.value for state in PairState]


@click.command("pairs")
@click.option(
    "--state", type=click.Choice([state.value for state in PairState]), default=PairState.OPEN.value, show_default=True
)
@click.option("--offset", type=click.IntRange(min=0), default=0)
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def pairs(open_city: OpenCity, state: str, offset: int, limit: int, as_json: bool) -> None:
    """Residents who may be one person twice, the likeliest first, and why."""

    def read(session: Any) -> tuple[queries.PairPage, dict[UUID, Resident]]:
        page = queries.pairs(session, state=PairState(state), offset=offset, limit=limit)
        ids = {one for pair in page.pairs for one in (pair.first_id, pair.second_id)}
        return page, queries.find_many(session, sorted(ids))

    page, people = db.run(open_city().engine, read, read_only=True)
    if as_json:
        found = [_as_json(pair, people) for pair in page.pairs]
        click.echo(json.dumps({"pairs": found, "next": page.next, "total": page.total}))
        return
    for pair in page.pairs:
        first, second = people[pair.first_id], people[pair.second_id]
        click.echo(f"{pair.id}  {first.number} {first.full_name}  /  {second.number} {second.full_name}")
        why = ", ".join(f"{r.field} {r.agreement} {r.weight:+d}" for r in pair.comparison.why)
        click.echo(f"    score {pair.comparison.score}: {why}")
    click.echo(f"{page.total} pairs." + (f" More: --offset {page.next}" if page.next else ""))


def make_merge(holdings: Holdings) -> click.Command:
    @click.command("merge")
    @click.argument("keep")
    @click.argument("second")
    @click.option("--reason", required=True)
    @click.option("--by", "username", required=True, help="The staff member who decides.")
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    @click.pass_obj
    def merge(open_city: OpenCity, keep: str, second: str, reason: str, username: str, as_json: bool) -> None:
        """Make the resident SECOND a second entry of the resident KEEP (numbers). `part` undoes it."""
        city = open_city()

        def work(session: Any) -> Resident:
            kept, merged = queries.find_by_number(session, keep), queries.find_by_number(session, second)
            by, now = access.find_staff(session, username).id, city.clock.now()
            return actions.merge(session, kept.id, merged.id, by=by, reason=reason, now=now, holdings=holdings)

        _tell(db.run(city.engine, work), "is the person now; both numbers lead here.", as_json=as_json)

    return merge


@click.command("part")
@click.argument("number")
@click.option("--reason", required=True)
@click.option("--by", "username", required=True, help="The staff member who decides.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def part(open_city: OpenCity, number: str, reason: str, username: str, as_json: bool) -> None:
    """Undo the merge of the resident with this NUMBER: they are a resident of their own again."""
    city = open_city()

    def work(session: Any) -> Resident:
        entry = queries.entry_by_number(session, number)
        by = access.find_staff(session, username).id
        return actions.part(session, entry.id, by=by, reason=reason, now=city.clock.now())

    _tell(db.run(city.engine, work), "is a resident of their own again.", as_json=as_json)


def _tell(resident: Resident, what: str, *, as_json: bool) -> None:
    if as_json:
        shown = {"id": str(resident.id), "number": resident.number, "status": resident.status.value}
        click.echo(json.dumps(shown))
    else:
        click.echo(f"{resident.number} {resident.full_name} {what}")


def _as_json(pair: Pair, people: dict[UUID, Resident]) -> dict[str, Any]:
    return {
        "id": pair.id,
        "score": pair.comparison.score,
        "why": [
            {"field": r.field, "agreement": r.agreement.value, "weight": r.weight, "note": r.note}
            for r in pair.comparison.why
        ],
        "state": pair.state.value,
        "residents": [
            {"id": str(one), "number": people[one].number, "name": people[one].full_name}
            for one in (pair.first_id, pair.second_id)
        ],
        "import_id": str(pair.import_id) if pair.import_id else None,
    }
