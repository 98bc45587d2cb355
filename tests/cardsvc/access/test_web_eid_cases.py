"""Web eID's own token cases against our reader: the same faults are found, in the same order of checks.

What differs is stated here and nowhere else: our format has another name, so it is put in its place first; and only
ES256 cards of this city are accepted, so the cases that Web eID accepts (cards of three countries, ES384, RSA) are read
as tokens and refused as cards. Our own cards are accepted in `test_card_sign_in.py`.
"""

import json
from datetime import datetime
from typing import Any

import pytest

from cardsvc import access
from cardsvc.errors import CityError
from cardsvc.vault import Vault
from crypto.wire.login import FORMAT
from tests.testdata import folder

DATA = json.loads((folder("webeid") / "vectors.json").read_text())
CASES: list[dict[str, Any]] = DATA["cases"]
# Web eID refuses an unknown algorithm when it parses, we when we verify: the card is refused either way.
LATER = {"algorithm-none", "algorithm-empty", "algorithm-control-characters"}
# The Finnish certificates are not strict DER (a NULL too many, a default written out): none of ours is so.
NOT_DER = {"finland-es384", "finland-ps256"}
MALFORMED = {"parse", "certificate_decoding"}


def text_of(case: dict[str, Any]) -> str:
    raw = case.get("raw_token")
    if raw is not None:
        return str(raw["repeat"] * raw["times"]) if isinstance(raw, dict) else str(raw)
    text = str(DATA["tokens"][case["token"]])
    if "replace" in case:
        old, new = case["replace"]
        text = text.replace(old, DATA["certificates"][new["certificate"]] if isinstance(new, dict) else new)
    return text.replace("web-eid:1.0", FORMAT).replace("web-eid:1", FORMAT)


def verdict(case: dict[str, Any], vault: Vault) -> str:
    at = datetime.fromisoformat(case["clock"])
    try:
        token = access.read_token(text_of(case))
        access.verify_token(
            token, origin=case["origin"], nonce=bytes(32), authorities=vault.certificates("card-ca"), at=at
        )
    except CityError as error:
        return error.code
    return "accepted"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_case_of_web_eid_is_refused_where_it_should_be(case: dict[str, Any], vault: Vault) -> None:
    malformed = case["id"] in NOT_DER or (case.get("fails_at") in MALFORMED and case["id"] not in LATER)
    assert verdict(case, vault) == ("malformed_token" if malformed else "card_not_accepted")


def test_all_cases_are_here() -> None:
    assert len(CASES) == 31
    assert sum(case["expected"] == "accept" for case in CASES) == 6
    assert {case["id"] for case in CASES} >= LATER
