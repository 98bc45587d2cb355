"""The server of the tests leaves nothing open for other tests to stumble over."""

import gc
import socket
import struct
import sys
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
