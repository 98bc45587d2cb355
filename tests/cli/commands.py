"""Commands for the root command's own tests: one refuses, one is broken."""

import click

from crypto.errors import MalformedMessage


@click.command()
@click.option("--json", "as_json", is_flag=True)
def refusing(as_json: bool) -> None:
    raise MalformedMessage("the file does not hold a receipt")


@click.command()
def broken() -> None:
    raise ZeroDivisionError


commands = {"worker": refusing}
