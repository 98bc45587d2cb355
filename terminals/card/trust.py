"""What makes a PIV card believable, whoever issued it: its CHUID's signature, one identity, issuers, revocation lists.

Strangers' cards are read by the standard, not by the city's own narrower profile: RSA and P-384 count, a list without a
number is a list. Nothing here talks to a card.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from crypto.errors import CryptoError
from crypto.pki import PathRules, check_security_object, verify_path
from crypto.pki.signed_data import check_signed_data, read_signed_data, signer_certificate
from terminals.card.errors import CardError, MalformedResponse
from terminals.card.keys import Slot
from terminals.card.objects import Chuid, DataObject

FASC_N: Final = x509.ObjectIdentifier("2.16.840.1.101.3.6.6")  # SP 800-73-5 Part 1, 3.1.2: in subjectAltName
CONTENT_SIGNING: Final = x509.ObjectIdentifier("2.16.840.1.101.3.6.7")
_OCTETS_OF_FASC_N: Final = bytes.fromhex("0419")  # DER: an octet string of 25 bytes
_ANYBODYS: Final = PathRules(conforming=False)


class CheckFailed(CardError):
    """The card answered well, but what it holds does not fit together. `reason` is the sentence, `fault` one word."""

    code = "card_check_failed"

    def __init__(self, reason: str, fault: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Trust:
    """What the checker was given. Without authorities issuers are named, not believed; lists are DER."""

    authorities: tuple[x509.Certificate, ...] = ()
    intermediates: tuple[x509.Certificate, ...] = ()
    revocation_lists: tuple[x509.CertificateRevocationList, ...] = field(default=(), repr=False)

    def path(self, certificate: x509.Certificate, what: str, at: datetime) -> tuple[x509.Certificate, ...]:
        """From the certificate to an authority. Raises: CheckFailed."""
        try:
            return verify_path(certificate, self.intermediates, self.authorities, at, rules=_ANYBODYS).path
        except CryptoError as error:
            # An authority that was named need not say of itself that it is one: old roots do not (RFC 5280 6.1).
            for authority in self.authorities:
                if _is_silent_issuer(authority, certificate, at):
                    return certificate, authority
            raise CheckFailed(
                f"The {what} certificate was not issued by the given authority: {error}", "untrusted_issuer"
            ) from error

    def check_revocation(self, path: Sequence[x509.Certificate], what: str, at: datetime) -> None:
        """Raises: CheckFailed: one of the path is on its issuer's list, or no fresh list of that issuer was given."""
        if not self.revocation_lists:
            return
        for certificate, issuer in itertools.pairwise(path):
            found = [one for one in self.revocation_lists if _is_list_of(one, issuer, at)]
            if not found:
                named = issuer.subject.rfc4514_string()
                raise CheckFailed(f"No fresh revocation list of {named} was given.", "revocation_unknown")
            if any(one.get_revoked_certificate_by_serial_number(certificate.serial_number) for one in found):
                raise CheckFailed(
                    f"The {what} certificate was revoked; keep the card and report it.", "certificate_revoked"
                )


def _is_silent_issuer(authority: x509.Certificate, certificate: x509.Certificate, at: datetime) -> bool:
    if any(isinstance(extension.value, x509.BasicConstraints) for extension in authority.extensions):
        return False
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return authority.not_valid_before_utc <= at <= authority.not_valid_after_utc


def _is_list_of(found: x509.CertificateRevocationList, issuer: x509.Certificate, at: datetime) -> bool:
    """A whole, fresh list that this issuer signed. Partial and indirect ones say so in a critical extension."""
    key = issuer.public_key()
    if found.issuer != issuer.subject or not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        return False
    if any(extension.critical for extension in found.extensions):
        return False
    due = found.next_update_utc
    return found.last_update_utc <= at and (due is None or at <= due) and found.is_signature_valid(key)


def check_chuid(chuid: Chuid, trust: Trust, at: datetime) -> x509.Certificate | None:
    """The content signer that signed the CHUID; None for one without a signature, which says nothing by itself.

    Raises: CheckFailed.
    """
    if not chuid.signature:
        return None
    try:
        signed = read_signed_data(chuid.signature)
        signer = signer_certificate(signed)
        check_signed_data(signed, chuid.signed_content, signer)
    except CryptoError as error:
        raise CheckFailed(
            f"The CHUID's signature does not hold ({error}) Keep the card and report it.", "chuid_signature"
        ) from error
    if trust.authorities:
        path = trust.path(signer, "content signer's", at)
        trust.check_revocation(path, "content signer's", at)
        if CONTENT_SIGNING not in _purposes(signer):
            raise CheckFailed("The CHUID was signed by a certificate that is not for that.", "chuid_signature")
    return signer


def check_vouched(content: bytes, objects: Mapping[DataObject, bytes], signer: x509.Certificate) -> frozenset[int]:
    """Which objects the security object vouches for. Raises: CheckFailed."""
    by_tag = {int.from_bytes(item.value): value for item, value in objects.items()}
    try:
        return check_security_object(content, by_tag, signer)
    except CryptoError as error:
        raise CheckFailed(f"The security object does not hold: {error}", "security_object") from error


def read_certificate(der: bytes, slot: Slot) -> x509.Certificate:
    """Raises: CheckFailed."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        _ = certificate.extensions, certificate.public_key()
    except ValueError:
        raise CheckFailed(
            f"The {slot.title} certificate cannot be read or names no card; replace it.", "certificate_unreadable"
        ) from None
    return certificate


def check_identity(certificate: x509.Certificate, slot: Slot, chuid: Chuid) -> None:
    """One card, one identity: FASC-N and UUID are those of the CHUID wherever they stand (FIPS 201-3, 4.2.1).

    9A and 9E must name the card by one of them. What signs documents names a person: its FASC-N is enough, and its UUID
    is looked at where that is all it has. Raises: CheckFailed.
    """
    fasc_ns, uuids = _identifiers(certificate)
    if slot is Slot.SIGNATURE and fasc_ns:
        uuids = []
    if any(one != chuid.fascn for one in fasc_ns) or any(one != chuid.guid for one in uuids):
        raise CheckFailed(
            f"The {slot.title} certificate belongs to another card; keep this one and report it.", "identifier_mismatch"
        )
    if slot is not Slot.SIGNATURE and not fasc_ns and not uuids:
        raise CheckFailed(
            f"The {slot.title} certificate cannot be read or names no card; replace it.", "identifier_missing"
        )


def _identifiers(certificate: x509.Certificate) -> tuple[list[bytes], list[UUID]]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return [], []
    others = [name for name in names if isinstance(name, x509.OtherName) and name.type_id == FASC_N]
    fasc_ns = [name.value.removeprefix(_OCTETS_OF_FASC_N) for name in others]
    return fasc_ns, [_uuid(urn) for urn in names.get_values_for_type(x509.UniformResourceIdentifier) if _is_uuid(urn)]


def _is_uuid(urn: str) -> bool:
    return urn.lower().startswith("urn:uuid:")


def _uuid(urn: str) -> UUID:
    try:
        return UUID(urn)
    except ValueError:
        raise MalformedResponse("a certificate whose UUID cannot be read") from None


def _purposes(certificate: x509.Certificate) -> list[x509.ObjectIdentifier]:
    try:
        return list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return []
