"""`./city vault`: which keys there are, whether they work, and changing one while the city runs."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import click

from cardsvc import vault as vaults
from cardsvc.ceremony.actions import Tools
from cardsvc.ceremony.rules import ListedKey
from cardsvc.vault import CERTIFIED, KeyName, Stage, Vault

_NAMES = click.Choice([name.value for name in KeyName])
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_SHORT = 16
_WARN_BEFORE = timedelta(days=2 * 365)


@click.group()
def vault() -> None:
    """The city's own keys: show, check and change them.

    A key is changed in two steps, and nothing is restarted. `rotate` makes the new key and publishes it beside the old
    one; a day later (31 days for `policy`), when every terminal knows it, `activate` lets it sign. What the old key
    signed still verifies. Where custodians keep the root key, authorities are changed with ./city ceremony --rotate.
    """


@vault.command("show")
@_JSON
@click.pass_obj
def show(open_tools: Callable[[], Tools], as_json: bool) -> None:
    """Every key, its stage and its fingerprint.

    Also which generation it is, and until when its certificate is good. --json gives the whole hashes.
    """
    found = vaults.open_by(open_tools().settings)
    rows = [_row(found, name, one.number) for name in KeyName for one in found.register.keys[name]]
    if as_json:
        report = {"city": found.city_name, "log": found.log_origin, "place": found.store.place, "keys": rows}
        click.echo(json.dumps(report))
        return
    click.echo(f"{found.city_name}, log {found.log_origin}")
    click.echo(f"Keys are kept in {found.store.place}\n")
    click.echo(f"{'key':<12} {'generation':>10}  {'stage':<11} {'public key (SHA-256)':<21} certificate ends")
    for row in rows:
        ends = str(row["certificate_ends_at"] or "")[:10]
        note = "  kept apart" if row["apart"] else ""
        click.echo(
            f"{row['name']:<12} {row['generation']:>10}  {row['stage']:<11} "
            f"{str(row['public_key_sha256'])[:_SHORT]:<21} {ends}{note}"
        )
    for name in KeyName:
        if found.register.of(name, Stage.ANNOUNCED):
            click.echo(f"\nThe new {name} may sign from {_time(vaults.ready_at(found, name))} on.")


def _row(found: Vault, name: KeyName, number: int) -> dict[str, str | int | bool | None]:
    one = found.register.find(name, number)
    key, certificate = found.public_half(name, number)
    item = ListedKey.of(name.value, number, one.stage.value, key, certificate)
    return {
        "name": name.value,
        "generation": number,
        "stage": one.stage.value,
        "made_at": _time_of(one.made_at_ms),
        "apart": one.apart,
        "public_key_sha256": item.key_hash,
        "certificate_sha256": item.certificate_hash,
        "certificate_subject": certificate.subject.rfc4514_string() if certificate else None,
        "certificate_ends_at": _time(certificate.not_valid_after_utc) if certificate else None,
    }


@vault.command("check")
@_JSON
@click.pass_obj
def check(open_tools: Callable[[], Tools], as_json: bool) -> None:
    """Whether every key and certificate works.

    Lets each key sign, and verifies each certificate under its issuer; exit 0 only when all of it holds.
    """
    tools = open_tools()
    found = vaults.open_by(tools.settings)
    count = vaults.check(found)
    soon = _soon(found, tools.clock.now())
    if as_json:
        click.echo(json.dumps({"ok": True, "keys": count, "ends_soon": soon}))
        return
    click.echo(f"{count} keys are whole: each signs, and every certificate stands under its issuer.")
    for name in soon:
        click.echo(f"The certificate of {name} ends within two years: rotate {name} now.")


def _soon(found: Vault, now: datetime) -> list[str]:
    """Whose certificate ends soon, of those that sign now."""
    return [name for name in CERTIFIED if found.certificate(name).not_valid_after_utc < now + _WARN_BEFORE]


@vault.command("rotate")
@click.argument("name", type=_NAMES)
@_JSON
@click.pass_obj
def rotate(open_tools: Callable[[], Tools], name: str, as_json: bool) -> None:
    """Make a new key and publish it.

    The old key of this NAME goes on signing until `activate`.

    With an authority goes what it certified: with card-ca also content; with root all four.
    """
    tools = open_tools()
    found = vaults.open_by(tools.settings)
    names = vaults.announce(found, KeyName(name), at=tools.clock.now(), random_bytes=tools.random_bytes)
    ready = _time(vaults.ready_at(found, KeyName(name)))
    if as_json:
        click.echo(json.dumps({"announced": [one.value for one in names], "activate_from": ready}))
        return
    click.echo(f"Announced: {_and(names)}. The old keys still sign.")
    click.echo(f"From {ready} on: ./city vault activate {name}")


@vault.command("activate")
@click.argument("name", type=_NAMES)
@click.option("--at-once", is_flag=True, help="Do not wait for terminals to learn it: the old key is in other hands.")
@_JSON
@click.pass_obj
def activate(open_tools: Callable[[], Tools], name: str, at_once: bool, as_json: bool) -> None:
    """Let the announced key sign from now on.

    What the old key of this NAME signed still verifies.
    """
    tools = open_tools()
    found = vaults.open_by(tools.settings)
    names = vaults.activate(
        found, KeyName(name), at=tools.clock.now(), random_bytes=tools.random_bytes, at_once=at_once
    )
    done = [one.value for one in names]
    click.echo(json.dumps({"activated": done}) if as_json else f"The new keys sign from now on: {_and(names)}.")


@vault.command("distrust")
@click.argument("name", type=_NAMES)
@click.argument("generation", type=int)
@click.confirmation_option(prompt="Nothing that this key signed will count any more, for good. Go on?")
@_JSON
@click.pass_obj
def distrust(open_tools: Callable[[], Tools], name: str, generation: int, as_json: bool) -> None:
    """Count a key no more; cannot be undone.

    For a key that somebody else had: nothing that this GENERATION of NAME signed verifies any longer.
    """
    tools = open_tools()
    found = vaults.open_by(tools.settings)
    vaults.distrust(found, KeyName(name), generation, random_bytes=tools.random_bytes)
    report = json.dumps({"distrusted": name, "generation": generation})
    click.echo(report if as_json else f"Generation {generation} of {name} counts no more.")


def _and(names: tuple[KeyName, ...]) -> str:
    return ", ".join(names)


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _time_of(milliseconds: int) -> str | None:
    """None in a vault of the first form, which did not write it down."""
    return _time(datetime.fromtimestamp(milliseconds / 1000, UTC)) if milliseconds else None
