"""Staff accounts from the command line, by whoever runs the machine."""

import json
from collections.abc import Callable

import click

from cardsvc import access, db, web
from cardsvc.access.rules import Role

_PASSWORD_NOTE = "asked for when not given; at least 15 characters"  # noqa: S105


@click.group()
def staff() -> None:
    """Staff accounts and their roles."""


@staff.command("add")
@click.argument("username")
@click.option("--name", "full_name", required=True, help="Full name, as receipts and lists show it.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice([role.value for role in Role]),
    help="Repeat for several.",
)
@click.password_option(help=_PASSWORD_NOTE)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def add(
    open_city: Callable[[], web.City],
    username: str,
    full_name: str,
    roles: tuple[str, ...],
    password: str,
    as_json: bool,
) -> None:
    """Add a staff member, with a signing key of their own."""
    city = open_city()
    made = db.run(
        city.engine,
        lambda session: access.add_staff(
            session,
            username=username,
            full_name=full_name,
            roles=roles,
            password=password,
            now=city.clock.now(),
            random_bytes=city.random_bytes,
            cost=city.settings.password_cost,
        ),
    )
    click.echo(json.dumps(_as_json(made)) if as_json else f"{made.full_name} ({made.username}) can sign in now.")


@staff.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def list_(open_city: Callable[[], web.City], as_json: bool) -> None:
    """Everybody who works here, and what they may do."""
    members = db.run(open_city().engine, access.all_staff, read_only=True)
    if as_json:
        click.echo(json.dumps({"staff": [_as_json(member) for member in members]}))
        return
    for member in members:
        state = "" if member.is_active else "  (blocked)"
        click.echo(f"{member.username:<20} {member.full_name:<30} {', '.join(sorted(member.roles))}{state}")


@staff.command("block")
@click.argument("username")
@click.pass_obj
def block(open_city: Callable[[], web.City], username: str) -> None:
    """End a staff member's sign-ins at once and let neither password nor key count any more."""
    db.run(open_city().engine, lambda session: access.block_staff(session, access.find_staff(session, username).id))
    click.echo(f"{username} can no longer sign in or sign.")


def _as_json(member: access.StaffMember) -> dict[str, object]:
    return {
        "id": str(member.id),
        "username": member.username,
        "full_name": member.full_name,
        "roles": sorted(member.roles),
        "active": member.is_active,
    }
