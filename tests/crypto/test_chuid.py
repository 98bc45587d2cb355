import json
import subprocess
from datetime import date, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import example, given
from hypothesis import strategies as st

from crypto import pki
from crypto.errors import CryptoError, InvalidSignature, MalformedMessage, UntrustedCertificate
from crypto.keys import SoftwareSigner
from crypto.pki import der
from tests import judging
from tests.crypto.authorities import CARD_ID, NOW, Tree, years
from tests.testdata import folder

TREE = Tree()
EXPIRY = date(2030, 12, 31)
CHUID = pki.build_chuid(CARD_ID, EXPIRY, certificate=TREE.content_signer, signer=TREE.content_key)


def test_a_chuid_says_which_card_and_until_when() -> None:
    chuid = pki.verify_chuid(CHUID, TREE.pinned, NOW)
    assert (chuid.guid, chuid.expires_on, chuid.cardholder_id) == (CARD_ID, EXPIRY, None)
    assert chuid.fasc_n == pki.FOREIGN_FASC_N


def test_the_elements_stand_in_the_order_of_the_standard() -> None:
    assert [element.tag for element in der.read_all(CHUID)] == [0x30, 0x34, 0x35, 0x3E, 0xFE]
    assert CHUID[:2] == b"\x30\x19"
    assert CHUID[-2:] == b"\xfe\x00"
    assert len(CHUID) < 1000  # the standard reserves 2,881 bytes on the card


@pytest.mark.judge
def test_openssl_verifies_the_signature(tmp_path: Path) -> None:
    openssl = judging.require("openssl")
    chuid = pki.read_chuid(CHUID)
    pinned = tmp_path / "pinned.pem"
    pinned.write_bytes(b"".join(certificate.public_bytes(Encoding.PEM) for certificate in TREE.pinned))
    (tmp_path / "signature.der").write_bytes(chuid.signature)

    def verify(content: bytes) -> str:
        (tmp_path / "content").write_bytes(content)
        options = "-verify -binary -inform DER -in signature.der -content content -CAfile pinned.pem -purpose any"
        command = [openssl, "cms", *options.split(), "-attime", str(int(NOW.timestamp())), "-out", "/dev/null"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        return "OK" if done.returncode == 0 else done.stderr

    assert verify(chuid.signed) == "OK"
    assert "CMS_SignerInfo_verify_content:verification failure" in verify(
        chuid.signed.replace(b"20301231", b"20391231")
    )


@pytest.mark.judge
def test_chuids_of_foreign_cards_can_be_read() -> None:
    root = folder("gsa-icam")
    cards = json.loads((root / "cards.json").read_text())["cards"]
    assert len(cards) == 8
    for card in cards:
        chuid = pki.read_chuid((root / card["folder"] / "8 - CHUID Object").read_bytes())
        assert chuid.guid.hex == card["chuid"]["guid"].lower()
        assert chuid.fasc_n.hex() == card["chuid"]["fascn"].lower()
        assert chuid.expires_on.strftime("%Y%m%d") == card["chuid"]["expiration"]
        with pytest.raises(CryptoError):  # not the city's
            pki.verify_chuid((root / card["folder"] / "8 - CHUID Object").read_bytes(), TREE.pinned, NOW)


def changed(old: bytes, new: bytes) -> bytes:
    assert CHUID.count(old) == 1
    return CHUID.replace(old, new)


def test_changed_elements_are_noticed() -> None:
    for other in (
        changed(b"20301231", b"20391231"),
        changed(CARD_ID.bytes, bytes(16)),
        changed(pki.FOREIGN_FASC_N, bytes(25)),
    ):
        with pytest.raises(InvalidSignature, match="changed"):
            pki.verify_chuid(other, TREE.pinned, NOW)


@given(st.integers(0, len(CHUID) - 1), st.integers(1, 255))
@example(74, 1)  # the tag around the SignedData
def test_no_changed_byte_goes_unnoticed(position: int, flip: int) -> None:
    other = bytearray(CHUID)
    other[position] ^= flip
    with pytest.raises(CryptoError):
        pki.verify_chuid(bytes(other), TREE.pinned, NOW)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        CHUID[:-2],
        CHUID + b"\xfe\x00",
        CHUID[27:] + CHUID[:27],
        CHUID[:27] + CHUID,
        changed(b"20301231", b"20301331"),
        changed(b"20301231", b"+2030123"),
        changed(b"\x34\x10" + CARD_ID.bytes, b"\x34\x0f" + CARD_ID.bytes[1:]),
        changed(b"\x35\x08", b"\x35\x81\x08"),
        b"\x99\x00" + CHUID,
    ],
)
def test_what_is_no_chuid_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        pki.read_chuid(data)


def test_an_unsigned_chuid_of_a_test_card_can_be_read_and_counts_for_nothing() -> None:
    signature = der.encode(0x3E, pki.read_chuid(CHUID).signature)
    unsigned = changed(signature, b"\x3e\x00")
    assert pki.read_chuid(unsigned).signature == b""
    with pytest.raises(MalformedMessage):
        pki.verify_chuid(unsigned, TREE.pinned, NOW)


def test_an_expired_card_is_refused() -> None:
    with pytest.raises(UntrustedCertificate, match="card has expired"):
        pki.verify_chuid(CHUID, TREE.pinned, years(6))


def test_only_a_content_signer_signs_chuids() -> None:
    forged = pki.build_chuid(CARD_ID, EXPIRY, certificate=TREE.card(pki.CardSlot.SIGNATURE), signer=TREE.card_key)
    with pytest.raises(UntrustedCertificate):
        pki.verify_chuid(forged, TREE.pinned, NOW)


def test_a_signature_of_another_key_is_refused() -> None:
    forged = pki.build_chuid(CARD_ID, EXPIRY, certificate=TREE.content_signer, signer=SoftwareSigner.from_secret(99))
    with pytest.raises(InvalidSignature):
        pki.verify_chuid(forged, TREE.pinned, NOW)


def test_a_card_never_outlives_its_content_signer() -> None:
    late = TREE.content_signer.not_valid_after_utc.date() + timedelta(days=1)
    with pytest.raises(UntrustedCertificate, match="at least as long"):
        pki.build_chuid(CARD_ID, late, certificate=TREE.content_signer, signer=TREE.content_key)


@given(st.binary(max_size=40))
def test_whatever_der_is_read_is_written_the_same(data: bytes) -> None:
    try:
        elements = der.read_all(data)
    except MalformedMessage:
        return
    assert b"".join(der.encode(element.tag, element.content) for element in elements) == data
