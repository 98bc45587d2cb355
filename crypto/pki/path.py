"""Deciding whether a certificate counts: pinned authorities, at most three certificates, everything checked.

What stands above the bearer's certificate comes from the caller's own list and never from the message, so there is no
path to search, no loop, and no more work than the list is long. Revocation is the caller's: the service knows its
cards, terminals have the policy's deny list.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cryptography import x509
from cryptography.exceptions import InvalidSignature as LibraryInvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID

from crypto.errors import UntrustedCertificate
from crypto.pki.certificates import ECDSA_WITH_SHA256, UNREADABLE
from crypto.pki.profiles import CertificatePurpose, authority_key_usage

DEPTH_MAX = 3  # bearer, authority, root
AUTHORITIES_MAX = 64

_UNDERSTOOD = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    }
)


@dataclass(frozen=True, slots=True)
class VerifiedCertificate:
    """A certificate that counts for the purpose. `bearer_id` is the card or terminal it names.

    A content signer names neither: None. `path` begins with the certificate itself and ends with the pinned authority
    that was trusted.
    """

    certificate: x509.Certificate
    purpose: CertificatePurpose
    public_key: ec.EllipticCurvePublicKey
    bearer_id: UUID | None
    path: tuple[x509.Certificate, ...]


def verify_chain(
    certificate: x509.Certificate,
    authorities: Sequence[x509.Certificate],
    at: datetime,
    purpose: CertificatePurpose,
) -> VerifiedCertificate:
    """Return the certificate when it is good for `purpose` at the time `at` (with its zone) under pinned authorities.

    An authority whose own issuer is pinned too must verify under it; one that is pinned alone is trusted for itself.

    Raises: UntrustedCertificate with the first fault that was found.
    """
    if len(authorities) > AUTHORITIES_MAX:
        raise UntrustedCertificate(f"At most {AUTHORITIES_MAX} authorities can be pinned.")
    try:
        key = _check_any(certificate, at)
        bearer_id = _check_bearer(certificate, purpose)
        path = (certificate, *_climb(certificate, authorities, at, below=0))
    except UNREADABLE as error:
        raise UntrustedCertificate(
            f"The certificate lacks or repeats an extension, or holds a bad one: {error}"
        ) from error
    return VerifiedCertificate(certificate, purpose, key, bearer_id, path)


def _climb(
    certificate: x509.Certificate, authorities: Sequence[x509.Certificate], at: datetime, below: int
) -> tuple[x509.Certificate, ...]:
    """The pinned authorities above; `below` counts authorities already passed."""
    if below + 2 > DEPTH_MAX:
        raise UntrustedCertificate(f"The path is longer than {DEPTH_MAX} certificates.")
    fault = UntrustedCertificate("The certificate was not issued by a pinned authority.")
    for authority in authorities:
        if not _names_as_issuer(certificate, authority):
            continue
        try:
            _check_authority(authority, at, below)
            _check_signature(certificate, authority)
            if _is_anchor(authority, authorities):
                return (authority,)
            return (authority, *_climb(authority, authorities, at, below + 1))
        except UntrustedCertificate as error:
            fault = error  # another pinned certificate of the same name and key may do
    raise fault


def _is_anchor(authority: x509.Certificate, authorities: Sequence[x509.Certificate]) -> bool:
    if authority.subject == authority.issuer:
        return True
    return not any(_names_as_issuer(authority, other) for other in authorities)


def _names_as_issuer(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """By name and key identifier (RFC 5280 4.2.1.1): two authorities may share a name."""
    wanted = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    offered = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    return certificate.issuer == authority.subject and wanted == offered


def _check_any(certificate: x509.Certificate, at: datetime) -> ec.EllipticCurvePublicKey:
    if certificate.version is not x509.Version.v3:
        raise UntrustedCertificate("The certificate is not of version 3.")
    if certificate.signature_algorithm_oid.dotted_string != ECDSA_WITH_SHA256:
        raise UntrustedCertificate("The certificate is not signed with ECDSA and SHA-256.")
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise UntrustedCertificate("The certificate is not yet valid, or has expired.")
    for extension in certificate.extensions:
        if extension.critical and extension.oid not in _UNDERSTOOD:
            raise UntrustedCertificate("The certificate has a critical extension that is not understood here.")
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise UntrustedCertificate("The certificate's key is not on P-256.")
    return key


def _check_authority(authority: x509.Certificate, at: datetime, below: int) -> None:
    _check_any(authority, at)
    constraints = authority.extensions.get_extension_for_class(x509.BasicConstraints)
    if not constraints.value.ca or not constraints.critical:
        raise UntrustedCertificate("The issuing certificate is not an authority's.")
    if constraints.value.path_length is not None and constraints.value.path_length < below:
        raise UntrustedCertificate("An authority on the path may not have authorities below it.")
    usage = authority.extensions.get_extension_for_class(x509.KeyUsage)
    if usage.value != authority_key_usage() or not usage.critical:
        raise UntrustedCertificate("The issuing certificate's key usage is not that of an authority.")


def _check_signature(certificate: x509.Certificate, authority: x509.Certificate) -> None:
    try:
        certificate.verify_directly_issued_by(authority)
    except (LibraryInvalidSignature, TypeError, ValueError) as error:
        raise UntrustedCertificate("The certificate's signature was not made by its issuer.") from error


def _check_bearer(certificate: x509.Certificate, purpose: CertificatePurpose) -> UUID | None:
    """Everything the profile asks of the bearer's own certificate."""
    profile, extensions = purpose.profile, certificate.extensions
    if any(isinstance(item.value, x509.BasicConstraints) and item.value.ca for item in extensions):
        raise UntrustedCertificate("An authority's certificate is no bearer's.")
    usage = extensions.get_extension_for_class(x509.KeyUsage)
    if usage.value != profile.key_usage() or not usage.critical:
        raise UntrustedCertificate("The certificate's key usage is not that of this purpose.")
    extended = extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    if list(extended.value) != [profile.extended_usage] or extended.critical != profile.extended_usage_critical:
        raise UntrustedCertificate("The certificate's extended key usage is not that of this purpose.")
    policies = extensions.get_extension_for_class(x509.CertificatePolicies).value
    if [item.policy_identifier for item in policies] != [profile.policy]:
        raise UntrustedCertificate("The certificate's policy is not that of this purpose.")
    return _bearer_id(certificate) if profile.names_bearer else None


def _bearer_id(certificate: x509.Certificate) -> UUID:
    names = list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    if len(names) != 1 or not isinstance(names[0], x509.UniformResourceIdentifier):
        raise UntrustedCertificate("The certificate names something else than one card or terminal.")
    try:
        bearer_id = UUID(names[0].value.removeprefix("urn:uuid:"))
    except ValueError as error:
        raise UntrustedCertificate("The certificate's name is not a UUID.") from error
    if bearer_id.urn != names[0].value:
        raise UntrustedCertificate("The certificate's name is not a UUID in its one spelling.")
    return bearer_id
