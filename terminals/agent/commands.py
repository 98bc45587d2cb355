"""`./city agent`: serve a kiosk's or counter's pages to the browser of this machine."""

import ipaddress
import signal
import sys
from typing import Any

import click
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
@click.option("--city-name", default="City card", show_default=True, help="The name on every page.")
@console.terminal_options
@click.pass_context
def agent(context: click.Context, /, *, kind: str, port: int, city_name: str, **options: Any) -> None:
    """Serve a terminal's pages on this machine, and nowhere else, until interrupted.

    Prints the address of the first page: it holds a token of this start, so a bookmark of yesterday opens nothing.
    """
    terminal = TerminalKind(kind)
    console.keep_options(context, terminal, options)
    station = console.open_station(context)
    pattern = station.settings.reader
    reader = console.card_in_file(pattern) or pcsc.find_reader(pattern)
    told = Port()
    app = create_agent(terminal, station, reader, city_name=city_name, port=told)
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
