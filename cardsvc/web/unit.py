"""One database unit a request: opened on first use, committed only when the request went well."""

from flask import Flask, Response, g, request
from sqlalchemy.orm import Session

from cardsvc import db
from cardsvc.web.parts import city

READING = frozenset({"GET", "HEAD", "OPTIONS"})
FAILED = 400  # the first status that rolls the unit back


def session() -> Session:
    """The request's session. The database refuses it writes on GET and HEAD; the end of the request commits it.

    A streamed answer must read what it needs before it starts: the unit is over when the view returns.
    """
    if "city_session" not in g:
        g.city_session = db.open_session(city().engine, read_only=request.method in READING)
    opened: Session = g.city_session
    return opened


def init(app: Flask) -> None:
    """Finish the unit with the answer; whatever is left of it when the request breaks is rolled back."""
    app.after_request(_finish)
    app.teardown_request(_abandon)


def _finish(response: Response) -> Response:
    # If we stop before the commit nothing was stored; after it, the same record id gives the same answer again.
    opened: Session | None = g.pop("city_session", None)
    if opened is not None:
        with opened:  # a commit that fails raises, and Flask answers with our 503 or 500 instead
            if response.status_code < FAILED:
                opened.commit()
    return response


def _abandon(_error: BaseException | None) -> None:
    opened: Session | None = g.pop("city_session", None)
    if opened is not None:
        opened.close()  # rolls back
