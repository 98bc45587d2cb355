import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from crypto import keys, pki
from crypto.errors import MalformedMessage, UntrustedCertificate
from crypto.keys import Ed25519Signer, SoftwareSigner
from crypto.pki import CardSlot, CertificatePurpose
from crypto.pki.profiles import authority_key_usage
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


# --- faults that our own creators cannot make: a certificate built step by step, with one thing wrong ---


def builder(tree: Tree = TREE) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(tree.authority.subject)
        .public_key(tree.card_key.public_key)
        .serial_number(77)
        .not_valid_before(START)
        .not_valid_after(years(5))
    )


def extensions_of(certificate: x509.Certificate) -> dict[str, tuple[x509.ExtensionType, bool]]:
    return {type(item.value).__name__: (item.value, item.critical) for item in certificate.extensions}


Extensions = dict[str, tuple[x509.ExtensionType, bool]]


def signed(extensions: Extensions, base: x509.CertificateBuilder | None = None) -> x509.Certificate:
    result = builder() if base is None else base
    for value, critical in extensions.values():
        result = result.add_extension(value, critical=critical)
    return result.sign(TREE.authority_key._private_key, hashes.SHA256())


def usage(**changes: bool) -> x509.KeyUsage:
    given = dict.fromkeys(
        [
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ],
        False,
    )
    return x509.KeyUsage(**{**given, **changes})


def uri(*names: str) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([x509.UniformResourceIdentifier(name) for name in names])


_POLICY = x509.PolicyInformation(x509.ObjectIdentifier("1.2.3.4"), None)
_CARD_AUTHENTICATION = x509.ObjectIdentifier("2.16.840.1.101.3.6.8")

FAULTS: dict[str, tuple[str, Callable[[Extensions], object]]] = {
    "no key usage": ("lacks", lambda e: e.pop("KeyUsage")),
    "key usage not critical": ("key usage", lambda e: e.update(KeyUsage=(usage(digital_signature=True), False))),
    "key usage of the signature key": (
        "key usage",
        lambda e: e.update(KeyUsage=(usage(digital_signature=True, content_commitment=True), True)),
    ),
    "key usage of an authority": ("key usage", lambda e: e.update(KeyUsage=(authority_key_usage(), True))),
    "no extended key usage": ("lacks", lambda e: e.pop("ExtendedKeyUsage")),
    "extended key usage of a client": (
        "extended key usage",
        lambda e: e.update(ExtendedKeyUsage=(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), True)),
    ),
    "two extended key usages": (
        "extended key usage",
        lambda e: e.update(
            ExtendedKeyUsage=(x509.ExtendedKeyUsage([_CARD_AUTHENTICATION, ExtendedKeyUsageOID.CLIENT_AUTH]), True)
        ),
    ),
    "extended key usage not critical": (
        "extended key usage",
        lambda e: e.update(ExtendedKeyUsage=(x509.ExtendedKeyUsage([_CARD_AUTHENTICATION]), False)),
    ),
    "no policy": ("lacks", lambda e: e.pop("CertificatePolicies")),
    "a foreign policy": (
        "policy",
        lambda e: e.update(CertificatePolicies=(x509.CertificatePolicies([_POLICY]), False)),
    ),
    "an authority's flag": (
        "authority",
        lambda e: e.update(BasicConstraints=(x509.BasicConstraints(ca=True, path_length=None), True)),
    ),
    "no name": ("lacks", lambda e: e.pop("SubjectAlternativeName")),
    "two names": (
        "names something else",
        lambda e: e.update(SubjectAlternativeName=(uri(CARD_ID.urn, TERMINAL_ID.urn), True)),
    ),
    "a name that is a place": ("not a UUID", lambda e: e.update(SubjectAlternativeName=(uri("http://city"), True))),
    "a name in capitals": (
        "spelling",
        lambda e: e.update(SubjectAlternativeName=(uri(f"urn:uuid:{str(CARD_ID).upper()}"), True)),
    ),
    "a host name": (
        "names something else",
        lambda e: e.update(SubjectAlternativeName=(x509.SubjectAlternativeName([x509.DNSName("city")]), True)),
    ),
    "an unknown critical extension": (
        "not understood",
        lambda e: e.update(Other=(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.5"), b"\x05\x00"), True)),
    ),
    "no authority key identifier": ("lacks", lambda e: e.pop("AuthorityKeyIdentifier")),
    "another authority's key identifier": (
        "pinned",
        lambda e: e.update(
            AuthorityKeyIdentifier=(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(TREE.card_key.public_key),
                False,
            )
        ),
    ),
}


def test_the_certificate_without_a_fault_is_accepted() -> None:
    certificate = signed(extensions_of(TREE.card(CardSlot.CARD_AUTH)))
    pki.verify_chain(certificate, TREE.pinned, NOW, PRESENCE)


@pytest.mark.parametrize(("reason", "plant"), FAULTS.values(), ids=FAULTS.keys())
def test_one_fault_is_enough(reason: str, plant: Callable[[Extensions], object]) -> None:
    extensions = extensions_of(TREE.card(CardSlot.CARD_AUTH))
    plant(extensions)
    with pytest.raises(UntrustedCertificate, match=reason):
        pki.verify_chain(signed(extensions), TREE.pinned, NOW, PRESENCE)


def test_other_keys_and_hashes_are_refused() -> None:
    extensions = extensions_of(TREE.card(CardSlot.CARD_AUTH))
    other_curve = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(TREE.authority.subject)
        .public_key(ec.generate_private_key(ec.SECP384R1()).public_key())
        .serial_number(78)
        .not_valid_before(START)
        .not_valid_after(years(5))
    )
    with pytest.raises(UntrustedCertificate, match="P-256"):
        pki.verify_chain(signed(extensions, other_curve), TREE.pinned, NOW, PRESENCE)
    base = builder()
    for value, critical in extensions.values():
        base = base.add_extension(value, critical=critical)
    other_hash = base.sign(TREE.authority_key._private_key, hashes.SHA384())
    with pytest.raises(UntrustedCertificate, match="SHA-256"):
        pki.verify_chain(other_hash, TREE.pinned, NOW, PRESENCE)


def authority_with(
    *, path_length: int | None = 0, ca: bool = True, key_usage: x509.KeyUsage | None = None, not_after: datetime
) -> x509.Certificate:
    result = (
        x509.CertificateBuilder()
        .subject_name(TREE.authority.subject)
        .issuer_name(TREE.root.subject)
        .public_key(TREE.authority_key.public_key)
        .serial_number(79)
        .not_valid_before(START)
        .not_valid_after(not_after)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(TREE.authority_key.public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(TREE.root_key.public_key), critical=False)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=path_length if ca else None), critical=True)
        .add_extension(key_usage or authority_key_usage(), critical=True)
    )
    return result.sign(TREE.root_key._private_key, hashes.SHA256())


def test_a_pinned_certificate_must_be_an_authority_in_force() -> None:
    card = TREE.card(CardSlot.CARD_AUTH)
    pki.verify_chain(card, [TREE.root, authority_with(not_after=years(12))], NOW, PRESENCE)
    for reason, authority in {
        "not an authority": authority_with(ca=False, not_after=years(12)),
        "key usage": authority_with(key_usage=usage(digital_signature=True), not_after=years(12)),
        "expired": authority_with(not_after=years(1)),
    }.items():
        with pytest.raises(UntrustedCertificate, match=reason):
            pki.verify_chain(card, [TREE.root, authority], NOW, PRESENCE)
        # a good certificate of the same authority beside the bad one is found
        pki.verify_chain(card, [TREE.root, authority, TREE.authority], NOW, PRESENCE)


def chain_of(length: int) -> tuple[x509.Certificate, list[x509.Certificate]]:
    """A card under `length` authorities, none of which limits the path."""
    certificates: list[x509.Certificate] = []
    issuer_key, issuer_name = TREE.root_key, TREE.root.subject
    for number in range(length):
        key = TREE.root_key if number == 0 else SoftwareSigner.from_secret(500 + number)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Authority {number}")])
        issuer_name = name if number == 0 else issuer_name
        certificates.append(
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(issuer_name)
            .public_key(key.public_key)
            .serial_number(600 + number)
            .not_valid_before(START)
            .not_valid_after(years(10))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(authority_key_usage(), critical=True)
            .sign(issuer_key._private_key, hashes.SHA256())
        )
        issuer_key, issuer_name = key, name
    card = pki.create_card_certificate(
        CardSlot.CARD_AUTH,
        TREE.card_key.public_key,
        CARD_ID,
        issuer=certificates[-1],
        signer=issuer_key,
        serial=700,
        not_before=START,
        not_after=years(5),
    )
    return card, certificates


def test_a_path_has_at_most_three_certificates() -> None:
    for length in (1, 2):
        card, authorities = chain_of(length)
        assert len(pki.verify_chain(card, authorities, NOW, PRESENCE).path) == length + 1
    card, authorities = chain_of(3)
    with pytest.raises(UntrustedCertificate, match="longer than 3"):
        pki.verify_chain(card, authorities, NOW, PRESENCE)


def test_the_root_limits_the_path_below_it() -> None:
    """Our own root allows one authority, our own authority none: a card authority cannot make authorities."""
    below = pki.create_authority(
        "Too deep",
        TREE.content_key.public_key,
        issuer=TREE.authority,
        signer=TREE.authority_key,
        serial=80,
        not_before=START,
        not_after=years(9),
    )
    card = pki.create_card_certificate(
        CardSlot.CARD_AUTH,
        TREE.card_key.public_key,
        CARD_ID,
        issuer=below,
        signer=TREE.content_key,
        serial=81,
        not_before=START,
        not_after=years(5),
    )
    with pytest.raises(UntrustedCertificate, match="may not have authorities below"):
        pki.verify_chain(card, [below, TREE.authority], NOW, PRESENCE)


def test_two_authorities_that_certify_each_other_are_no_path() -> None:
    """A loop has no end, but a path has at most three certificates."""
    first, second = SoftwareSigner.from_secret(901), SoftwareSigner.from_secret(902)
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in ("First", "Second")]

    def certify(index: int, key: SoftwareSigner, issuer_key: SoftwareSigner) -> x509.Certificate:
        return (
            x509.CertificateBuilder()
            .subject_name(names[index])
            .issuer_name(names[1 - index])
            .public_key(key.public_key)
            .serial_number(900 + index)
            .not_valid_before(START)
            .not_valid_after(years(10))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(authority_key_usage(), critical=True)
            .sign(issuer_key._private_key, hashes.SHA256())
        )

    loop = [certify(0, first, second), certify(1, second, first)]
    card = pki.create_card_certificate(
        CardSlot.CARD_AUTH,
        TREE.card_key.public_key,
        CARD_ID,
        issuer=loop[0],
        signer=first,
        serial=903,
        not_before=START,
        not_after=years(5),
    )
    with pytest.raises(UntrustedCertificate, match="longer than 3"):
        pki.verify_chain(card, loop, NOW, PRESENCE)


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
