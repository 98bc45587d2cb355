import json
import logging
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from cardsvc import web


@pytest.fixture
def _logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


@pytest.mark.usefixtures("_logging")
def test_a_line_is_json_with_the_request_id_and_without_words_of_the_request(
    client: FlaskClient, capsys: pytest.CaptureFixture[str]
) -> None:
    web.configure_logs()
    client.post("/v1/orders/notes/Maria?name=Santos", headers={"X-Request-Id": "request-0001"})
    client.get("/v1/orders/broken/bug")
    text = capsys.readouterr().err
    lines = [json.loads(line) for line in text.splitlines()]
    assert lines[0]["request_id"] == "request-0001"
    assert (lines[0]["route"], lines[0]["status"]) == ("/v1/orders/notes/<text>", 200)
    assert any(line.get("error") == "RuntimeError" and "conftest.py" in line["at"][-1] for line in lines)
    for word in ("Maria", "Santos", "secret"):
        assert word not in text
