"""The server of the tests leaves nothing open for other tests to stumble over."""

import contextlib
import gc
import socket
import struct
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.serving import serving

_RESETS = 20


def test_a_client_that_resets_the_connection_leaves_no_file_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda what: left.append(str(what.exc_value)))
    (tmp_path / "page.css").write_bytes(b"a{}")
    with serving(Flask("resets", static_folder=str(tmp_path), static_url_path="/static")) as address:
        for _ in range(_RESETS):
            _ask_and_reset(int(address.rsplit(":", 1)[1]))
    gc.collect()
    assert left == []


def test_nobody_is_answered_any_more_when_it_is_over() -> None:
    begun, may_end, ended = threading.Event(), threading.Event(), threading.Event()
    app = Flask("slow")

    @app.get("/quick")
    def quick() -> str:
        return "quick"

    @app.get("/slow")
    def slow() -> str:
        begun.set()
        may_end.wait(10)
        ended.set()
        return "slow"

    with contextlib.ExitStack() as connections:
        with serving(app) as address:
            there = "127.0.0.1", int(address.rsplit(":", 1)[1])
            late, asking = (connections.enter_context(socket.create_connection(there)) for _ in range(2))
            asking.sendall(b"GET /slow HTTP/1.0\r\n\r\n")
            assert begun.wait(10)  # and the one that came before it waits for what is asked
            threading.Timer(0.2, may_end.set).start()
        assert ended.is_set()
        late.sendall(b"GET /quick HTTP/1.0\r\n\r\n")
        assert late.recv(4096).startswith(b"HTTP/1.1 503")


def _ask_and_reset(port: int) -> None:
    asked: Any = socket.create_connection(("127.0.0.1", port))
    asked.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing it resets it
    asked.sendall(b"GET /static/page.css HTTP/1.0\r\nHost: localhost\r\n\r\n")
    told = b""
    while part := asked.recv(4096):
        told += part
        if told.endswith(b"a{}"):
            break
    assert told.startswith(b"HTTP/1.1 200")
    asked.close()  # the server now waits a hundredth of a second for more of the request: the reset comes in that time
