"""A Flask app on a port of this machine, for browsers and for other programs that tests start."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.serving import WSGIRequestHandler, make_server

_PATIENCE_SECONDS: Final = 30


@contextmanager
def serving(app: WSGIApplication, port: int = 0, handler: type[WSGIRequestHandler] | None = None) -> Iterator[str]:
    """The app on a free port of this machine, or on one that it knows already; as its address."""
    desk = _Desk(app)
    server = make_server("127.0.0.1", port, desk, threaded=True, request_handler=handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        desk.close()


class _Desk:
    """The same app, whose answers are closed however their reading ends, and which answers nothing once it is closed.

    werkzeug leaves an answer open where the client resets the connection behind its last byte, as a browser does that
    goes on to another page: the file in it was then an open one that nobody held, and failed whatever test ran next.
    And its threads outlive the server: what a browser still asked for opened the database of a test that was over, and
    the next test, which was lent the same engine, found it empty.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        self._changed = threading.Condition()
        self._under_way = 0
        self._closed = False

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        with self._changed:
            if self._closed:
                start_response("503 Service Unavailable", [("Content-Length", "0"), ("Connection", "close")])
                return
            self._under_way += 1
        try:
            yield from self._answer(environ, start_response)
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def close(self) -> None:
        """Wait for the answers that are under way."""
        with self._changed:
            self._closed = True
            over = self._changed.wait_for(lambda: self._under_way == 0, _PATIENCE_SECONDS)
        assert over, f"{self._under_way} answers are still under way"

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        body: Iterable[bytes] = self._app(environ, start_response)
        try:
            for part in body:
                yield part
                if self._closed:
                    return
        finally:
            close = getattr(body, "close", None)
            if close is not None:
                close()
