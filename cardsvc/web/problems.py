"""Failures as answers: problem documents (RFC 9457) on /v1, /log and /pki, a page elsewhere. No stack trace, ever."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from flask import Flask, Response, json, render_template, request
from flask_babel import gettext, lazy_gettext
from sqlalchemy.exc import IntegrityError, OperationalError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from cardsvc.errors import CityError, ErrorKind
from cardsvc.web.headers import request_id
from crypto.errors import CryptoError

STATUS_OF_KIND: Final = {
    ErrorKind.INVALID: 400,
    ErrorKind.UNAUTHENTICATED: 401,
    ErrorKind.FORBIDDEN: 403,
    ErrorKind.NOT_FOUND: 404,
    ErrorKind.CONFLICT: 409,
    ErrorKind.PRECONDITION: 412,
    ErrorKind.UNPROCESSABLE: 422,
    ErrorKind.TOO_MANY: 429,
    ErrorKind.UNAVAILABLE: 503,
}
# Codes of failures that HTTP itself names; written out because Python renames its own list between versions.
CODE_OF_STATUS: Final = {
    400: "bad_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    409: "conflict",
    412: "precondition_failed",
    413: "body_too_large",
    415: "unsupported_media_type",
    422: "invalid_fields",
    428: "precondition_required",
    429: "too_many_requests",
    500: "internal_error",
    503: "unavailable",
}
TITLES: Final = {
    400: lazy_gettext("The request is not right"),
    401: lazy_gettext("Sign in first"),
    403: lazy_gettext("You may not do this"),
    404: lazy_gettext("Not found"),
    405: lazy_gettext("Not possible here"),
    409: lazy_gettext("This does not fit what is already recorded"),
    412: lazy_gettext("It has changed since you looked"),
    413: lazy_gettext("Too large"),
    415: lazy_gettext("Wrong type of content"),
    422: lazy_gettext("Some of it cannot be accepted"),
    428: lazy_gettext("Say which version you are changing"),
    429: lazy_gettext("Too many attempts"),
    500: lazy_gettext("Something went wrong on our side"),
    503: lazy_gettext("The service is not ready"),
}
API_PREFIXES: Final = ("/v1", "/log", "/pki")
REDIRECTS_END: Final = 400
SERVER_ERROR: Final = 500
NOT_FOUND: Final = 404
UNAUTHENTICATED: Final = 401
RETRY_SECONDS: Final = 5


@dataclass(frozen=True, slots=True)
class Problem:
    """One failure as the outside sees it. `errors` maps a field's dotted path to sentences."""

    status: int
    code: str
    detail: str
    errors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def title(self) -> str:
        """A few words in the reader's language."""
        known = TITLES.get(self.status)
        return str(known) if known is not None else gettext("The request failed")


def init(app: Flask) -> None:
    """Answer every failure in one of the two forms. `api_spec` leaves HTTP's own errors to `answer_http`."""

    @app.errorhandler(CityError)
    def answer_city(error: CityError) -> Response:
        status = STATUS_OF_KIND[error.kind]
        return answer(Problem(status, error.code, str(error), error.fields, _challenge(status)))

    @app.errorhandler(CryptoError)
    def answer_crypto(error: CryptoError) -> Response:
        return answer(Problem(422, error.code, str(error)))

    @app.errorhandler(IntegrityError)
    def answer_race(error: IntegrityError) -> Response:
        # Two requests stored the same thing at one moment; the constraint let one through. The other was rolled back.
        app.logger.warning("constraint: %s", type(error.orig).__name__)
        detail = gettext("Somebody stored the same thing at this very moment. Look at it, then try again if need be.")
        return answer(Problem(409, "stored_meanwhile", detail))

    @app.errorhandler(OperationalError)
    def answer_database(error: OperationalError) -> Response:
        if getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
            raise error  # a statement of ours is wrong
        # Busy or gone: the unit was rolled back, so the caller may send the same thing again. The error's own text
        # quotes statements and is not for outside.
        app.logger.error("database: %s", type(error.orig).__name__)
        detail = gettext("The database did not answer in time. Nothing was stored: send it again.")
        return answer(Problem(503, "database_unavailable", detail, headers=(("Retry-After", str(RETRY_SECONDS)),)))


def _challenge(status: int) -> tuple[tuple[str, str], ...]:
    """RFC 9110 11.6.1: who answers 401 says how one may sign in."""
    return (("WWW-Authenticate", 'Bearer realm="city"'),) if status == UNAUTHENTICATED else ()


def answer_http(error: HTTPException) -> BaseResponse:
    """Answer one of HTTP's own errors: not found, too large, fields that do not validate, a bug of ours (500)."""
    status = error.code or SERVER_ERROR
    if status < REDIRECTS_END:
        return error.get_response()  # a redirect is no failure
    code = getattr(error, "city_code", None) or CODE_OF_STATUS.get(status, f"http_{status}")
    data = getattr(error, "data", None) or {}
    errors = dict(_flat(data.get("errors") or data.get("messages") or {}))
    kept = tuple(
        (k, v) for k, v in error.get_headers() if k in {"Accept-Encoding", "Allow", "Retry-After", "WWW-Authenticate"}
    )
    return answer(Problem(status, code, _detail(error, status, errors), errors, kept))


def answer(problem: Problem) -> Response:
    """The problem as a document for programs or as a page for people."""
    as_document = request.path.startswith(API_PREFIXES)
    made = _document(problem) if as_document else _page(problem)
    made.headers.extend(problem.headers)
    return made


def _document(problem: Problem) -> Response:
    plain = problem.code == CODE_OF_STATUS.get(problem.status)
    body: dict[str, object] = {
        "type": "about:blank" if plain else f"urn:city:problem:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "instance": request.path,
        "code": problem.code,
        "trace_id": request_id(),
    }
    if problem.errors:
        body["errors"] = problem.errors
    return Response(json.dumps(body), problem.status, mimetype="application/problem+json")


def _page(problem: Problem) -> Response:
    # Before a blueprint's rule has matched nothing is known of the visitor; the page needs none of it.
    body = render_template("error.html", problem=problem, trace_id=request_id())
    return Response(body, problem.status, mimetype="text/html")


def _detail(error: HTTPException, status: int, errors: Mapping[str, object]) -> str:
    if status >= SERVER_ERROR:
        return str(gettext("It is not your fault. Try again; if it happens again, tell us the number below."))
    if errors:
        return str(gettext("Correct the fields listed and send it again."))
    if status == NOT_FOUND:
        return str(gettext("There is nothing at this address."))
    return str(error.description or "")


def _flat(messages: Any, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """`{"json": {"lines": {0: {"amount": [..]}}}}` as `lines.0.amount`; webargs' name of the place falls away."""
    if isinstance(messages, Mapping):
        places = {"json", "form", "query", "headers", "files", "path", "json_or_form", "cookies"}
        for name, inner in messages.items():
            nested = isinstance(inner, Mapping)
            here = "" if not path and name in places and nested else f"{path}.{name}".lstrip(".")
            yield from _flat(inner, here)
    elif isinstance(messages, list | tuple):
        yield path or "request", [str(message) for message in messages]
    else:
        yield path or "request", [str(messages)]
