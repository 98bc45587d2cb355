"""Certificates of any shape for the tests of path validation, good unless a test says otherwise. Deterministic."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import NameOID

from crypto.keys import SoftwareSigner

START, END, NOW = (datetime(year, 1, 1, tzinfo=UTC) for year in (2026, 2046, 2030))
# what stands beside the extensions that every certificate gets; a second value of a kind takes the first one's place
Extras: TypeAlias = Iterable[tuple[x509.ExtensionType, bool]]

CA_USAGE = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def key(number: int) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(number, ec.SECP256R1())


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@dataclass(frozen=True)
class Issuer:
    """An authority by name and key; it has as many certificates as somebody made for it."""

    name: x509.Name
    number: int

    @property
    def key(self) -> ec.EllipticCurvePrivateKey:
        return key(self.number)

    @property
    def signer(self) -> SoftwareSigner:
        return SoftwareSigner(self.key)

    def certify(
        self,
        subject: x509.Name,
        public_key: CertificatePublicKeyTypes,
        extras: Extras = (),
        *,
        authority: bool = False,
        serial: int = 2**64 + 7,
        until: datetime = END,
    ) -> x509.Certificate:
        own = x509.SubjectKeyIdentifier.from_public_key(public_key)
        above = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        extensions: dict[x509.ObjectIdentifier, tuple[x509.ExtensionType, bool]] = {
            own.oid: (own, False),
            above.oid: (above, False),
        }
        if authority:
            basic = x509.BasicConstraints(ca=True, path_length=None)
            extensions |= {basic.oid: (basic, True), CA_USAGE.oid: (CA_USAGE, True)}
        extensions |= {value.oid: (value, critical) for value, critical in extras}
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(public_key)
            .serial_number(serial)
            .not_valid_before(START)
            .not_valid_after(until)
        )
        for value, critical in extensions.values():
            builder = builder.add_extension(value, critical)
        return builder.sign(self.key, hashes.SHA256())

    def authority(self, below: "Issuer", extras: Extras = (), *, until: datetime = END) -> x509.Certificate:
        return self.certify(below.name, below.key.public_key(), extras, authority=True, until=until)

    def leaf(self, extras: Extras = (), subject: str = "leaf") -> x509.Certificate:
        return self.certify(name(subject), key(99).public_key(), extras)


ROOT = Issuer(name("root"), 1)
MIDDLE = Issuer(name("middle"), 2)


def anchor(extras: Extras = ()) -> x509.Certificate:
    return ROOT.authority(ROOT, extras)
