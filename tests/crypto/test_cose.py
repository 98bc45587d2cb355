import base64
import hashlib
import json
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from crypto import cose, keys
from crypto.errors import CryptoError, InvalidSignature, MalformedMessage
from crypto.keys import Algorithm, Ed25519Signer, SoftwareSigner
from tests.testdata import folder

SIGNER = SoftwareSigner.from_secret(11)
SIGNERS = st.sampled_from([SIGNER, Ed25519Signer.from_secret(11)])

# The published good messages that our profile refuses on purpose.
DEVIATIONS = {
    "sign-pass-01": "the algorithm must be in the protected header, where it is signed; there it is unprotected",
    "sign-pass-03": "the tag is required, so that a message says what it is",
    "ecdsa-sig-01": "the protected header holds a content type besides the algorithm, and the signature has a high s",
    "ecdsa-sig-04": "SHA-512 with P-256 is not in the profile: one hash for one curve",
}


def examples() -> list[dict[str, Any]]:
    return [{"name": file.stem, **json.loads(file.read_text())} for file in sorted(folder("cose").rglob("*.json"))]


def key_of(example: dict[str, Any]) -> ec.EllipticCurvePublicKey:
    key = example["input"]["sign0"]["key"]

    def coordinate(name: str) -> bytes:
        if f"{name}_hex" in key:
            return bytes.fromhex(key[f"{name}_hex"])
        return base64.urlsafe_b64decode(key[name] + "==")

    return keys.load_point(b"\x04" + coordinate("x") + coordinate("y"))


def verdict(example: dict[str, Any]) -> str:
    aad = bytes.fromhex(example["input"]["sign0"].get("external", ""))
    try:
        cose.verify1(bytes.fromhex(example["output"]["cbor"]), key_of(example), external_aad=aad)
    except CryptoError as error:
        return error.code
    return "accepted"


@pytest.mark.judge
def test_the_published_examples_are_accepted_or_refused_as_the_table_says() -> None:
    cases = examples()
    bad = {case["name"] for case in cases if case.get("fail")}
    assert (len(cases), len(bad)) == (13, 6)
    verdicts = {case["name"]: verdict(case) for case in cases}
    assert {name for name, result in verdicts.items() if result == "accepted"} == {
        "sign-pass-02",
        "Appendix_C_2_1",
        "A_3",
    }
    assert {name for name, result in verdicts.items() if result != "accepted"} == bad | DEVIATIONS.keys()
    assert all(DEVIATIONS.values())


@pytest.mark.judge
def test_bad_examples_are_refused_for_the_fault_they_have() -> None:
    verdicts = {case["name"]: verdict(case) for case in examples() if case.get("fail")}
    assert verdicts == {
        "sign-fail-01": "malformed",  # another tag
        "sign-fail-02": "invalid_signature",  # another payload
        "sign-fail-03": "malformed",  # an unknown algorithm
        "sign-fail-04": "malformed",  # an unknown algorithm, as text
        "sign-fail-06": "malformed",  # a protected attribute was added
        "sign-fail-07": "invalid_signature",  # a protected attribute was removed
    }


@given(st.binary(max_size=60), SIGNERS, st.binary(max_size=16), st.binary(max_size=20))
def test_a_signed_payload_comes_back(
    payload: bytes, signer: SoftwareSigner | Ed25519Signer, kid: bytes, aad: bytes
) -> None:
    message = cose.sign1(payload, signer, kid=kid, external_aad=aad)
    assert cose.verify1(message, signer.public_key, external_aad=aad) == payload
    assert cose.parse(message) == cose.Sign1(signer.algorithm, kid, payload, cose.parse(message).signature)
    detached = cose.detached1(payload, signer, kid=kid, external_aad=aad)
    assert cose.verify1(detached, signer.public_key, external_aad=aad, detached=payload) == payload


def test_another_implementation_reads_and_verifies_our_message() -> None:
    message = cbor2.loads(cose.sign1(b"payload", SIGNER, kid=b"id", external_aad=b"city"))
    protected, unprotected, payload, signature = message.value
    assert (message.tag, cbor2.loads(protected), unprotected, payload) == (18, {1: -7}, {4: b"id"}, b"payload")
    structure = cbor2.dumps(["Signature1", protected, b"city", payload])
    SIGNER.public_key.verify(keys.raw_to_der(signature), structure, keys._SHA256)


def test_a_card_that_signs_the_digest_makes_the_same_message() -> None:
    structure = cose.to_be_signed(b"payload", external_aad=b"city")
    signature = SIGNER.sign(structure)  # the card sees only the digest of this
    keys.verify_digest(SIGNER.public_key, hashlib.sha256(structure).digest(), signature)
    message = cose.assemble(b"payload", signature, kid=b"id")
    assert message == cose.sign1(b"payload", SIGNER, kid=b"id", external_aad=b"city")


@given(st.data())
def test_a_changed_message_is_refused_unless_only_the_key_id_changed(data: st.DataObject) -> None:
    original = cose.sign1(b"payload", SIGNER, kid=b"id", external_aad=b"city")
    message = bytearray(original)
    position = data.draw(st.integers(0, len(message) - 1))
    message[position] ^= data.draw(st.integers(1, 255))
    try:
        cose.verify1(bytes(message), SIGNER.public_key, external_aad=b"city")
    except CryptoError:
        return
    assert cose.parse(bytes(message)).kid != b"id"


def test_a_signature_for_one_use_is_none_for_another() -> None:
    message = cose.sign1(b"payload", SIGNER, kid=b"", external_aad=b"city.presence.v1")
    with pytest.raises(InvalidSignature):
        cose.verify1(message, SIGNER.public_key, external_aad=b"city.consent.v1")


def test_the_key_must_be_of_the_kind_that_the_message_names() -> None:
    message = cose.sign1(b"payload", SIGNER, kid=b"")
    with pytest.raises(InvalidSignature, match="algorithm"):
        cose.verify1(message, Ed25519Signer.from_secret(1).public_key)


def test_a_payload_is_given_exactly_where_it_is_missing() -> None:
    enclosed = cose.sign1(b"payload", SIGNER, kid=b"")
    detached = cose.detached1(b"payload", SIGNER, kid=b"")
    with pytest.raises(MalformedMessage):
        cose.verify1(enclosed, SIGNER.public_key, detached=b"payload")
    with pytest.raises(MalformedMessage):
        cose.verify1(detached, SIGNER.public_key)
    with pytest.raises(InvalidSignature):
        cose.verify1(detached, SIGNER.public_key, detached=b"another")


@pytest.mark.parametrize(
    "parts",
    [
        [b"\xa1\x01\x26", {}, b"", b"\x01" * 63],
        [b"\xa1\x01\x26", {}, b"", b"\x01" * 65],
        [b"\xa1\x01\x26", {4: b""}, b"", b"\x01" * 64],
        [b"\xa1\x01\x26", {4: b"x" * 65}, b"", b"\x01" * 64],
        [b"\xa1\x01\x26", {4: "text"}, b"", b"\x01" * 64],
        [b"\xa1\x01\x26", {4: b"id", 5: b""}, b"", b"\x01" * 64],
        [b"\xa1\x01\x26", {1: -7}, b"", b"\x01" * 64],
        [b"\xa1\x01\x38\x22", {}, b"", b"\x01" * 64],
        [b"", {}, b"", b"\x01" * 64],
        [b"\xa0", {}, b"", b"\x01" * 64],
        [b"\xa1\x01\x26", {}, "text", b"\x01" * 64],
        [b"\xa1\x01\x26", {}, b""],
        [b"\xa1\x01\x26", {}, b"", b"\x01" * 64, b""],
        b"\x01" * 64,
    ],
)
def test_another_shape_is_refused(parts: object) -> None:
    with pytest.raises(MalformedMessage):
        cose.parse(b"\xd2" + cbor2.dumps(parts))


@pytest.mark.parametrize("message", [b"", b"\xd2", b"\xd8\x12\x80", b"\xd1\x84\x40\xa0\x40\x40"])
def test_another_tag_or_a_longer_one_is_refused(message: bytes) -> None:
    with pytest.raises(MalformedMessage):
        cose.parse(message)


def test_algorithms_have_the_registered_numbers() -> None:
    assert (Algorithm.ES256, Algorithm.EDDSA) == (-7, -8)
