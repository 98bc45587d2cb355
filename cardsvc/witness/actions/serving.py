"""The witness on the network: two addresses, nothing else. No framework, so that a partner reads it in one sitting."""

import contextlib
import re
import socket
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from cardsvc.clock import Clock
from cardsvc.witness.actions.witnessing import Witness
from crypto.errors import CryptoError, InvalidProof, InvalidSignature, MalformedMessage
from crypto.tlog import OtherSize, UnknownLog
from crypto.tlog.witnessing import REQUEST_BYTES_MAX, SIZE_TYPE, encode_size

_PLAIN = "text/plain; charset=utf-8"
_STATUS: dict[type[CryptoError], int] = {
    MalformedMessage: 400,
    InvalidSignature: 403,
    UnknownLog: 404,
    InvalidProof: 422,
}
_LINGER_SECONDS, _LINGER_READS = 2, 64
_LENGTH = re.compile(r"[0-9]{1,7}", re.ASCII)
_MONITOR = re.compile(r"/([0-9a-f]{64})/checkpoint", re.ASCII)
Say = Callable[[str], None]


class _Handler(BaseHTTPRequestHandler):
    """One connection; it may ask many times."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "city-witness", ""
    timeout = 30  # seconds: whoever says nothing loses the connection
    disable_nagle_algorithm: ClassVar[bool] = True

    def __init__(self, witness: Witness, clock: Clock, say: Say, *arguments: object) -> None:
        self._witness, self._clock, self._say = witness, clock, say
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_POST(self) -> None:
        body = self._body()
        if body is None:
            return
        if self.path != "/add-checkpoint":
            self._answer(404, "There is nothing at this address: POST /add-checkpoint.\n")
            return
        try:
            line = self._witness.add_checkpoint(body, int(self._clock.now().timestamp()))
        except OtherSize as error:
            self._answer(409, encode_size(error.held_size), SIZE_TYPE)
        except CryptoError as error:
            self._answer(_STATUS.get(type(error), 400), f"{error}\n")
        except OSError as error:
            self._say(f"A checkpoint could not be stored, and was not signed: {error}")
            self._answer(500, "The witness cannot store anything now; ask again later.\n")
        else:
            self._answer(200, line)

    def do_GET(self) -> None:
        found = _MONITOR.fullmatch(self.path)
        note = found and self._witness.checkpoint(found[1])
        if note:
            self._answer(200, note)
        else:
            self._answer(404, "There is no checkpoint at this address.\n")

    def _body(self) -> bytes | None:
        """The request's body; None where it was refused. A body of unknown length ends the connection."""
        length = self.headers.get("Content-Length", "")
        if not _LENGTH.fullmatch(length) or "Transfer-Encoding" in self.headers:
            refused = 411, "A request says its Content-Length.\n"
        elif int(length) > REQUEST_BYTES_MAX:
            refused = 413, f"A request has at most {REQUEST_BYTES_MAX} bytes.\n"
        else:
            body = self.rfile.read(int(length))
            if len(body) == int(length):
                return body
            refused = 400, "The request ends too soon.\n"
        self.close_connection = True
        self._answer(*refused)
        self._read_out()
        return None

    def _read_out(self) -> None:
        """Take what the caller still sends, within bounds: a connection that is closed with bytes unread is reset, and
        the answer is lost with it.
        """
        with contextlib.suppress(OSError):  # the caller left, or sends nothing: it has its answer, or wants none
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(_LINGER_SECONDS)
            for _ in range(_LINGER_READS):
                if not self.connection.recv(65536):
                    break

    def _answer(self, status: int, text: str, content_type: str = _PLAIN) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the library's name
        self._say(f"{self.address_string()} {format % arguments}")


def make_server(witness: Witness, host: str, port: int, *, clock: Clock, say: Say) -> ThreadingHTTPServer:
    """A server that listens already; `serve_forever` answers."""
    server = ThreadingHTTPServer((host, port), partial(_Handler, witness, clock, say))
    server.daemon_threads = True
    return server
