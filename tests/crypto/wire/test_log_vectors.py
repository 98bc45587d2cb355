"""log-v1.json: printed receipts, cosignatures and a witness's requests have the verdict they were published with."""

import json
from typing import Any

import pytest

from crypto import tlog
from crypto.errors import CryptoError
from crypto.tlog import AddCheckpoint, CosignatureVerifier, Held, NoteVerifier, witnessing
from crypto.wire import printed, receipt
from crypto.wire.citykeys import CityKeys
from tests.testdata import vectors

CONTENT = json.loads(vectors("log-v1.json").read_text())
LOG = NoteVerifier.parse(CONTENT["log"])
WITNESS = CosignatureVerifier.parse(CONTENT["witness"])
HELD = Held(CONTENT["held"]["size"], bytes.fromhex(CONTENT["held"]["root"]))


def take(case: dict[str, Any]) -> None:
    match case["message"]:
        case "printed":
            receipt.verify_receipt(printed.from_text(case["text"]), CityKeys.parse(CONTENT["city_keys"]))
        case "cosigned":
            assert tlog.cosignatures(case["text"], [WITNESS])
        case _:
            witnessing.check(AddCheckpoint.decode(case["text"].encode()), {LOG.name: [LOG]}, HELD)


@pytest.mark.parametrize("case", CONTENT["cases"], ids=lambda case: case["name"])
def test_a_case_has_its_verdict(case: dict[str, Any]) -> None:
    if case["error"] is None:
        take(case)
    else:
        with pytest.raises(CryptoError) as refused:
            take(case)
        assert refused.value.code == case["error"]


def test_there_are_as_many_cases_as_were_published() -> None:
    assert len(CONTENT["cases"]) == 29
