"""One JSON line a request and an error. Request id, route, status, time taken: no names, numbers, addresses, bodies."""

import logging
import sys
import time
import traceback
from collections.abc import MutableMapping
from typing import Any, Final

import structlog
from flask import Flask, Response, g, request

from cardsvc.web.headers import request_id

Event = MutableMapping[str, Any]


def configure_logs(level: int = logging.INFO) -> None:
    """Send this process's log, libraries included, to standard error as JSON. Commands that run for long call it."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=SHARED,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)


def failure_without_words(_logger: Any, _method: str, event: Event) -> Event:
    """Where it failed and what kind of failure; its own text is left out, because it may quote a resident's data."""
    given = event.pop("exc_info", None)
    error = given[1] if isinstance(given, tuple) else given if isinstance(given, BaseException) else sys.exc_info()[1]
    if given and error is not None:
        event["error"] = type(error).__name__
        event["at"] = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)[-6:]]
    return event


SHARED: Final[list[Any]] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    failure_without_words,
]


def init(app: Flask) -> None:
    """Log each answer, once, under the route's pattern: the path itself may name a resident or a bill."""
    # On top of the standard logger, so that nothing is printed in a process that never called `configure_logs`.
    log = structlog.wrap_logger(
        logging.getLogger("cardsvc.web"),
        processors=[structlog.stdlib.filter_by_level, *SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
    )

    @app.before_request
    def begin() -> None:
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id())

    @app.after_request
    def end(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule is not None else "(none)"
        if not route.startswith("/static"):
            ms = round((time.perf_counter() - g.city_began) * 1000, 1)
            log.info("request", method=request.method, route=route, status=response.status_code, ms=ms)
        return response
