"""`./city agent`: serve a kiosk's or counter's pages to the browser of this machine."""

import ipaddress
import resource
import signal
import sys
from typing import Any

import click
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from terminals.agent.app import Agent, Port, create_agent
from terminals.card import pcsc
from terminals.settings import TerminalKind
from terminals.station import console

_HOST = "127.0.0.1"  # the pages are for this machine alone; there is no option for another address


class _Quiet(WSGIRequestHandler):
    """Logs no requests: their addresses hold the token of this boot."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        del code, size


@click.command()
@click.option("--kind", type=click.Choice(["kiosk", "counter"]), required=True, help="Which terminal this is.")
@click.option("--port", type=int, default=0, help="The port to listen on; 0 takes a free one.")
@click.option("--origin", help="The service's address as browsers know it, if it is another than --service.")
@click.option("--staff-reader", help="A reader of its own for the card of the staff member: taking it out locks.")
@click.option("--city-name", default="City card", show_default=True, help="The name on every page.")
@console.terminal_options
@click.pass_context
def agent(
    context: click.Context,
    /,
    *,
    kind: str,
    port: int,
    origin: str | None,
    staff_reader: str | None,
    city_name: str,
    **options: Any,
) -> None:
    """Serve a terminal's pages on this machine, and nowhere else, until interrupted.

    Prints the address of the first page: it holds a token of this start, so a bookmark of yesterday opens nothing. For
    staff who sign in with their card at the service's own pages take --port 8090, where the service sends them.
    """
    # A PIN passes through this process: whatever brings it down leaves no image of its memory on a disk.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    terminal = TerminalKind(kind)
    console.keep_options(context, terminal, options)
    station = console.open_station(context)
    pattern = station.settings.reader
    in_file = console.card_in_file(pattern)
    # A terminal starts without its readers, and says so until somebody plugs them in.
    reader = in_file or pcsc.expected_reader(pattern)
    beside_it = (console.card_in_file(staff_reader) or pcsc.expected_reader(staff_reader)) if staff_reader else None
    told = Port()
    app = create_agent(
        terminal,
        station,
        reader,
        city_name=city_name,
        port=told,
        staff_reader=beside_it,
        origin=origin,
        look_around=None if in_file else pcsc.look_around,
    )
    _serve(app, port, told)


def _serve(app: Flask, port: int, told: Port) -> None:
    """Until interrupted."""
    beside: Agent = app.extensions["agent"]
    server = make_server(_HOST, port, app, threaded=True, request_handler=_Quiet)
    told.number = server.server_port
    assert ipaddress.ip_address(server.host).is_loopback
    beside.start()
    click.echo(f"http://{_HOST}:{server.server_port}{beside.path}")
    sys.stdout.flush()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        click.echo("Stopped.", err=True)
    finally:
        beside.close()
        server.server_close()


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
