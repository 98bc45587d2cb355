import pytest
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from terminals.card import BadPublicKey, BadSignature, ManagementAlgorithm, der_signature
from terminals.card.keys import P256_ORDER, ManagementCipher, read_point, read_signature

KEY = ec.derive_private_key(7, ec.SECP256R1()).public_key()
POINT = KEY.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def test_a_point_on_the_curve_is_read() -> None:
    assert read_point(POINT) == KEY


@pytest.mark.parametrize(
    "point",
    [
        b"",
        POINT[:-1],
        POINT + b"\x00",
        POINT[:-1] + bytes([POINT[-1] ^ 1]),
        b"\x02" + POINT[1:33],
        bytes(65),
        b"\x04" + bytes(64),
    ],
)
def test_anything_but_a_point_on_the_curve_is_refused(point: bytes) -> None:
    with pytest.raises(BadPublicKey):
        read_point(point)


@pytest.mark.parametrize("s", [1, P256_ORDER // 2, P256_ORDER // 2 + 1, P256_ORDER - 1])
def test_a_signature_is_kept_with_its_low_s(s: int) -> None:
    raw = read_signature(utils.encode_dss_signature(5, s))
    assert len(raw) == 64
    assert utils.decode_dss_signature(der_signature(raw)) == (5, min(s, P256_ORDER - s))


GOOD = utils.encode_dss_signature(5, 6)


@pytest.mark.parametrize(
    "der",
    [
        b"",
        GOOD + b"\x00",
        GOOD[:-1],
        bytes.fromhex("308106020105020106"),  # length not in its shortest form
        bytes.fromhex("30070202000502 0106".replace(" ", "")),  # a zero too many
        bytes.fromhex("3006020100020106"),
        bytes.fromhex("3006020105020100"),
        bytes.fromhex("30060201FB020106"),  # negative
        utils.encode_dss_signature(P256_ORDER, 6),
        utils.encode_dss_signature(5, P256_ORDER),
    ],
)
def test_a_signature_that_is_not_strict_is_refused(der: bytes) -> None:
    with pytest.raises(BadSignature):
        read_signature(der)


# FIPS 197, Appendix C, and NIST SP 800-67 B.1: one block each.
@pytest.mark.parametrize(
    ("algorithm", "key", "plain", "cipher"),
    [
        ("AES128", bytes(range(16)).hex(), "00112233445566778899aabbccddeeff", "69c4e0d86a7b0430d8cdb78070b4c55a"),
        ("AES192", bytes(range(24)).hex(), "00112233445566778899aabbccddeeff", "dda97ca4864cdfe06eaf70a0ec0d7191"),
        ("AES256", bytes(range(32)).hex(), "00112233445566778899aabbccddeeff", "8ea2b7ca516745bfeafc49904b496089"),
        ("TDES", "0123456789ABCDEF23456789ABCDEF01456789ABCDEF0123", "5468652071756663", "A826FD8CE53B855F"),
    ],
)
def test_management_ciphers_match_their_standards(algorithm: str, key: str, plain: str, cipher: str) -> None:
    block = ManagementCipher(ManagementAlgorithm[algorithm], bytes.fromhex(key))
    assert block.encrypt(bytes.fromhex(plain)) == bytes.fromhex(cipher)
    assert block.decrypt(bytes.fromhex(cipher)) == bytes.fromhex(plain)


@pytest.mark.parametrize("algorithm", ManagementAlgorithm)
def test_a_management_key_of_the_wrong_length_is_refused(algorithm: ManagementAlgorithm) -> None:
    with pytest.raises(ValueError, match="bytes"):
        ManagementCipher(algorithm, bytes(algorithm.key_length + 1))
