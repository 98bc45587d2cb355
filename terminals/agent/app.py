"""The agent: one Flask app beside one reader, for one browser on the same machine."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Flask, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from terminals.agent import (
    cash_pages,
    counter_life,
    counter_pages,
    counter_pins,
    guard,
    kiosk_pages,
    look,
    readers_page,
    sign_in_counter,
    sign_in_pages,
)
from terminals.agent.counter_flow import CounterFlow, NotSignedIn
from terminals.agent.courier import Courier
from terminals.agent.events import EventLog
from terminals.agent.failures import FAILURES
from terminals.agent.kiosk_flow import KioskFlow
from terminals.agent.kiosk_screens import Screen
from terminals.agent.watcher import Watcher
from terminals.agent.words import translated as _
from terminals.card import FaultLog, LookedAt, NotedReader, Reader
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
    staff_watcher: Watcher | None = None

    def start(self) -> None:
        self.watcher.start()
        if self.staff_watcher:
            self.staff_watcher.start()
        self.courier.start()

    def close(self) -> None:
        """End the threads and every event stream."""
        self.events.close()
        self.watcher.stop()
        if self.staff_watcher:
            self.staff_watcher.stop()
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
    staff_reader: Reader | None = None,
    origin: str | None = None,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    look_around: Callable[[], Sequence[LookedAt]] | None = None,
) -> Flask:
    """The app of a kiosk or counter. `token` is of this boot: every address begins with it.

    At a counter staff sign in with their card, in `staff_reader` if there is one; `origin` is the service's as browsers
    know it, the address that this terminal calls unless told.

    `look_around` sees all readers of this machine, for the page about them; without it that shows the one in use.

    The caller starts and closes `app.extensions["agent"]`, and binds the app to a loopback address.
    """
    token = token or random_bytes(_TOKEN_BYTES).hex()
    events = EventLog()
    app = Flask("terminals.agent", root_path=str(Path(__file__).parent), static_url_path=f"/{token}/static")
    guard.protect(app, token, lambda: port.number if port else None)
    look.dress(app, city_name=city_name, base=f"/{token}", random_bytes=random_bytes)
    app.register_blueprint(_common(events, kind))
    staff_watcher = None
    faults = FaultLog(station.now_ms)
    reader = NotedReader(reader, faults)
    if kind is TerminalKind.KIOSK:
        watcher, courier = _kiosk(app, station, reader, events, token)
    else:
        flow = CounterFlow(station, events, random_bytes)
        watcher, courier = Watcher(reader, flow), Courier(station, lambda _reached: None)
        if staff_reader:
            staff_watcher = Watcher(
                NotedReader(staff_reader, faults), sign_in_counter.StaffSlot(flow, events, f"/{token}/counter")
            )
        _counter(app, flow, watcher, staff_watcher or watcher, origin or station.settings.service_url)
    around = look_around or (lambda: (LookedAt(reader.name, card_present=watcher.card_present),))
    app.register_blueprint(readers_page.make(around, faults, station.now_ms))
    app.extensions["agent"] = Agent(f"/{token}/", watcher, courier, events, staff_watcher)
    return app


def _kiosk(app: Flask, station: Station, reader: Reader, events: EventLog, token: str) -> tuple[Watcher, Courier]:
    def show(screen: Screen) -> None:
        events.screen(screen.name, f"/{token}/kiosk")

    flow = KioskFlow(station, show)
    watcher = Watcher(reader, flow)
    app.register_blueprint(kiosk_pages.make(flow, watcher))
    return watcher, Courier(station, lambda reached: flow.network(offline=not reached))


def _counter(app: Flask, flow: CounterFlow, watcher: Watcher, staff_watcher: Watcher, origin: str) -> None:
    pages = counter_pages.make(flow, watcher)
    cash_pages.add(pages, flow, watcher)
    counter_pins.add(pages, flow, watcher)
    counter_life.add(pages, flow)
    sign_in_counter.add(pages, flow, staff_watcher, origin)
    app.register_blueprint(pages)
    sign_in_pages.add(app, staff_watcher, origin)

    @app.errorhandler(NotSignedIn)
    def sign_in_first(_error: NotSignedIn) -> BaseResponse:
        return redirect(url_for("counter.home"), 303)

    def explain(error: Exception) -> str:
        staff = counter_pages.staff_name(flow)
        return render_template("counter/failed.html", staff=staff, title=_("This did not work"), detail=str(error))

    for failure in FAILURES:
        app.register_error_handler(failure, explain)


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
