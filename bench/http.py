"""Many clients, one signed transaction a request, against a bare route of the same server under the same load."""

import contextlib
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from bench import postgres
from bench.city import BenchCity, bench_city
from bench.frame import Figure, Options, at_least, race

_CLIENTS = 64
_UNIT = "requests/s"
_SIGNED, _BARE = "64 clients, single signed transactions over HTTP", "a bare JSON route of the same server, same load"
_STARTUP_SECONDS = 60
_LENGTH = re.compile(rb"\r\nContent-Length: (\d+)\r\n", re.IGNORECASE)


def figures(options: Options) -> Iterator[Figure]:
    with postgres.running_server() as server:
        url = server.create("http")
        options.say("making a city")
        with bench_city(url, people=options.size(4, 1) * _CLIENTS) as town, _serving(town) as port:
            gates = [(town.part(number, _CLIENTS), town.validator()) for number in range(_CLIENTS)]
            each = options.size(20, 4)

            def signed(_turn: int) -> float:
                bodies = [[_posted(part.batch(gate, 1)) for _ in range(each)] for part, gate in gates]
                return _asked(port, bodies, wanted=b'"accepted"')

            def bare(_turn: int) -> float:
                asked = b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
                return _asked(port, [[asked] * each for _ in gates], wanted=b'"ok"')

            won = race({_SIGNED: signed, _BARE: bare}, options)
            yield won.figure(_SIGNED, _UNIT, _BARE, at_least(0.5))


def _posted(body: bytes) -> bytes:
    head = "POST /v1/transactions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/cbor\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def _asked(port: int, requests: list[list[bytes]], *, wanted: bytes) -> float:
    """Requests a second when each client sends its own, one after the other on one connection, all let go together."""
    gate = threading.Barrier(len(requests) + 1)
    failed: list[bytes] = []

    def client(own: list[bytes]) -> None:
        with contextlib.ExitStack() as stack:
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            gate.wait()
            for request in own:
                connection.sendall(request)
                answer = _answer(connection)
                if wanted not in answer:
                    failed.append(answer)
                if b"Connection: close" in answer:
                    connection = stack.enter_context(socket.create_connection(("127.0.0.1", port)))

    threads = [threading.Thread(target=client, args=(own,)) for own in requests]
    for thread in threads:
        thread.start()
    gate.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    spent = time.perf_counter() - began
    assert not failed, failed[0][:2000]
    return sum(map(len, requests)) / spent


def _answer(connection: socket.socket) -> bytes:
    data = b""
    while (end := data.find(b"\r\n\r\n")) < 0:
        data += _more(connection)
    found = _LENGTH.search(data[: end + 2])
    assert found, data[:500]
    while len(data) < end + 4 + int(found[1]):
        data += _more(connection)
    return data


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    assert data, "the server hung up"
    return data


@contextlib.contextmanager
def _serving(town: BenchCity) -> Iterator[int]:
    """The service itself, as `./city serve` runs it, on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    config = town.city.settings
    told = {
        "CITY_ENV": "test",
        "CITY_HOME": str(config.home),
        "CITY_DATABASE_URL": config.database_url,
        "CITY_NAME": config.city_name,
        "CITY_LOG_ORIGIN": config.log_origin,
        "CITY_VAULT_PASSPHRASE": config.vault_passphrase,
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CITY_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", "serve", "--port", str(port)],
        env=inherited | told,
        cwd=Path(__file__).parents[1],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + _STARTUP_SECONDS
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=5).close()
                break
            except OSError:
                assert process.poll() is None, "the service did not start"
                assert time.monotonic() < deadline, "the service does not answer"
                time.sleep(0.2)
        yield port
    finally:
        process.terminate()
        process.wait()
