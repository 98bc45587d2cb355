"""What a decision about many cards would do. Proposing and signing are for people who sign in."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import click

from cardsvc import db
from cardsvc.cards import queries
from cardsvc.cards.commands.common import OpenCity, as_json, echo_json
from cardsvc.cards.rules import BulkKind, BulkOrder, Criteria, RevocationReason

_TIME = click.DateTime(["%Y-%m-%dT%H:%MZ", "%Y-%m-%d"])
_CHOSEN = [reason.value for reason in RevocationReason if reason is not RevocationReason.SUPERSEDED]


@click.group()
def bulk() -> None:
    """Many cards at once: what a decision would do, and what was decided."""


@bulk.command()
@click.argument("kind", type=click.Choice([kind.value for kind in BulkKind]))
@click.option("--product", help="Cards of this product.")
@click.option("--personalised-from", type=_TIME, help="Personalised at this time (UTC) or later.")
@click.option("--personalised-until", type=_TIME, help="Personalised before this time (UTC).")
@click.option("--authority", help="Certified by the authority with this key identifier (hex).")
@click.option("--batch", help="Made of blanks of this delivery.")
@click.option("--bulk-id", type=click.UUID, help="The cards of this earlier decision.")
@click.option("--card", "card_ids", type=click.UUID, multiple=True, help="This card; may be given again.")
@click.option("--revoked-reason", type=click.Choice(_CHOSEN), help="With revoke: the reason.")
@as_json
@click.pass_obj
def plan(open_city: OpenCity, /, kind: str, revoked_reason: str | None, as_json: bool, **given: Any) -> None:
    """How many cards a decision would change now, and which for example. Nothing is written."""
    reason = RevocationReason(revoked_reason) if revoked_reason else None
    order = BulkOrder(BulkKind(kind), _criteria(given), "planned at the command line", reason)
    found = db.run(open_city().engine, lambda session: queries.plan(session, order), read_only=True)
    if as_json:
        states = [{"state": one.state, "count": one.count, "moves": one.moves} for one in found.states]
        sample = [card.id for card in found.sample]
        echo_json({"count": found.count, "sample": sample, "states": states, "list_hash": found.list_hash.hex()})
        return
    click.echo(f"{found.count} cards would change.")
    for state in found.states:
        click.echo(f"  {state.count:>8}  {state.state}" + ("" if state.moves else "  (stay as they are)"))
    for card in found.sample:
        click.echo(f"  {card.id}  {card.state}")


@bulk.command("list")
@as_json
@click.pass_obj
def list_(open_city: OpenCity, as_json: bool) -> None:
    """The decisions about many cards, newest first."""
    found = db.run(open_city().engine, queries.bulks, read_only=True)
    if as_json:
        names = ("id", "kind", "reason", "criteria", "card_count", "proposed_at", "executed_at", "changed")
        echo_json({"decisions": [{name: getattr(one, name) for name in names} for one in found]})
        return
    for one in found:
        done = f"done, {one.changed} changed" if one.executed_at else "waits for signatures"
        click.echo(f"{one.id}  {one.kind} {one.card_count} cards: {one.reason}  ({done})")
    if not found:
        click.echo("Nothing was decided about many cards.")


@bulk.command()
@click.argument("bulk_id", type=click.UUID)
@click.option("--after", type=click.UUID, help="The last id of the page before.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@as_json
@click.pass_obj
def show(open_city: OpenCity, bulk_id: UUID, after: UUID | None, limit: int, as_json: bool) -> None:
    """The cards that a decision names, as they stand now."""
    page = db.run(
        open_city().engine,
        lambda session: queries.bulk_cards(session, bulk_id, after=after, limit=limit),
        read_only=True,
    )
    if as_json:
        names = ("id", "resident_id", "state")
        echo_json({"cards": [{name: getattr(card, name) for name in names} for card in page.cards], "next": page.next})
        return
    for card in page.cards:
        click.echo(f"{card.id}  {card.state}")
    if page.next:
        click.echo(f"More: --after {page.next}")


def _criteria(given: dict[str, Any]) -> Criteria:
    authority: str | None = given.pop("authority")
    try:
        key = None if authority is None else bytes.fromhex(authority)
    except ValueError as error:
        raise click.UsageError("Write --authority in hex, as a certificate's authority key identifier.") from error
    card_ids: tuple[UUID, ...] = given.pop("card_ids")
    from_, until = _utc(given.pop("personalised_from")), _utc(given.pop("personalised_until"))
    return Criteria(authority=key, card_ids=card_ids, personalised_from=from_, personalised_until=until, **given)


def _utc(at: datetime | None) -> datetime | None:
    return None if at is None else at.replace(tzinfo=UTC)
