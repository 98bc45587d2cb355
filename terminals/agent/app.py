"""The agent: one Flask app beside one reader, for one browser on the same machine."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Flask, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from terminals.agent import cash_pages, counter_pages, guard, kiosk_pages, look
from terminals.agent.counter_flow import CounterFlow, NotSignedIn
from terminals.agent.courier import Courier
from terminals.agent.events import EventLog
from terminals.agent.failures import FAILURES
from terminals.agent.kiosk_flow import KioskFlow
from terminals.agent.kiosk_screens import Screen
from terminals.agent.watcher import Watcher
from terminals.agent.words import translated as _
from terminals.card import Reader
from terminals.settings import TerminalKind
from terminals.station import Station

_TOKEN_BYTES = 16


@dataclass(frozen=True, slots=True)
class Agent:
    """What runs beside the app: `app.extensions["agent"]`. `path` is the address of the first page, the token in it."""

    path: str
    watcher: Watcher
    courier: Courier
    events: EventLog

    def start(self) -> None:
        self.watcher.start()
        self.courier.start()

    def close(self) -> None:
        """End the threads and every event stream."""
        self.events.close()
        self.watcher.stop()
        self.courier.stop()


@dataclass(slots=True)
class Port:
    """The port the browser must name in its requests; None until it is known, and in tests without a socket."""

    number: int | None = None


def create_agent(
    kind: TerminalKind,
    station: Station,
    reader: Reader,
    *,
    city_name: str = "City card",
    token: str | None = None,
    port: Port | None = None,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> Flask:
    """The app of a kiosk or counter. `token` is of this boot: every address begins with it.

    The caller starts and closes `app.extensions["agent"]`, and binds the app to a loopback address.
    """
    token = token or random_bytes(_TOKEN_BYTES).hex()
    events = EventLog()
    app = Flask("terminals.agent", root_path=str(Path(__file__).parent), static_url_path=f"/{token}/static")
    guard.protect(app, token, lambda: port.number if port else None)
    look.dress(app, city_name=city_name, base=f"/{token}", random_bytes=random_bytes)
    app.register_blueprint(_common(events, kind))
    if kind is TerminalKind.KIOSK:
        watcher, courier = _kiosk(app, station, reader, events, token)
    else:
        watcher, courier = _counter(app, station, reader, events, random_bytes)
    app.extensions["agent"] = Agent(f"/{token}/", watcher, courier, events)
    return app


def _kiosk(app: Flask, station: Station, reader: Reader, events: EventLog, token: str) -> tuple[Watcher, Courier]:
    def show(screen: Screen) -> None:
        events.screen(screen.name, f"/{token}/kiosk")

    flow = KioskFlow(station, show)
    watcher = Watcher(reader, flow)
    app.register_blueprint(kiosk_pages.make(flow, watcher))
    return watcher, Courier(station, lambda reached: flow.network(offline=not reached))


def _counter(
    app: Flask, station: Station, reader: Reader, events: EventLog, random_bytes: Callable[[int], bytes]
) -> tuple[Watcher, Courier]:
    flow = CounterFlow(station, events, random_bytes)
    watcher = Watcher(reader, flow)
    pages = counter_pages.make(flow, watcher)
    cash_pages.add(pages, flow, watcher)
    app.register_blueprint(pages)

    @app.errorhandler(NotSignedIn)
    def sign_in_first(_error: NotSignedIn) -> BaseResponse:
        return redirect(url_for("counter.home"), 303)

    def explain(error: Exception) -> str:
        staff = counter_pages.staff_name(flow)
        return render_template("counter/failed.html", staff=staff, title=_("This did not work"), detail=str(error))

    for failure in FAILURES:
        app.register_error_handler(failure, explain)
    return watcher, Courier(station, lambda _reached: None)


def _common(events: EventLog, kind: TerminalKind) -> Blueprint:
    pages = Blueprint("agent", __name__, url_prefix="/<token>")

    @pages.get("/")
    def first() -> BaseResponse:
        return redirect(url_for("kiosk.screen" if kind is TerminalKind.KIOSK else "counter.home"), 303)

    @pages.get("/events")
    def stream() -> Response:
        # A browser that comes back says what it saw last; one that just came wants only what happens from now on.
        last_seen = request.headers.get("Last-Event-ID", type=int)
        start = events.last if last_seen is None else last_seen
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return Response(events.stream(start), mimetype="text/event-stream", headers=headers)

    return pages
