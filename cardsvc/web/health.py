"""What those who run the city ask: alive, ready, which version, how much."""

import ipaddress
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version

from flask import Blueprint, Flask, Response, current_app, g, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client import Gauge as PrometheusGauge
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from werkzeug.exceptions import Forbidden

from cardsvc import migrations
from cardsvc.db import unit_of_work
from cardsvc.web.parts import city, now, public

SEVERAL_PROCESSES = "PROMETHEUS_MULTIPROC_DIR"

blueprint = Blueprint("health", __name__)


@dataclass(frozen=True, slots=True)
class Gauge:
    """A number that a room counts in the database when somebody asks for the metrics."""

    name: str
    help: str
    count: Callable[[Session, datetime], int]


def measure(app: Flask, *gauges: Gauge) -> None:
    """Let /metrics tell these too."""
    app.extensions["city_gauges"] = gauges


@blueprint.get("/livez")
@public
def livez() -> Response:
    """The process answers."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
@public
def readyz() -> tuple[Response, int]:
    """The database answers and has the schema this code was written for."""
    checks = _checks()
    ready = set(checks.values()) == {"ok"}
    return jsonify(status="ok" if ready else "not ready", checks=checks), 200 if ready else 503


@blueprint.get("/version")
@public
def version_() -> Response:
    """Which release runs."""
    return jsonify(name="cardsvc", version=_release())


@blueprint.get("/metrics")
@public
def metrics() -> Response:
    """Prometheus text, for programs on this machine alone: routes and counts are nobody else's business."""
    if not _asked_from_this_machine():
        raise Forbidden("Metrics are given on this machine alone: ask on its loopback address.")
    registry: CollectorRegistry = current_app.extensions["city_metrics"]
    if SEVERAL_PROCESSES in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry) + _gauged(), content_type=CONTENT_TYPE_LATEST)


def _gauged() -> bytes:
    """What the rooms count, asked now: every process answers the same."""
    registry = CollectorRegistry()
    found: Sequence[Gauge] = current_app.extensions.get("city_gauges", ())
    with unit_of_work(city().engine, read_only=True) as session:
        for gauge in found:
            PrometheusGauge(gauge.name, gauge.help, registry=registry).set(gauge.count(session, now()))
    return generate_latest(registry)


def init(app: Flask) -> None:
    """Serve the health routes and count every request by its route's pattern."""
    registry = CollectorRegistry()  # the app's own: tests and the demo make several apps in one process
    app.extensions["city_metrics"] = registry
    requests = Counter("city_requests", "Requests answered", ["method", "route", "status"], registry=registry)
    seconds = Histogram("city_request_seconds", "Time to answer", ["method", "route"], registry=registry)
    app.register_blueprint(blueprint)

    @app.before_request
    def begin() -> None:
        g.city_began = time.perf_counter()

    @app.after_request
    def count(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule is not None else "(none)"
        requests.labels(request.method, route, response.status_code).inc()
        seconds.labels(request.method, route).observe(time.perf_counter() - g.city_began)
        return response


def _checks() -> dict[str, str]:
    try:
        current = migrations.is_current(city().engine)
    except SQLAlchemyError:
        return {"database": "unreachable", "schema": "unknown"}
    return {"database": "ok", "schema": "ok" if current else "another than this release's: run ./city migrate"}


def _asked_from_this_machine() -> bool:
    # A proxy on this machine would make everybody look local, so what comes through one is refused.
    forwarded = any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "Via"))
    try:
        return not forwarded and ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def _release() -> str:
    try:
        return version("cardsvc")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "unreleased"
