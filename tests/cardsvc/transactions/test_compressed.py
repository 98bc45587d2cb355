"""Batches that come compressed: the same as others, and never more in memory than a request may have."""

import gzip
import zlib
from typing import Any

import pytest

from cardsvc.web.headers import BODY_MAX
from crypto.wire.transaction import Purpose
from tests.town import Town, tap


def post(town: Town, raw: bytes, coding: str) -> Any:
    headers = {"Content-Encoding": coding}
    return town.client.post("/v1/transactions", data=raw, content_type="application/cbor", headers=headers)


@pytest.mark.parametrize("coding", ["gzip", "GZip", "x-gzip"])
def test_a_compressed_batch_is_the_batch(town: Town, coding: str) -> None:
    town.tariff()
    validator, ana = town.validator(), town.person()
    items = [validator.make(tap(), ana.signs(Purpose.PRESENCE))[1] for _ in range(3)]
    raw = validator.batch(items)
    assert len(gzip.compress(raw)) < len(raw)
    answer = post(town, gzip.compress(raw), coding)
    assert [item["outcome"] for item in answer.get_json()["results"]] == ["accepted"] * 3
    again = town.client.post("/v1/transactions", data=raw, content_type="application/cbor")
    assert [item["replayed"] for item in again.get_json()["results"]] == [True] * 3
    town.check()


@pytest.mark.parametrize("size", [BODY_MAX + 1, 40 * BODY_MAX])
def test_what_would_be_too_large_is_refused_before_it_is_unpacked(town: Town, size: int) -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = (
        b"".join(packer.compress(bytes(min(BODY_MAX, size - at))) for at in range(0, size, BODY_MAX)) + packer.flush()
    )
    assert len(bomb) < BODY_MAX
    answer = post(town, bomb, "gzip")
    assert (answer.status_code, answer.get_json()["code"]) == (413, "body_too_large")
    assert "5,242,880 bytes" in answer.get_json()["detail"]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"no gzip",
        gzip.compress(b"half", mtime=0)[:-3],
        gzip.compress(b"one", mtime=0) + b"more",
        zlib.compress(b"zlib"),
    ],
)
def test_what_is_no_whole_gzip_stream_is_refused(town: Town, raw: bytes) -> None:
    answer = post(town, raw, "gzip")
    assert (answer.status_code, answer.get_json()["code"]) == (400, "bad_request")
    assert "gzip" in answer.get_json()["detail"]


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip"])
def test_another_coding_is_refused_and_told_which_one_is_read(town: Town, coding: str) -> None:
    answer = post(town, b"x", coding)
    assert (answer.status_code, answer.headers["Accept-Encoding"]) == (415, "gzip")
