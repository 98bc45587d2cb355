"""What was published of the city's statements and seals is read, or refused, for ever."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from crypto.errors import CryptoError
from crypto.wire.citykeys import CityKeys
from crypto.wire.evidence import KeyStatement, Seal, open_seal, open_statement, sign_seal, sign_statement
from tests.testdata import vectors
from tests.vectors import make_evidence

TEXT = vectors("evidence-v1.json").read_text()
PUBLISHED = json.loads(TEXT)
CITY_KEYS = CityKeys.parse(PUBLISHED["city_keys"])
READ: dict[str, Callable[[bytes, CityKeys], KeyStatement | Seal]] = {"statement": open_statement, "seal": open_seal}


@pytest.mark.parametrize("case", PUBLISHED["cases"], ids=lambda case: case["name"])
def test_a_published_case_keeps_its_verdict(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["hex"])
    if case["error"] is None:
        opened = READ[case["message"]](data, CITY_KEYS)
        signer = make_evidence.SIGNER
        again = sign_seal(opened, signer) if isinstance(opened, Seal) else sign_statement(opened, signer)
        assert again == data
        return
    with pytest.raises(CryptoError) as refused:
        READ[case["message"]](data, CITY_KEYS)
    assert refused.value.code == case["error"]


def test_the_file_is_what_its_maker_makes() -> None:
    assert make_evidence.document() == TEXT
