"""The real transport over a real socket, and how answers are read."""

import gzip
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from terminals.client import (
    AnswerNotUnderstood,
    HttpTransport,
    Look,
    Reply,
    ServiceClient,
    ServiceRefused,
    ServiceUnreachable,
    TopUpMandateView,
)
from terminals.client.fields import Fields, decode_bytes, encode_bytes

PROBLEM = b'{"code": "device_revoked", "detail": "This terminal is revoked.", "status": 403}'


class Somebody(BaseHTTPRequestHandler):
    """A server on the network: says what it got, refuses, or hangs up in the middle of an answer."""

    def do_GET(self) -> None:
        self._answer(200, f"{self.command} {self.path}".encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/v1/transactions":
            self._answer(403, PROBLEM)
        elif self.path == "/hang-up":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"half")
            self.close_connection = True
        else:
            self._answer(200, body)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Somebody)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_request_goes_out_and_its_whole_answer_comes_back(url: str) -> None:
    send = HttpTransport(url)
    assert send("GET", "/v1/keys", {}, None) == Reply(200, b"GET /v1/keys")
    assert send("POST", "/echo", {}, b"bytes") == Reply(200, b"bytes")


def test_a_service_that_is_not_there_is_unreachable() -> None:
    with pytest.raises(ServiceUnreachable, match="cannot be reached"):
        ServiceClient("http://127.0.0.1:9").policy()


def test_half_an_answer_is_no_answer(url: str) -> None:
    with pytest.raises(ServiceUnreachable):
        HttpTransport(url)("POST", "/hang-up", {}, b"")


def test_a_refusal_carries_the_services_own_code_and_sentence(url: str) -> None:
    with pytest.raises(ServiceRefused, match=r"This terminal is revoked\.") as refused:
        ServiceClient(url).upload(b"batch")
    assert (refused.value.code, refused.value.status) == ("device_revoked", 403)


def test_a_proxys_page_is_a_refusal_with_its_status_alone() -> None:
    client = ServiceClient("http://x", lambda *_: Reply(502, b"<html>Bad gateway</html>"))
    with pytest.raises(ServiceRefused, match="502") as refused:
        client.policy()
    assert refused.value.code == "service_refused"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"not json", b'{"results": 1}', b'{"results": [{"record_id": "x"}]}', b'{"results": [1]}']
)
def test_an_answer_of_another_form_is_refused_as_a_whole(body: bytes) -> None:
    client = ServiceClient("http://x", lambda *_: Reply(200, body))
    with pytest.raises(AnswerNotUnderstood):
        client.upload(b"batch")


@pytest.mark.parametrize("data", [b"", b"\x00", b"\xff\xfe\xfd", bytes(range(256))])
def test_bytes_travel_as_base64url_without_padding(data: bytes) -> None:
    assert decode_bytes(encode_bytes(data)) == data
    assert "=" not in encode_bytes(data)


def test_a_number_is_not_read_from_a_text_or_a_flag() -> None:
    fields = Fields.read(b'{"a": "1", "b": true, "c": 1.0, "d": 1}')
    assert fields.integer("d") == 1
    for name in ("a", "b", "c", "missing"):
        with pytest.raises(AnswerNotUnderstood):
            fields.integer(name)


def test_what_an_older_service_does_not_say_reads_as_nothing() -> None:
    wallet = {"initials": "J. R.", "balance_cents": 1, "owed_cents": 0, "currency": "PHP"}
    look = Look.read(Fields({"sections": {"wallet": wallet}}))
    assert (look.top_up_reference, look.top_up_mandates, look.purses, look.passes) == ("", (), (), ())
    mandate = {"source": "aid", "threshold_cents": 50_00, "amount_cents": 100_00, "day_max": 2}
    newer = {**wallet, "top_up_reference": "RF76 067K RQKW 01XB", "top_up_mandates": [mandate]}
    look = Look.read(Fields({"sections": {"wallet": newer}}))
    assert look.top_up_reference == "RF76 067K RQKW 01XB"
    assert look.top_up_mandates == (TopUpMandateView("aid", 50_00, 100_00, 2),)


@dataclass
class Listening:
    """A service that keeps what came; where it is older it reads no compressed body."""

    reads_gzip: bool = True
    came: list[tuple[str | None, bytes]] = field(default_factory=list)

    def __call__(self, _method: str, _path: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        coding = headers.get("Content-Encoding")
        self.came.append((coding, body or b""))
        if coding and not self.reads_gzip:
            return Reply(422, b'{"code": "malformed_message", "detail": "It cannot be read."}')
        return Reply(200, b'{"batch_id": "00000000-0000-0000-0000-000000000001", "results": []}')


def test_a_batch_goes_compressed_and_a_single_record_as_it_is() -> None:
    service, batch = Listening(), b"records" * 1000
    client = ServiceClient("http://x", service)
    client.upload(batch)
    client.upload(b"record")
    [(coding, packed), small] = service.came
    assert (coding, gzip.decompress(packed), small) == ("gzip", batch, (None, b"record"))
    assert len(packed) < len(batch)


def test_a_service_that_reads_no_compressed_batch_gets_it_as_it_is() -> None:
    service, batch = Listening(reads_gzip=False), b"records" * 1000
    ServiceClient("http://x", service).upload(batch)
    assert [coding for coding, _ in service.came] == ["gzip", None]
    assert service.came[1] == (None, batch)


def test_a_refusal_of_the_terminal_is_not_asked_for_twice(url: str) -> None:
    asked: list[str] = []

    def send(method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        asked.append(path)
        return HttpTransport(url)(method, path, headers, body)

    with pytest.raises(ServiceRefused, match="revoked"):
        ServiceClient(url, send).upload(b"records" * 1000)
    assert len(asked) == 1
