"""Faults that our own creators cannot make: certificates built with the library, step by step, one thing wrong each."""

from collections.abc import Callable
from datetime import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from crypto import pki
from crypto.errors import UntrustedCertificate
from crypto.keys import SoftwareSigner
from crypto.pki import CardSlot, CertificatePurpose
from crypto.pki.profiles import authority_key_usage
from tests.crypto.authorities import CARD_ID, NOW, START, TERMINAL_ID, Tree, years

TREE = Tree()
PRESENCE = CertificatePurpose.CARD_PRESENCE


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
