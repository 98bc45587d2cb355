"""A Flask app on a port of this machine, for browsers and for other programs that tests start."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.serving import WSGIRequestHandler, make_server


@contextmanager
def serving(app: WSGIApplication, port: int = 0, handler: type[WSGIRequestHandler] | None = None) -> Iterator[str]:
    """The app on a free port of this machine, or on one that it knows already; as its address."""
    server = make_server("127.0.0.1", port, closed(app), threaded=True, request_handler=handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def closed(app: WSGIApplication) -> WSGIApplication:
    """The same app, whose answers are closed however their reading ends.

    werkzeug leaves an answer open where the client resets the connection behind its last byte, as a browser does that
    goes on to another page: the file in it was then an open one that nobody held, and failed whatever test ran next.
    """

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = app(environ, start_response)
        try:
            yield from body
        finally:
            close = getattr(body, "close", None)
            if close is not None:
                close()

    return answer
