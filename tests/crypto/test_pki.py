import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from crypto import keys, pki
from crypto.errors import MalformedMessage, UntrustedCertificate
from crypto.keys import Ed25519Signer, SoftwareSigner
from crypto.pki import CardSlot, CertificatePurpose
from tests import judging
from tests.crypto.authorities import CARD_ID, NOW, START, TERMINAL_ID, Tree, years

TREE = Tree()
PRESENCE = CertificatePurpose.CARD_PRESENCE


@pytest.mark.parametrize("slot", CardSlot)
def test_a_certificate_of_each_card_key_counts_for_its_purpose_only(slot: CardSlot) -> None:
    certificate = TREE.card(slot)
    verified = pki.verify_chain(certificate, TREE.pinned, NOW, slot.purpose)
    assert verified.bearer_id == CARD_ID
    assert verified.public_key == TREE.card_key.public_key
    assert verified.path == (certificate, TREE.authority, TREE.root)
    for other in set(CertificatePurpose) - {slot.purpose}:
        with pytest.raises(UntrustedCertificate):
            pki.verify_chain(certificate, TREE.pinned, NOW, other)


def test_terminals_and_content_signers_have_certificates_of_their_own() -> None:
    terminal = pki.verify_chain(TREE.terminal, TREE.pinned, NOW, CertificatePurpose.TERMINAL)
    assert terminal.bearer_id == TERMINAL_ID
    signer = pki.verify_chain(TREE.content_signer, TREE.pinned, NOW, CertificatePurpose.CONTENT_SIGNING)
    assert signer.bearer_id is None
    with pytest.raises(UntrustedCertificate):
        pki.verify_chain(TREE.terminal, TREE.pinned, NOW, CertificatePurpose.CARD_AUTHENTICATION)


def test_an_authority_pinned_alone_is_trusted_for_itself() -> None:
    verified = pki.verify_chain(TREE.card(CardSlot.CARD_AUTH), [TREE.authority], NOW, PRESENCE)
    assert len(verified.path) == 2


def test_certificates_of_cards_name_nobody_and_stay_small() -> None:
    for slot in CardSlot:
        certificate = TREE.card(slot, crl_url="http://city.example/cards.crl")
        assert list(certificate.subject) == []
        assert len(pki.to_der(certificate)) < 600
    assert len(pki.to_der(TREE.card(CardSlot.CARD_AUTH))) < 500


def test_certificates_are_the_same_for_the_same_arguments() -> None:
    assert pki.to_der(TREE.card(CardSlot.CARD_AUTH)) == pki.to_der(Tree().card(CardSlot.CARD_AUTH))


@pytest.mark.parametrize("at", [START - timedelta(seconds=1), years(5) + timedelta(seconds=1), years(30)])
def test_a_certificate_counts_only_in_its_time(at: datetime) -> None:
    with pytest.raises(UntrustedCertificate, match="not yet valid"):
        pki.verify_chain(TREE.card(CardSlot.CARD_AUTH), TREE.pinned, at, PRESENCE)


@pytest.mark.parametrize("at", [START, years(5)])
def test_the_first_and_last_second_count(at: datetime) -> None:
    pki.verify_chain(TREE.card(CardSlot.CARD_AUTH), TREE.pinned, at, PRESENCE)


def test_a_certificate_of_a_foreign_authority_with_our_names_is_refused() -> None:
    foreign = Tree(root_key=SoftwareSigner.from_secret(91), authority_key=SoftwareSigner.from_secret(92))
    for pinned in (TREE.pinned, []):
        with pytest.raises(UntrustedCertificate, match="pinned"):
            pki.verify_chain(foreign.card(CardSlot.CARD_AUTH), pinned, NOW, PRESENCE)


def test_authorities_are_never_taken_from_the_bearer() -> None:
    foreign = Tree(authority_key=SoftwareSigner.from_secret(92))  # under our own root, but not pinned
    with pytest.raises(UntrustedCertificate, match="pinned"):
        pki.verify_chain(foreign.card(CardSlot.CARD_AUTH), TREE.pinned, NOW, PRESENCE)


def test_a_changed_certificate_is_refused() -> None:
    der = bytearray(pki.to_der(TREE.card(CardSlot.CARD_AUTH)))
    der[der.index(b"urn:uuid:") + 12] ^= 1
    with pytest.raises(UntrustedCertificate, match="signature"):
        pki.verify_chain(x509.load_der_x509_certificate(bytes(der)), TREE.pinned, NOW, PRESENCE)


def test_an_authority_or_root_is_no_bearer() -> None:
    for certificate in TREE.pinned:
        with pytest.raises(UntrustedCertificate):
            pki.verify_chain(certificate, TREE.pinned, NOW, PRESENCE)


def test_too_many_pinned_authorities_are_refused() -> None:
    with pytest.raises(UntrustedCertificate, match="At most"):
        pki.verify_chain(TREE.card(CardSlot.CARD_AUTH), TREE.pinned * 40, NOW, PRESENCE)


def test_a_certificate_that_could_never_count_is_not_made() -> None:
    key = TREE.card_key.public_key
    with pytest.raises(UntrustedCertificate, match="does not hold"):
        pki.create_card_certificate(
            CardSlot.CARD_AUTH, key, CARD_ID, issuer=TREE.authority, signer=TREE.root_key, serial=1,
            not_before=START, not_after=years(5),
        )  # fmt: skip
    with pytest.raises(UntrustedCertificate, match="longer"):
        pki.create_card_certificate(
            CardSlot.CARD_AUTH, key, CARD_ID, issuer=TREE.authority, signer=TREE.authority_key, serial=1,
            not_before=START, not_after=years(13),
        )  # fmt: skip
    with pytest.raises(MalformedMessage, match="UUIDv4"):
        pki.create_card_certificate(
            CardSlot.CARD_AUTH, key, TERMINAL_ID, issuer=TREE.authority, signer=TREE.authority_key, serial=1,
            not_before=START, not_after=years(5),
        )  # fmt: skip
    with pytest.raises(MalformedMessage):
        pki.create_root("Root", Ed25519Signer.from_secret(1), serial=1, not_before=START, not_after=years(5))


def test_a_certificate_file_holds_one_certificate_and_nothing_else() -> None:
    der = pki.to_der(TREE.root)
    assert pki.load_certificate(der) == TREE.root
    for data in (b"", der[:-1], der + b"\x00", b"\x30\x00"):
        with pytest.raises(MalformedMessage):
            pki.load_certificate(data)


@pytest.mark.judge
def test_openssl_verifies_the_same_chains(tmp_path: Path) -> None:
    openssl = judging.require("openssl")
    for name, certificate in {"root": TREE.root, "authority": TREE.authority}.items():
        (tmp_path / f"{name}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))

    def verify(certificate: x509.Certificate, at: datetime) -> str:
        file = tmp_path / "bearer.pem"
        file.write_bytes(certificate.public_bytes(Encoding.PEM))
        chain = ["-CAfile", str(tmp_path / "root.pem"), "-untrusted", str(tmp_path / "authority.pem")]
        moment = ["-attime", str(int(at.timestamp()))]
        done = subprocess.run(
            [openssl, "verify", "-x509_strict", *moment, *chain, str(file)], capture_output=True, text=True, check=False
        )
        return "OK" if done.returncode == 0 else done.stderr

    bearers = [*(TREE.card(slot) for slot in CardSlot), TREE.terminal, TREE.content_signer]
    assert [verify(certificate, NOW) for certificate in bearers] == ["OK"] * 5
    assert "expired" in verify(bearers[0], datetime(2040, 1, 1, tzinfo=UTC))
    foreign = Tree(authority_key=SoftwareSigner.from_secret(92))
    assert "unable to get local issuer" in verify(foreign.card(CardSlot.CARD_AUTH), NOW)
    changed = bytearray(pki.to_der(bearers[0]))
    changed[changed.index(b"urn:uuid:") + 12] ^= 1
    assert "signature failure" in verify(x509.load_der_x509_certificate(bytes(changed)), NOW)


def test_the_key_of_a_certificate_is_the_key_that_was_certified() -> None:
    certificate = TREE.card(CardSlot.SIGNATURE)
    verified = pki.verify_chain(certificate, TREE.pinned, NOW, CertificatePurpose.CARD_SIGNATURE)
    keys.verify(verified.public_key, b"m", TREE.card_key.sign(b"m"))
