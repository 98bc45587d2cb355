"""Eight PIV cards made by others (GSA ICAM test cards): read by our session, judged by our check as their index says.

The virtual card is P-256 only; here it is given their keys, RSA among them. openssl judges the CHUIDs too.
"""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12

from terminals import card
from terminals.card import CardState, DataObject, PivSession, SimulatedCard, Slot, tlv
from terminals.card.apdu import (
    INS_GENERAL_AUTHENTICATE,
    TAG_CHALLENGE,
    TAG_DYNAMIC_AUTHENTICATION,
    TAG_RESPONSE,
    CommandApdu,
)
from terminals.card.check import Check, Report
from terminals.card.files import read_certificates, read_revocation_lists
from tests import testdata
from tests.judging import require

pytestmark = pytest.mark.judge

EMPTY_PASSWORD = b""
FILES = {
    DataObject.DISCOVERY: "1 - Discovery Object",
    DataObject.SECURITY: "2 - Security Object",
    DataObject.CAPABILITIES: "7 - CCC",
    DataObject.CHUID: "8 - CHUID Object",
}
CERTIFICATES = {
    Slot.AUTHENTICATION: "3 - ICAM_PIV_Auth_SP_800-73-4",
    Slot.SIGNATURE: "4 - ICAM_PIV_Dig_Sig_SP_800-73-4",
    Slot.CARD_AUTHENTICATION: "6 - ICAM_PIV_Card_Auth_SP_800-73-4",
}


def certificate(file: Path) -> bytes:
    """Some files are DER, some PEM, some PEM after a page of text."""
    return read_certificates(file)[0].public_bytes(Encoding.DER)


def load(folder: Path) -> tuple[SimulatedCard, dict[Slot, bytes]]:
    settings = card.CardSettings(object_length_max=16384)
    state = CardState.blank(settings)
    for item, name in FILES.items():
        state.objects[item.value] = (folder / name).read_bytes()
    certificates = {slot: certificate(folder / f"{name}.crt") for slot, name in CERTIFICATES.items()}
    for slot, der in certificates.items():
        state.objects[DataObject.certificate(slot).value] = card.encode_certificate(der)
    return SimulatedCard(state, settings), certificates


def opened(simulated: SimulatedCard) -> PivSession:
    reader = card.LocalReader()
    reader.insert(simulated)
    session = PivSession(reader.connect())
    session.select()
    return session


def chuid_is_signed(chuid: card.Chuid, signer: bytes, folder: Path) -> bool:
    """openssl's verdict on what we say the issuer signed."""
    (folder / "content").write_bytes(chuid.signed_content)
    (folder / "signature").write_bytes(chuid.signature)
    (folder / "signer.pem").write_bytes(x509.load_der_x509_certificate(signer).public_bytes(Encoding.PEM))
    names = ["-in", str(folder / "signature"), "-content", str(folder / "content"), "-certfile"]
    command = [require("openssl"), "cms", "-verify", "-inform", "DER", "-binary", "-noverify", *names]
    done = subprocess.run([*command, str(folder / "signer.pem")], check=False, capture_output=True)
    return done.returncode == 0


def test_eight_foreign_cards_read_as_their_index_says(tmp_path: Path) -> None:
    base = testdata.folder("gsa-icam")
    index: list[dict[str, Any]] = json.loads((base / "cards.json").read_text())["cards"]
    unsigned = []
    for entry in index:
        folder = base / entry["folder"]
        simulated, certificates = load(folder)
        with opened(simulated) as session:
            chuid = session.read_chuid()
            assert chuid.guid.hex.upper() == entry["chuid"]["guid"]
            assert chuid.fascn.hex().upper() == entry["chuid"]["fascn"]
            assert f"{chuid.expires:%Y%m%d}" == entry["chuid"]["expiration"]
            assert chuid.cardholder_uuid is not None
            assert chuid.cardholder_uuid.hex.upper() == entry["chuid"]["cardholder_uuid"]
            assert session.read_discovery() is not None
            for slot, der in certificates.items():
                assert session.read_certificate(slot) == der
        if not chuid_is_signed(chuid, certificate(folder / "CHUID_Signer.crt"), tmp_path):
            unsigned.append(entry["card"])
    assert len(index) == 8
    # the judge's own control: exactly the card whose CHUID was altered after signing
    assert unsigned == [entry["card"] for entry in index if entry["fault"] == "chuid_signature"] == ["04"]


def test_the_foreign_card_with_a_p256_key_proves_its_presence() -> None:
    base = testdata.folder("gsa-icam") / "cards"
    folder = next(path for path in base.iterdir() if path.name.startswith("37"))
    simulated, certificates = load(folder)
    slot = Slot.CARD_AUTHENTICATION
    key, _, _ = pkcs12.load_key_and_certificates((folder / f"{CERTIFICATES[slot]}.p12").read_bytes(), EMPTY_PASSWORD)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    simulated.state.keys[slot] = key.private_numbers().private_value
    public_key = x509.load_der_x509_certificate(certificates[slot]).public_key()
    assert isinstance(public_key, ec.EllipticCurvePublicKey)
    with opened(simulated) as session:
        session.prove_possession(slot, public_key)
    simulated.state.keys[slot] += 1
    with opened(simulated) as session, pytest.raises(card.CardNotGenuine):
        session.prove_possession(slot, public_key)


# --- the verdict ---

PIN = b"123456"
AT = datetime(2026, 11, 22, tzinfo=UTC)


class KeyedCard(SimulatedCard):
    """The card with the private keys of the folder, of whatever kind; here none of them asks for the PIN."""

    private: dict[int, object]

    def _dispatch(self, command: CommandApdu) -> bytes:
        key = self.private.get(command.p2)
        if command.ins != INS_GENERAL_AUTHENTICATE or key is None:
            return super()._dispatch(command)
        block = tlv.decode_unique(tlv.decode_one(bytes(command.data), TAG_DYNAMIC_AUTHENTICATION))[TAG_CHALLENGE]
        if isinstance(key, ec.EllipticCurvePrivateKey):
            hash_ = hashes.SHA256() if len(block) == 32 else hashes.SHA384()
            answer = key.sign(block, ec.ECDSA(utils.Prehashed(hash_)))
        else:
            assert isinstance(key, rsa.RSAPrivateKey)
            numbers = key.private_numbers()
            modulus = numbers.public_numbers.n
            answer = pow(int.from_bytes(block), numbers.d, modulus).to_bytes(key.key_size // 8)
        return tlv.encode(TAG_DYNAMIC_AUTHENTICATION, tlv.encode(TAG_RESPONSE, answer))


def keyed(folder: Path) -> KeyedCard:
    loaded, _ = load(folder)
    made = KeyedCard(loaded.state, loaded.settings)
    made.private = {}
    for slot, name in CERTIFICATES.items():
        key, _, _ = pkcs12.load_key_and_certificates((folder / f"{name}.p12").read_bytes(), EMPTY_PASSWORD)
        made.private[int(slot)] = key
    return made


def judged(base: Path, folder: Path, *, lists: bool = True) -> Report:
    authorities = read_certificates(base / "ca" / "root.crt")
    others = [one for path in sorted((base / "ca").glob("signing*.crt")) for one in read_certificates(path)]
    crls = [one for path in sorted((base / "ca" / "crl").glob("*.crl")) for one in read_revocation_lists(path)]
    reader = card.LocalReader()
    reader.insert(keyed(folder))
    with PivSession(reader.connect()) as session:
        looked = Check(session, AT, authorities, intermediates=others, revocation_lists=crls if lists else ())
        return looked.run(bytearray(PIN))


def test_each_foreign_card_gets_its_verdict_and_each_bad_one_its_own_reason() -> None:
    base = testdata.folder("gsa-icam")
    index: list[dict[str, Any]] = json.loads((base / "cards.json").read_text())["cards"]
    verdicts = {entry["card"]: judged(base, base / entry["folder"]) for entry in index}
    assert {number: report.fault or None for number, report in verdicts.items()} == {
        entry["card"]: entry["fault"] for entry in index
    }
    assert [number for number, report in verdicts.items() if report.ok] == ["01", "37", "46"]
    assert all(len(report.steps) == 8 for report in verdicts.values() if report.ok)
    assert not any(report.citizen_card for report in verdicts.values())  # each has RSA keys too
    assert "RSA-2048" in verdicts["01"].verdict


def test_a_revocation_is_known_only_by_its_list() -> None:
    base = testdata.folder("gsa-icam")
    folder = next(path for path in (base / "cards").iterdir() if path.name.startswith("24"))
    report = judged(base, folder, lists=False)
    assert report.ok
    assert any("revocation not checked" in step.detail for step in report.steps)
