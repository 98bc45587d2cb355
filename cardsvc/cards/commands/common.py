"""What the commands share."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import click

from cardsvc import web

OpenCity = Callable[[], web.City]
MACHINE = UUID(int=0)
"""Who did what a command line did: whoever has the machine, nobody who signed in."""

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def echo_json(value: Mapping[str, Any]) -> None:
    click.echo(json.dumps(value, default=str))
