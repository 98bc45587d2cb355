import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import example, given
from hypothesis import strategies as st

from crypto import keys
from crypto.errors import InvalidSignature, MalformedMessage
from crypto.keys import Algorithm, Ed25519Signer, SoftwareSigner
from tests.testdata import folder

SIGNER = SoftwareSigner.from_secret(20260101)
scalars = st.integers(1, keys.ORDER - 1)


def high_s(signature: bytes) -> bytes:
    s = keys.ORDER - int.from_bytes(signature[32:], "big")
    return signature[:32] + s.to_bytes(32, "big")


def wycheproof() -> list[tuple[ec.EllipticCurvePublicKey, dict[str, Any]]]:
    file = folder("wycheproof") / "ecdsa_secp256r1_sha256_test.json"
    groups = json.loads(file.read_text())["testGroups"]
    return [
        (keys.load_point(bytes.fromhex(group["publicKey"]["uncompressed"])), case)
        for group in groups
        for case in group["tests"]
    ]


def accepts(key: ec.EllipticCurvePublicKey, case: dict[str, Any], *, normalise: bool) -> bool:
    try:
        raw = keys.der_to_raw(bytes.fromhex(case["sig"]))
        message = bytes.fromhex(case["msg"])
        keys.verify(key, message, keys.normalise(raw) if normalise else raw)
    except InvalidSignature:
        return False
    return True


@pytest.mark.judge
def test_wycheproof_every_invalid_signature_and_exactly_the_valid_ones_with_high_s_are_refused() -> None:
    cases = wycheproof()
    assert len(cases) == 484
    invalid = [pair for pair in cases if pair[1]["result"] == "invalid"]
    valid = [pair for pair in cases if pair[1]["result"] == "valid"]
    assert (len(invalid), len(valid)) == (310, 174)
    assert [case["tcId"] for key, case in invalid if accepts(key, case, normalise=False)] == []
    refused = [case for key, case in valid if not accepts(key, case, normalise=False)]
    assert len(refused) == 71
    assert all(
        int.from_bytes(keys.der_to_raw(bytes.fromhex(case["sig"]))[32:], "big") > keys.ORDER // 2 for case in refused
    )


@pytest.mark.judge
def test_wycheproof_after_normalising_every_valid_signature_is_accepted_and_no_other() -> None:
    for key, case in wycheproof():
        assert accepts(key, case, normalise=True) == (case["result"] == "valid"), case["tcId"]


# RFC 6979 A.2.5, P-256 with SHA-256; the first one's s is high in the standard and stored as n - s
RFC_6979 = {
    "sample": (
        "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716",
        "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
    ),
    "test": (
        "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367",
        "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083",
    ),
}


@pytest.mark.parametrize("message", RFC_6979)
def test_software_signatures_are_those_of_rfc_6979(message: str) -> None:
    secret = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
    signer = SoftwareSigner(ec.derive_private_key(secret, ec.SECP256R1()))
    expected = bytes.fromhex("".join(RFC_6979[message]))
    assert signer.sign(message.encode()) == keys.normalise(expected)


@given(st.binary(max_size=100))
def test_a_signature_verifies_and_its_twin_with_high_s_does_not(message: bytes) -> None:
    signature = SIGNER.sign(message)
    assert keys.verify(SIGNER.public_key, message, signature) == message
    assert keys.normalise(high_s(signature)) == signature
    with pytest.raises(InvalidSignature, match="high s"):
        keys.verify(SIGNER.public_key, message, high_s(signature))


def test_the_library_itself_accepts_the_twin_so_the_refusal_is_ours() -> None:
    twin = high_s(SIGNER.sign(b"m"))
    SIGNER.public_key.verify(keys.raw_to_der(twin), b"m", keys._SHA256)


@given(scalars, st.integers(1, keys.ORDER // 2), st.integers(0, 255), st.integers(0, 255))
@example(r=0x80 << 248, s=0x7F << 248, short_r=0, short_s=0)
@example(r=0x7F << 248, s=1 << 248, short_r=0, short_s=0)
def test_numbers_of_any_length_reach_the_library_in_their_one_encoding(
    r: int, s: int, short_r: int, short_s: int
) -> None:
    r, s = max(r >> short_r, 1), max(s >> short_s, 1)
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    assert keys._stored_to_der(raw) == encode_dss_signature(r, s)


@given(st.binary(min_size=1, max_size=50), st.integers(0, 511))
def test_a_changed_bit_spoils_a_signature(message: bytes, bit: int) -> None:
    signature = bytearray(SIGNER.sign(message))
    signature[bit // 8] ^= 1 << bit % 8
    with pytest.raises(InvalidSignature):
        keys.verify(SIGNER.public_key, message, bytes(signature))


def test_a_signature_over_a_digest_is_one_over_the_message() -> None:
    digest = hashlib.sha256(b"m").digest()
    assert keys.verify_digest(SIGNER.public_key, digest, SIGNER.sign(b"m")) == digest
    with pytest.raises(InvalidSignature):
        keys.verify_digest(SIGNER.public_key, digest[:31], SIGNER.sign(b"m"))
    with pytest.raises(InvalidSignature):
        keys.verify_digest(SIGNER.public_key, bytes(32), SIGNER.sign(b"m"))


@given(scalars, scalars)
def test_der_and_raw_convert_both_ways(r: int, s: int) -> None:
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    assert keys.der_to_raw(keys.raw_to_der(raw)) == raw


@given(st.binary(max_size=80))
def test_bytes_that_convert_from_der_are_their_one_encoding(data: bytes) -> None:
    try:
        raw = keys.der_to_raw(data)
    except InvalidSignature:
        return
    assert keys.raw_to_der(raw) == data


@pytest.mark.parametrize(
    "der",
    [
        "",
        "30",
        "3000",
        "3006020101020101ff",
        "3007020101020101",
        "308106020101020101",
        "300702020001020101",
        "3006020100020101",
        "3006020181020101",
        "3006030101020101",
        "3003020101",
        "30080202000102020001",
    ],
)
def test_other_der_is_refused(der: str) -> None:
    with pytest.raises(InvalidSignature):
        keys.der_to_raw(bytes.fromhex(der))


@pytest.mark.parametrize("raw", [bytes(64), b"\xff" * 64, b"\x01" * 63, b"\x01" * 65, bytes(32) + b"\x01" * 32])
def test_numbers_out_of_range_are_refused(raw: bytes) -> None:
    for use in (keys.normalise, keys.raw_to_der, lambda data: keys.verify(SIGNER.public_key, b"", data)):
        with pytest.raises(InvalidSignature):
            use(raw)


def test_ed25519_signs_and_verifies() -> None:
    signer = Ed25519Signer.from_secret(7)
    assert signer.algorithm is Algorithm.EDDSA
    assert keys.verify(signer.public_key, b"m", signer.sign(b"m")) == b"m"
    with pytest.raises(InvalidSignature):
        keys.verify(signer.public_key, b"n", signer.sign(b"m"))


@pytest.mark.parametrize("kind", [SoftwareSigner, Ed25519Signer])
def test_a_private_key_survives_its_file(kind: type[SoftwareSigner] | type[Ed25519Signer]) -> None:
    signer = kind.generate()
    again = kind.from_pem(signer.to_pem(b"pass phrase"), b"pass phrase")
    assert again.sign(b"m") == signer.sign(b"m")
    assert kind.from_pem(signer.to_pem()).sign(b"m") == signer.sign(b"m")
    for wrong in (b"other", None):
        with pytest.raises(MalformedMessage):
            kind.from_pem(signer.to_pem(b"pass phrase"), wrong)


def test_one_kind_of_key_is_not_read_as_the_other() -> None:
    with pytest.raises(MalformedMessage):
        SoftwareSigner.from_pem(Ed25519Signer.from_secret(1).to_pem())
    with pytest.raises(MalformedMessage):
        Ed25519Signer.from_pem(SIGNER.to_pem())
    with pytest.raises(MalformedMessage):
        SoftwareSigner(ec.generate_private_key(ec.SECP384R1()))


def test_public_keys_have_one_encoding() -> None:
    key = SIGNER.public_key
    assert keys.load_spki(keys.spki(key)) == key
    assert keys.load_point(keys.point(key)) == key
    assert len(keys.key_id(key)) == 16
    compressed = key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    for other in (compressed, b"", keys.point(key)[:-1], b"\x00", b"\x04" + bytes(64), b"\x04" + b"\xff" * 64):
        with pytest.raises(MalformedMessage):
            keys.load_point(other)


def test_other_public_keys_are_refused() -> None:
    encoding = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    rsa_key = rsa.generate_private_key(65537, 2048).public_key().public_bytes(*encoding)
    p384_key = ec.generate_private_key(ec.SECP384R1()).public_key().public_bytes(*encoding)
    for data in (rsa_key, p384_key, b"", b"\x30\x00", keys.spki(SIGNER.public_key) + b"\x00"):
        with pytest.raises(MalformedMessage):
            keys.load_spki(data)
