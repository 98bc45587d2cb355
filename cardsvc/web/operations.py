"""What the API document says of an operation by itself: who may call it, its key, and every way it may fail.

A room adds with `@blueprint.fails(429)` only what cannot be seen from the outside of the route. No operation has a
`default` answer: a client, or a judge, could then no longer tell what was promised from what slipped out.
"""

from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final, TypeVar

from cardsvc.web import idempotency
from cardsvc.web.unit import READING

View = TypeVar("View", bound=Callable[..., Any])

_OPEN: Final = (None, "public")
_KEY: Final = {
    "in": "header",
    "name": idempotency.HEADER,
    "required": True,
    "schema": {"type": "string", "format": "uuid"},
    "description": "A UUID of the sender's making, the same one at each retry: it becomes the record's id. It may "
    "stand in double quotes.",
}


def fails(*statuses: int) -> Callable[[View], View]:
    """Say that the route may also answer problems of these statuses."""
    return lambda view: _note(view, fails=statuses)


def keyed(view: View) -> View:
    """Say that the route needs an Idempotency-Key; it reads it with `web.idempotency_key()`."""
    return _note(view, keyed=True)


def seen(rule: str, view: Any) -> dict[str, Any]:
    """What can be told from a route and its view, for `describe`."""
    return {"access": getattr(view, "city_access", None), "has_place": "<" in rule}


def describe(doc: dict[str, Any], said: Mapping[str, Any], *, method: str, **_context: Any) -> dict[str, Any]:
    """Complete an operation of the document. flask-smorest calls it last of all."""
    if said.get("access") not in _OPEN:
        doc["security"] = [{"token": []}]
    if said.get("keyed"):
        doc.setdefault("parameters", []).append(_KEY)
    answers = doc.setdefault("responses", {})
    for status in sorted(set(_failures(doc, said, method))):
        answers.setdefault(status, HTTPStatus(status).name)
    return doc


def _failures(doc: Mapping[str, Any], said: Mapping[str, Any], method: str) -> Iterator[int]:
    yield HTTPStatus.SERVICE_UNAVAILABLE  # whatever is asked, the database may be busy
    if method.upper() not in READING:
        yield HTTPStatus.CONFLICT  # whatever is stored, somebody may have stored it at the same moment
    if said.get("access") not in _OPEN:
        yield from (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
    if said.get("has_place"):
        yield HTTPStatus.NOT_FOUND
    if said.get("keyed") or "requestBody" in doc:
        yield HTTPStatus.BAD_REQUEST
    if "requestBody" in doc or "requestBody" in said.get("manual_doc", {}):
        yield HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    yield from said.get("fails", ())


def _note(view: View, **said: Any) -> View:
    view._apidoc = {**getattr(view, "_apidoc", {}), **said}  # type: ignore[attr-defined]  # noqa: SLF001 - smorest's own
    return view
