"""What was published of sign-ins and actions of two is read, or refused, for ever."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from crypto.errors import CryptoError
from crypto.wire.action import Action
from crypto.wire.login import Login
from tests.testdata import vectors
from tests.vectors import make_access

TEXT = vectors("access-v1.json").read_text()
CASES: list[dict[str, Any]] = json.loads(TEXT)["cases"]
READ: dict[str, Callable[[bytes], Login | Action]] = {"login": Login.decode, "action": Action.decode}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_published_case_keeps_its_verdict(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["hex"])
    if case["error"] is None:
        assert READ[case["message"]](data).encode() == data
        return
    with pytest.raises(CryptoError) as refused:
        READ[case["message"]](data)
    assert refused.value.code == case["error"]


def test_the_file_is_what_its_maker_makes() -> None:
    assert make_access.document() == TEXT
