"""A passkey's signature over a record: what must always verify, and all that must not."""

import hashlib
import json
from dataclasses import dataclass

import cbor2
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from crypto import keys
from crypto.errors import CryptoError, InvalidSignature, MalformedMessage
from crypto.keys import Ed25519Signer
from crypto.wire.passkey import Assertion, assertion_from_browser, verify_assertion
from crypto.wire.transaction import Authorisation, Purpose, Transaction, verify_authorisation
from tests.testdata import vectors
from tests.vectors import make_passkey

FILE = vectors("passkey-v1.json").read_text()
CONTENT = json.loads(FILE)
KEY = keys.load_point(bytes.fromhex(CONTENT["key"]))
RECORD = bytes.fromhex(CONTENT["record"])


@dataclass(frozen=True)
class Case:
    name: str
    error: str | None
    hex: str


CASES = [Case(**case) for case in CONTENT["cases"]]


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.name))
def test_each_assertion_verifies_or_is_refused_as_ever(case: Case) -> None:
    try:
        assert verify_assertion(RECORD, bytes.fromhex(case.hex), KEY, origin=CONTENT["origin"]) == RECORD
        error = None
    except CryptoError as refused:
        error = refused.code
    assert error == case.error


def test_todays_code_makes_the_same_bytes() -> None:
    assert make_passkey.document() == FILE
    refused = sum(case.error is not None for case in CASES)
    assert refused > len(CASES) - refused


def test_an_assertion_is_for_one_record_one_place_and_one_kind_of_key() -> None:
    good = bytes.fromhex(CASES[0].hex)
    for record, origin in ((RECORD + b"\x00", CONTENT["origin"]), (RECORD, "https://card.example.com")):
        with pytest.raises(InvalidSignature):
            verify_assertion(record, good, KEY, origin=origin)
    with pytest.raises(InvalidSignature):
        verify_assertion(RECORD, good, Ed25519Signer.generate().public_key, origin=CONTENT["origin"])


def test_a_transaction_carries_it_and_no_other_verifier_takes_it() -> None:
    good = bytes.fromhex(CASES[0].hex)
    authorisation = Authorisation(Purpose.PASSKEY, good)
    sent = Transaction(RECORD, (authorisation,))
    assert Transaction.decode(sent.encode()) == sent
    assert authorisation.kid == keys.key_id(KEY)
    with pytest.raises(MalformedMessage):
        verify_authorisation(RECORD, authorisation, KEY)


def test_an_authenticators_der_is_brought_into_the_kept_form() -> None:
    good = Assertion.decode(bytes.fromhex(CASES[0].hex))
    made = assertion_from_browser(
        KEY,
        authenticator_data=good.authenticator_data,
        client_data=good.client_data,
        der_signature=keys.raw_to_der(good.signature),
    )
    assert made == good
    with pytest.raises(InvalidSignature):
        assertion_from_browser(
            KEY, authenticator_data=good.authenticator_data, client_data=good.client_data, der_signature=b"0"
        )


def test_a_reader_with_plain_libraries_verifies_it() -> None:
    """cbor2, json and cryptography alone, following FORMATS.md: nothing of ours takes part."""
    domain, version, kid, authenticator_data, client_data, signature = cbor2.loads(bytes.fromhex(CASES[0].hex))
    KEY.verify(
        keys.raw_to_der(signature), authenticator_data + hashlib.sha256(client_data).digest(), ec.ECDSA(hashes.SHA256())
    )
    assert (domain, version, kid) == ("city.passkey", 1, keys.key_id(KEY))
    assert json.loads(client_data)["origin"] == CONTENT["origin"]
    assert authenticator_data[:32] == hashlib.sha256(b"card.example.ph").digest()
