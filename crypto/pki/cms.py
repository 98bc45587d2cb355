"""A detached CMS SignedData (RFC 5652 5) as a CHUID carries it: one signer, one certificate, three attributes."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from crypto import keys
from crypto.errors import InvalidSignature, MalformedMessage, UntrustedCertificate
from crypto.keys import Signer
from crypto.pki import der
from crypto.pki.certificates import ECDSA_WITH_SHA256, load_certificate, to_der
from crypto.pki.path import VerifiedCertificate, verify_chain
from crypto.pki.profiles import CertificatePurpose

_SIGNED_DATA = der.oid("1.2.840.113549.1.7.2")  # RFC 5652 5.1
_SHA256 = der.encode(der.SEQUENCE, der.oid("2.16.840.1.101.3.4.2.1"))  # RFC 5754 2.2: parameters absent
_ECDSA_SHA256 = der.encode(der.SEQUENCE, der.oid(ECDSA_WITH_SHA256))
_CONTENT_TYPE = der.oid("1.2.840.113549.1.9.3")  # RFC 5652 11.1
_MESSAGE_DIGEST = der.oid("1.2.840.113549.1.9.4")  # RFC 5652 11.2
_SIGNER_NAME = der.oid("2.16.840.1.101.3.6.5")  # SP 800-73-5 Part 1, pivSigner-DN
CHUID_CONTENT = "2.16.840.1.101.3.6.1"  # SP 800-73-5 Part 1, id-PIV-CHUIDSecurityObject


@dataclass(frozen=True, slots=True)
class _SignerInfo:
    certificate: x509.Certificate
    attributes: dict[bytes, bytes]  # encoded type -> the one encoded value
    signed: bytes  # the attributes as they are signed, with the tag of a SET
    signature: bytes


def sign(
    content: bytes,
    content_type: str,
    certificate: x509.Certificate,
    signer: Signer,
    attributes: Mapping[str, bytes] | None = None,
) -> bytes:
    """The SignedData over a content that it does not contain; it carries the signer's certificate.

    `attributes` are signed too: the encoded value of each.
    """
    carried = [der.encode(der.CONTEXT_0, to_der(certificate))]
    more = [_attribute(der.oid(kind), value) for kind, value in (attributes or {}).items()]
    more.append(_attribute(_SIGNER_NAME, certificate.subject.public_bytes()))
    signer_info = _signer_info(content, content_type, certificate, signer, more)
    return _signed_data(der.encode(der.SEQUENCE, der.oid(content_type)), carried, signer_info)


def sign_enclosed(content: bytes, content_type: str, certificate: x509.Certificate, signer: Signer) -> bytes:
    """The SignedData that contains its content and not the certificate, which is found elsewhere."""
    enclosed = der.encode(der.CONTEXT_0, der.encode(der.OCTET_STRING, content))
    signer_info = _signer_info(content, content_type, certificate, signer, [])
    return _signed_data(der.encode(der.SEQUENCE, der.oid(content_type), enclosed), [], signer_info)


def _signer_info(
    content: bytes, content_type: str, certificate: x509.Certificate, signer: Signer, more: list[bytes]
) -> bytes:
    attributes = [
        _attribute(_CONTENT_TYPE, der.oid(content_type)),
        _attribute(_MESSAGE_DIGEST, der.encode(der.OCTET_STRING, hashlib.sha256(content).digest())),
        *more,
    ]
    signed = der.encode(der.SET, *sorted(attributes))  # X.690 11.6
    signature = keys.raw_to_der(signer.sign(signed))
    issuer = der.encode(der.SEQUENCE, certificate.issuer.public_bytes(), der.integer(certificate.serial_number))
    return der.encode(
        der.SEQUENCE,
        der.integer(1),  # RFC 5652 5.3: the signer is named by issuer and serial number
        issuer,
        _SHA256,
        bytes((der.CONTEXT_0,)) + signed[1:],
        _ECDSA_SHA256,
        der.encode(der.OCTET_STRING, signature),
    )


def _signed_data(encapsulated: bytes, certificates: list[bytes], signer_info: bytes) -> bytes:
    signed_data = der.encode(
        der.SEQUENCE,
        der.integer(3),  # RFC 5652 5.1: the content is not plain data
        der.encode(der.SET, _SHA256),
        encapsulated,
        *certificates,
        der.encode(der.SET, signer_info),
    )
    return der.encode(der.SEQUENCE, _SIGNED_DATA, der.encode(der.CONTEXT_0, signed_data))


def verify(
    message: bytes, content: bytes, content_type: str, authorities: Sequence[x509.Certificate], at: datetime
) -> VerifiedCertificate:
    """Return the content signer when it signed the content and its certificate counts at `at`.

    Raises: MalformedMessage, InvalidSignature, UntrustedCertificate.
    """
    info = _read(message, content_type)
    digest = der.encode(der.OCTET_STRING, hashlib.sha256(content).digest())
    if info.attributes.get(_CONTENT_TYPE) != der.oid(content_type):
        raise InvalidSignature("The signature is over another type of content.")
    if not hmac.compare_digest(info.attributes.get(_MESSAGE_DIGEST, b""), digest):
        raise InvalidSignature("The content was changed after it was signed.")
    if info.attributes.get(_SIGNER_NAME) != info.certificate.subject.public_bytes():
        raise UntrustedCertificate("The signature names another signer than its certificate.")
    verified = verify_chain(info.certificate, authorities, at, CertificatePurpose.CONTENT_SIGNING)
    keys.verify(verified.public_key, info.signed, keys.der_to_raw(info.signature))
    return verified


def _attribute(kind: bytes, value: bytes) -> bytes:
    return der.encode(der.SEQUENCE, kind, der.encode(der.SET, value))


def _read(message: bytes, content_type: str) -> _SignerInfo:
    match der.read_all(der.read_only(message, der.SEQUENCE).content):
        case [kind, enclosed] if kind.raw == _SIGNED_DATA and enclosed.tag == der.CONTEXT_0:
            signed_data = der.read_only(enclosed.content, der.SEQUENCE)
        case _:
            raise MalformedMessage("The CHUID's signature is not a CMS SignedData.")
    match der.read_all(signed_data.content):
        case [version, digests, encapsulated, certificates, signers] if (
            version.raw == der.integer(3)
            and digests.raw == der.encode(der.SET, _SHA256)
            and encapsulated.raw == der.encode(der.SEQUENCE, der.oid(content_type))
            and certificates.tag == der.CONTEXT_0
            and signers.tag == der.SET
        ):
            certificate = load_certificate(certificates.content)
            return _read_signer(der.read_only(signers.content, der.SEQUENCE).content, certificate)
    raise MalformedMessage("The CHUID's signature is not in the form that the city writes.")


def _read_signer(content: bytes, certificate: x509.Certificate) -> _SignerInfo:
    issuer = der.encode(der.SEQUENCE, certificate.issuer.public_bytes(), der.integer(certificate.serial_number))
    match der.read_all(content):
        case [version, named, digest, attributes, algorithm, signature] if (
            version.raw == der.integer(1)
            and named.raw == issuer
            and digest.raw == _SHA256
            and attributes.tag == der.CONTEXT_0
            and algorithm.raw == _ECDSA_SHA256
            and signature.tag == der.OCTET_STRING
        ):
            signed = der.encode(der.SET, attributes.content)
            return _SignerInfo(certificate, _read_attributes(attributes.content), signed, signature.content)
    raise MalformedMessage("The CHUID's signer information is not in the form that the city writes.")


def _read_attributes(content: bytes) -> dict[bytes, bytes]:
    attributes: dict[bytes, bytes] = {}
    elements = der.read_all(content)
    for element in elements:
        kind, values = der.read(element.content, der.OBJECT_IDENTIFIER)
        attributes[kind.raw] = der.read_only(values, der.SET).content
    if len(attributes) != len(elements) or [item.raw for item in elements] != sorted(item.raw for item in elements):
        raise MalformedMessage("The signed attributes repeat or are out of order.")
    return attributes
