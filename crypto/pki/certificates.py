"""Making certificates (RFC 5280, profile of FIPS 201-3 adapted). Signer, serial number and times are arguments.

Nothing here draws randomness: whoever calls draws the serial number, 64 bits or more, never used before.
"""

from datetime import datetime
from uuid import UUID

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from crypto import keys
from crypto.errors import MalformedMessage, UntrustedCertificate
from crypto.keys import Algorithm, Signer
from crypto.pki import der
from crypto.pki.profiles import CardSlot, CertificatePurpose, authority_key_usage

ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2"  # RFC 5758 3.2
_NOBODY = x509.Name([])

# What the library raises for a certificate that it can open but not read: whoever sends it may choose any of these.
UNREADABLE = (
    ValueError,
    TypeError,  # a name constraint whose network has an impossible mask
    OverflowError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)

# The library signs only with keys it holds. It is given this one, and its signature is replaced by the signer's:
# what is signed (the TBSCertificate) does not depend on the key that signs.
_STAND_IN = ec.derive_private_key(1, ec.SECP256R1())


def create_root(
    name: str, signer: Signer, *, serial: int, not_before: datetime, not_after: datetime
) -> x509.Certificate:
    """A self-signed root, at most two certificates above the bearer's."""
    key = _p256(signer.public_key)
    builder = _builder(_name(name), key, _name(name), serial, not_before, not_after)
    builder = _with_authority_extensions(builder, path_length=1)
    return _sign(_with_key_identifiers(builder, key, key), signer)


def create_authority(
    name: str,
    public_key: ec.EllipticCurvePublicKey,
    *,
    issuer: x509.Certificate,
    signer: Signer,
    serial: int,
    not_before: datetime,
    not_after: datetime,
) -> x509.Certificate:
    """An authority under the root, which issues to bearers only."""
    builder = _issued(_name(name), public_key, issuer, signer, serial, not_before, not_after)
    return _sign(_with_authority_extensions(builder, path_length=0), signer)


def create_card_certificate(
    slot: CardSlot,
    public_key: ec.EllipticCurvePublicKey,
    card_id: UUID,
    *,
    issuer: x509.Certificate,
    signer: Signer,
    serial: int,
    not_before: datetime,
    not_after: datetime,
    crl_url: str | None = None,
) -> x509.Certificate:
    """The certificate of one key of a card. It names the card and no person: any passer-by can read it."""
    if card_id.version != 4:  # noqa: PLR2004 - SP 800-73-5 Part 1, 3.4.1 allows 1, 4 and 5; the city takes 4
        raise MalformedMessage("A card id is a UUIDv4.")
    builder = _issued(_NOBODY, public_key, issuer, signer, serial, not_before, not_after)
    builder = _with_profile(builder, slot.purpose, card_id)
    if crl_url is not None:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(crl_url)], None, None, None)
        builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
    return _sign(builder, signer)


def create_terminal_certificate(
    public_key: ec.EllipticCurvePublicKey,
    terminal_id: UUID,
    *,
    issuer: x509.Certificate,
    signer: Signer,
    serial: int,
    not_before: datetime,
    not_after: datetime,
) -> x509.Certificate:
    """The certificate of an enrolled terminal's key."""
    builder = _issued(_NOBODY, public_key, issuer, signer, serial, not_before, not_after)
    return _sign(_with_profile(builder, CertificatePurpose.TERMINAL, terminal_id), signer)


def create_content_signer(
    name: str,
    public_key: ec.EllipticCurvePublicKey,
    *,
    issuer: x509.Certificate,
    signer: Signer,
    serial: int,
    not_before: datetime,
    not_after: datetime,
) -> x509.Certificate:
    """The certificate of the key that signs CHUIDs; it must outlive the cards (SP 800-73-5 Part 1, 3.1.2)."""
    builder = _issued(_name(name), public_key, issuer, signer, serial, not_before, not_after)
    return _sign(_with_profile(builder, CertificatePurpose.CONTENT_SIGNING, None), signer)


def load_certificate(data: bytes) -> x509.Certificate:
    """A certificate from DER, nothing verified. Raises: MalformedMessage."""
    _check_serial(data)
    try:
        certificate = x509.load_der_x509_certificate(data)
        # the library reads these only when asked: ask now, so that a certificate in hand is a readable one
        _ = certificate.subject, certificate.issuer, certificate.extensions, certificate.public_key()
    except UNREADABLE as error:
        raise MalformedMessage("The bytes are not a certificate.") from error
    if to_der(certificate) != data:
        raise MalformedMessage("The certificate is not in its one encoding.")
    return certificate


def _check_serial(data: bytes) -> None:
    """RFC 5280 4.1.2.2. The library warns of a number that is not positive, and will raise: it never sees one."""
    content = der.read(der.read(data, der.SEQUENCE)[0].content, der.SEQUENCE)[0].content
    first, rest = der.read(content)
    serial = (der.read(rest)[0] if first.tag == der.CONTEXT_0 else first).content  # a version 1 names no version
    if not serial or serial[0] >= 0x80 or not any(serial):  # noqa: PLR2004 - X.690 8.3.3: the sign
        raise MalformedMessage("The certificate's serial number is not positive.")


def to_der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _p256(key: object) -> ec.EllipticCurvePublicKey:
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise MalformedMessage("Only P-256 keys get certificates here.")
    return key


def _builder(
    subject: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    issuer_name: x509.Name,
    serial: int,
    not_before: datetime,
    not_after: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer_name)
        .public_key(_p256(public_key))
        .serial_number(serial)
        .not_valid_before(not_before)
        .not_valid_after(not_after)
    )


def _issued(
    subject: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    issuer: x509.Certificate,
    signer: Signer,
    serial: int,
    not_before: datetime,
    not_after: datetime,
) -> x509.CertificateBuilder:
    """What every certificate below a root has. Raises: UntrustedCertificate for one that could never be accepted."""
    issuer_key = _p256(issuer.public_key())
    if keys.spki(issuer_key) != keys.spki(signer.public_key):
        raise UntrustedCertificate("The signer does not hold the key of the issuing certificate.")
    if not_before < issuer.not_valid_before_utc or not_after > issuer.not_valid_after_utc:
        raise UntrustedCertificate("A certificate cannot be valid longer than the one that issues it.")
    builder = _builder(subject, public_key, issuer.subject, serial, not_before, not_after)
    return _with_key_identifiers(builder, public_key, issuer_key)


def _with_key_identifiers(
    builder: x509.CertificateBuilder, own: ec.EllipticCurvePublicKey, issuer: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(own), critical=False)
    return builder.add_extension(authority, critical=False)


def _with_authority_extensions(builder: x509.CertificateBuilder, path_length: int) -> x509.CertificateBuilder:
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
    return builder.add_extension(authority_key_usage(), critical=True)


def _with_profile(
    builder: x509.CertificateBuilder, purpose: CertificatePurpose, bearer: UUID | None
) -> x509.CertificateBuilder:
    profile = purpose.profile
    policy = x509.PolicyInformation(profile.policy, None)
    builder = (
        builder.add_extension(profile.key_usage(), critical=True)
        .add_extension(x509.ExtendedKeyUsage([profile.extended_usage]), critical=profile.extended_usage_critical)
        .add_extension(x509.CertificatePolicies([policy]), critical=False)
    )
    if bearer is None:
        return builder
    # critical because the subject is empty (RFC 5280 4.2.1.6)
    name = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(bearer.urn)])
    return builder.add_extension(name, critical=True)


def _sign(builder: x509.CertificateBuilder, signer: Signer) -> x509.Certificate:
    if signer.algorithm is not Algorithm.ES256:
        raise MalformedMessage("Certificates are signed with P-256 keys.")
    to_be_signed = builder.sign(_STAND_IN, hashes.SHA256()).tbs_certificate_bytes
    signature = keys.raw_to_der(signer.sign(to_be_signed))
    algorithm = der.encode(der.SEQUENCE, der.oid(ECDSA_WITH_SHA256))
    bits = der.encode(0x03, b"\x00", signature)  # X.690 8.6: BIT STRING, no unused bits
    certificate = x509.load_der_x509_certificate(der.encode(der.SEQUENCE, to_be_signed, algorithm, bits))
    # a signer of the wrong key would be found out only in the street
    _p256(signer.public_key).verify(signature, to_be_signed, ec.ECDSA(hashes.SHA256()))
    return certificate
