"""Reading anybody's CMS SignedData (RFC 5652 5) with one signer, as PIV cards carry it: CHUID, security object.

What the city writes is narrower; `cms` makes and verifies that. Here RSA and the larger curves count too. Whether the
signer's certificate counts is the caller's: `verify_path` answers it.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature as LibraryInvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from crypto.errors import InvalidSignature, MalformedMessage, UntrustedCertificate
from crypto.pki import der
from crypto.pki.certificates import load_certificate
from crypto.pki.signatures import check_key

BYTES_MAX = 65_536
_CERTIFICATES_MAX = 8
_SIGNED_DATA = "1.2.840.113549.1.7.2"
_CONTENT_TYPE = "1.2.840.113549.1.9.3"  # RFC 5652 11.1
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"  # RFC 5652 11.2
SIGNER_NAME = "2.16.840.1.101.3.6.5"  # SP 800-73-5 Part 1, pivSigner-DN
_KEY_ID = 0x80  # RFC 5652 5.3: SignerIdentifier
_LISTS = 0xA1
# RFC 5754 2
_HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "2.16.840.1.101.3.4.2.1": hashes.SHA256(),
    "2.16.840.1.101.3.4.2.2": hashes.SHA384(),
    "2.16.840.1.101.3.4.2.3": hashes.SHA512(),
}
# RFC 5754 3.2 and 3.3: the hash that a signature algorithm names; the bare RSA key's takes the digest's
_RSA_ENCRYPTION = "1.2.840.113549.1.1.1"
_RSA: Mapping[str, str | None] = {
    _RSA_ENCRYPTION: None,
    "1.2.840.113549.1.1.11": "2.16.840.1.101.3.4.2.1",
    "1.2.840.113549.1.1.12": "2.16.840.1.101.3.4.2.2",
    "1.2.840.113549.1.1.13": "2.16.840.1.101.3.4.2.3",
}
_ECDSA: Mapping[str, str] = {
    "1.2.840.10045.4.3.2": "2.16.840.1.101.3.4.2.1",
    "1.2.840.10045.4.3.3": "2.16.840.1.101.3.4.2.2",
    "1.2.840.10045.4.3.4": "2.16.840.1.101.3.4.2.3",
}


@dataclass(frozen=True, slots=True)
class SignedData:
    """One signer's statement. `content` is None when it is detached; `signed` are the attributes as they are signed."""

    content_type: str
    content: bytes | None
    certificates: tuple[x509.Certificate, ...]
    signer: bytes  # the encoded issuer and serial number, or key identifier
    digest: str
    attributes: Mapping[str, bytes]  # the one encoded value of each
    signed: bytes
    algorithm: str
    signature: bytes

    def names(self, certificate: x509.Certificate) -> bool:
        """Whether this is the signer's certificate (RFC 5652 5.3)."""
        named = certificate.issuer.public_bytes(), der.integer(certificate.serial_number)
        if self.signer == der.encode(der.SEQUENCE, *named):
            return True
        own = [
            item.value.digest for item in certificate.extensions if isinstance(item.value, x509.SubjectKeyIdentifier)
        ]
        return bool(own) and self.signer == der.encode(_KEY_ID, own[0])


def read_signed_data(message: bytes) -> SignedData:
    """Nothing verified. Raises: MalformedMessage."""
    if len(message) > BYTES_MAX:
        raise MalformedMessage(f"A signature of more than {BYTES_MAX} bytes is not read here.")
    match der.read_all(der.read_only(message, der.SEQUENCE).content):
        case [kind, wrapped] if der.dotted(kind) == _SIGNED_DATA and wrapped.tag == der.CONTEXT_0:
            parts = der.read_all(der.read_only(wrapped.content, der.SEQUENCE).content)
        case _:
            raise MalformedMessage("The signature is not a CMS SignedData.")
    certificates = [part for part in parts if part.tag == der.CONTEXT_0]
    rest = [part for part in parts if part.tag not in (der.CONTEXT_0, _LISTS)]
    match rest:
        case [version, digests, encapsulated, signers] if (
            version.tag == der.INTEGER and digests.tag == der.SET and signers.tag == der.SET and len(certificates) < 2  # noqa: PLR2004
        ):
            content_type, content = _read_content(encapsulated)
            carried = _read_certificates(certificates[0].content if certificates else b"")
            return _read_signer(der.read_only(signers.content, der.SEQUENCE), content_type, content, carried)
    raise MalformedMessage("The signature has not the parts of a SignedData.")


def check_signed_data(data: SignedData, content: bytes, certificate: x509.Certificate) -> None:
    """Raises: InvalidSignature when `certificate` did not sign `content`, UntrustedCertificate for a weak key."""
    if not data.names(certificate):
        raise InvalidSignature("The signature names another signer than this certificate.")
    digest = _HASHES.get(data.digest)
    if digest is None:
        raise InvalidSignature("The signature is over a hash that does not count.")
    hashed = der.encode(der.OCTET_STRING, hashlib.new(digest.name, content).digest())
    if data.attributes.get(_CONTENT_TYPE) != der.oid(data.content_type):
        raise InvalidSignature("The signature is over another type of content.")
    if not hmac.compare_digest(data.attributes.get(_MESSAGE_DIGEST, b""), hashed):
        raise InvalidSignature("The content was changed after it was signed.")
    key = check_key(certificate.public_key())
    try:
        if isinstance(key, rsa.RSAPublicKey) and _RSA.get(data.algorithm, "") in (None, data.digest):
            key.verify(data.signature, data.signed, padding.PKCS1v15(), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey) and _ECDSA.get(data.algorithm) == data.digest:
            key.verify(data.signature, data.signed, ec.ECDSA(digest))
        else:
            raise InvalidSignature("The signature is of a kind that does not count, or not of the signer's key.")
    except LibraryInvalidSignature as error:
        raise InvalidSignature("The signature was not made by this certificate's key.") from error


def signer_certificate(data: SignedData) -> x509.Certificate:
    """The carried certificate that the signature names. Raises: UntrustedCertificate."""
    for certificate in data.certificates:
        if data.names(certificate):
            return certificate
    raise UntrustedCertificate("The signature does not carry its signer's certificate.")


def _read_content(encapsulated: der.Element) -> tuple[str, bytes | None]:
    match der.read_all(der.read_only(encapsulated.raw, der.SEQUENCE).content):
        case [kind]:
            return der.dotted(kind), None
        case [kind, wrapped] if wrapped.tag == der.CONTEXT_0:
            return der.dotted(kind), der.read_only(wrapped.content, der.OCTET_STRING).content
    raise MalformedMessage("The signature's content is malformed.")


def _read_certificates(content: bytes) -> tuple[x509.Certificate, ...]:
    elements = der.read_all(content)
    if len(elements) > _CERTIFICATES_MAX:
        raise MalformedMessage(f"The signature carries more than {_CERTIFICATES_MAX} certificates.")
    return tuple(load_certificate(element.raw) for element in elements)


def _read_signer(
    info: der.Element, content_type: str, content: bytes | None, certificates: tuple[x509.Certificate, ...]
) -> SignedData:
    match der.read_all(info.content):
        case [version, signer, digest, attributes, algorithm, signature, *_] if (
            version.tag == der.INTEGER
            and signer.tag in (der.SEQUENCE, _KEY_ID)
            and attributes.tag == der.CONTEXT_0
            and signature.tag == der.OCTET_STRING
        ):
            return SignedData(
                content_type=content_type,
                content=content,
                certificates=certificates,
                signer=signer.raw,
                digest=_algorithm(digest),
                attributes=_read_attributes(attributes.content),
                signed=der.encode(der.SET, attributes.content),
                algorithm=_algorithm(algorithm),
                signature=signature.content,
            )
    raise MalformedMessage("The signer's information is malformed or has no signed attributes.")


def _algorithm(element: der.Element) -> str:
    return der.dotted(der.read(der.read_only(element.raw, der.SEQUENCE).content)[0])


def _read_attributes(content: bytes) -> dict[str, bytes]:
    attributes: dict[str, bytes] = {}
    elements = der.read_all(content)
    for element in elements:
        kind, values = der.read(der.read_only(element.raw, der.SEQUENCE).content)
        attributes[der.dotted(kind)] = der.read_only(values, der.SET).content
    if len(attributes) != len(elements):
        raise MalformedMessage("A signed attribute is repeated.")
    return attributes
