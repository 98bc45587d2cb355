import json
import subprocess
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from crypto import pki
from crypto.errors import InvalidSignature, MalformedMessage, UntrustedCertificate
from crypto.keys import SoftwareSigner
from crypto.pki import Face, PrintedInformation, der
from tests import judging
from tests.crypto.authorities import CARD_ID, NOW, START, Tree, years
from tests.testdata import folder

TREE = Tree()
SIGNER = TREE.content_signer
PRINTED = PrintedInformation("Dela Peña, Maria Niña", "Resident", date(2030, 12, 31), "000123456", "CITY")
OBJECTS = {
    0x5FC109: pki.printed_information(PRINTED),
    0x5FC107: bytes.fromhex("f50110fe00"),
    0x7E: bytes.fromhex("4f0ba0000003080000100001005f2f024000"),
    0x5FC102: pki.build_chuid(CARD_ID, date(2030, 12, 31), certificate=SIGNER, signer=TREE.content_key),
}


def made(objects: dict[int, bytes] = OBJECTS) -> bytes:
    return pki.security_object(objects, TREE.content_key, SIGNER, NOW)


def test_what_was_signed_is_vouched_for() -> None:
    assert pki.check_security_object(made(), OBJECTS, SIGNER) == frozenset(OBJECTS)


def test_each_object_that_was_changed_is_noticed() -> None:
    for tag, content in OBJECTS.items():
        changed = OBJECTS | {tag: content + b"\0"}
        with pytest.raises(InvalidSignature, match=f"{tag:X} was changed"):
            pki.check_security_object(made(), changed, SIGNER)


def test_no_changed_byte_makes_it_vouch_for_other_objects() -> None:
    """The map is not signed: changed, it names fewer of the objects. The hashes and the signature cannot change."""
    data = made()
    signed = data.index(bytes.fromhex("6781080101"))  # the type of content, in front of the content
    for at in range(len(data)):
        changed = data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]
        try:
            named = pki.check_security_object(changed, OBJECTS, SIGNER)
        except (InvalidSignature, MalformedMessage):
            continue
        assert at < signed or data[at - 2] == der.INTEGER, "versions and the unsigned set of hashes alone"
        assert named <= OBJECTS.keys() or at < 16


def test_another_cards_security_object_does_not_do() -> None:
    other = PrintedInformation("Somebody Else", "Resident", date(2030, 12, 31), "1", "CITY")
    with pytest.raises(InvalidSignature):
        pki.check_security_object(made(OBJECTS | {0x5FC109: pki.printed_information(other)}), OBJECTS, SIGNER)


def test_another_signer_does_not_do() -> None:
    with pytest.raises(InvalidSignature, match="another signer"):
        pki.check_security_object(made(), OBJECTS, TREE.authority)


def test_it_is_not_made_with_a_foreign_key_or_too_late_or_over_what_has_no_place() -> None:
    with pytest.raises(UntrustedCertificate, match="does not hold"):
        pki.security_object(OBJECTS, SoftwareSigner.from_secret(77), SIGNER, NOW)
    with pytest.raises(UntrustedCertificate, match="expired"):
        pki.security_object(OBJECTS, TREE.content_key, SIGNER, years(11))
    for objects in ({0x5FC1FF: b"", 0x7E: b""}, {0x7E: b""}):
        with pytest.raises(MalformedMessage, match="2 to 16"):
            made(objects)


def test_it_fits_its_container() -> None:
    assert len(made()) <= 1336  # SP 800-73-5 Part 1, Table 7


@pytest.mark.judge
def test_openssl_verifies_it_with_the_certificate_beside_it(tmp_path: Path) -> None:
    openssl = judging.require("openssl")
    (tmp_path / "pinned.pem").write_bytes(b"".join(item.public_bytes(Encoding.PEM) for item in TREE.pinned))
    (tmp_path / "signer.pem").write_bytes(SIGNER.public_bytes(Encoding.PEM))
    (tmp_path / "signature.der").write_bytes(der.read_all(made())[1].content)
    options = "-verify -inform DER -in signature.der -CAfile pinned.pem -certfile signer.pem -purpose any -attime"
    command = [openssl, "cms", *options.split(), str(int(NOW.timestamp())), "-out", "content.der"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    command = [openssl, "asn1parse", "-inform", "DER", "-in", "content.der"]
    parsed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert parsed.count("OCTET STRING") == len(OBJECTS)


@pytest.mark.judge
def test_foreign_cards_are_judged_as_their_makers_say() -> None:
    """Eight cards: only the one whose CHUID was changed fails here; the others' faults are elsewhere."""
    root = folder("gsa-icam")
    wrong: list[str] = []
    named: set[int] = set()
    for card in json.loads((root / "cards.json").read_text())["cards"]:
        files = root / card["folder"]
        content = (files / "8 - CHUID Object").read_bytes()
        objects = {
            0x5FC102: content,
            0x5FC109: (files / "11 - Printed Information").read_bytes(),
            0x5FC108: (files / "10 - Face Object").read_bytes(),
            0x5FC107: (files / "7 - CCC").read_bytes(),
            0x7E: (files / "1 - Discovery Object").read_bytes()[2:],
        }
        try:
            signer = pki.check_chuid_signature(pki.read_chuid(content))
            named |= pki.check_security_object((files / "2 - Security Object").read_bytes(), objects, signer)
        except InvalidSignature:
            wrong.append(card["card"])
        pki.read_printed_information(objects[0x5FC109])
    assert wrong == ["04"]
    assert named >= objects.keys()


def test_the_citys_own_chuid_passes_the_check_for_foreign_ones() -> None:
    assert pki.check_chuid_signature(pki.read_chuid(OBJECTS[0x5FC102])) == SIGNER


def test_printed_information_reads_back_and_a_text_too_long_is_refused_not_cut() -> None:
    assert pki.read_printed_information(pki.printed_information(PRINTED)) == PRINTED
    for name in ("", "ñ" * 63):
        with pytest.raises(MalformedMessage, match="does not fit"):
            pki.printed_information(PrintedInformation(name, "R", date(2030, 1, 1), "1", "C"))


@pytest.mark.parametrize("expiry", ["2030XYZ01", "2030FEB30", "+030FEB01", "", "2030FEB1", "203\u0660FEB1"])
def test_a_printed_expiry_that_is_no_date_is_refused(expiry: str) -> None:
    good = pki.printed_information(PRINTED)
    bad = der.encode(0x04, expiry.encode())
    with pytest.raises(MalformedMessage):
        pki.read_printed_information(good.replace(der.encode(0x04, b"2030DEC31"), bad))


def test_a_face_stands_in_its_header_and_is_signed() -> None:
    jpeg = b"\xff\xd8\xff" + bytes(2_000)
    face = Face(jpeg, 240, 320, START, years(5), "CITY")
    content = der.read_all(pki.face_object(face, CARD_ID, TREE.content_key, SIGNER))[0].content
    record_length, signature_length = int.from_bytes(content[2:6], "big"), int.from_bytes(content[6:8], "big")
    assert len(content) == 88 + record_length + signature_length
    assert content[12:20] == bytes((20, 26, 1, 1, 0, 0, 0)) + b"Z"
    assert content[88 : 88 + record_length].endswith(jpeg)
    assert CARD_ID.bytes in content[88 + record_length :]


def test_a_picture_that_is_none_or_too_large_is_refused() -> None:
    for jpeg, width in ((b"GIF89a", 1), (b"\xff\xd8\xff" + bytes(20_000), 1), (b"\xff\xd8\xff", 0)):
        with pytest.raises(MalformedMessage):
            pki.face_object(Face(jpeg, width, 1, START, years(5), "CITY"), UUID(int=0), TREE.content_key, SIGNER)
