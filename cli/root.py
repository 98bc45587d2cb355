"""The root command: lists every command at once, and loads one only when it is asked for."""

import importlib
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from cli.table import ENTRIES, SECTIONS, Entry

OURS = ("cli", "bench", "demo", "cardsvc", "terminals", "crypto")
WANTS_JSON = "cli.wants_json"


class Unavailable(click.ClickException):
    """The command exists, but this installation lacks what it stands on."""

    def __init__(self, entry: Entry, reason: str) -> None:
        super().__init__(f"./city {entry.name} is not available in this installation: {reason}.")


class Root(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(ENTRIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = ENTRIES.get(cmd_name)
        return load(entry) if entry else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, ENTRIES))
        for section in SECTIONS:
            with formatter.section(section.heading):
                # padded to one width, so that the columns of all sections line up
                formatter.write_dl([(entry.name.ljust(width), entry.help) for entry in section.entries])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[WANTS_JSON] = "--json" in args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            code = domain_code(error)
            if code is None:
                raise
            if ctx.meta[WANTS_JSON]:
                click.echo(json.dumps({"ok": False, "code": code, "message": str(error)}))
            raise click.ClickException(str(error)) from error


def domain_code(error: Exception) -> str | None:
    """The stable code of one of our own errors; None for anything else, which is a bug and keeps its traceback."""
    code = getattr(error, "code", None)
    ours = type(error).__module__.split(".")[0] in OURS
    return code if ours and isinstance(code, str) else None


def load(entry: Entry) -> click.Command:
    """Import the command.

    Raises:
        Unavailable: its module, or a library it needs, is not installed here.
    """
    module_name, _, attribute = entry.target.partition(":")
    try:
        found = getattr(importlib.import_module(module_name), attribute)
    except ModuleNotFoundError as error:
        missing = error.name or module_name
        part = missing.split(".")[0] in OURS
        raise Unavailable(entry, f"the {'part' if part else 'library'} {missing} is missing") from error
    except ImportError as error:
        raise Unavailable(entry, str(error)) from error
    command = found.get(entry.name) if isinstance(found, Mapping) else found
    if not isinstance(command, click.Command):
        raise Unavailable(entry, f"{entry.target} does not offer it")
    return command


def show_version(ctx: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())
        click.echo(f"cardsvc {project['project']['version']}")
        ctx.exit()


@click.command(
    cls=Root,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Every command explains itself: ./city COMMAND --help. Where a command takes --json, it prints one object.",
)
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=show_version, help="Show the version."
)
def root() -> None:
    """The citizen card and city wallet.

    New here? `./city up` starts a demo city on this machine; `./city story` shows the whole of it in under a minute.
    """


def main() -> None:
    root(prog_name="./city")
