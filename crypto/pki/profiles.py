"""What each kind of certificate says, once: the creator writes it and the verifier asks for it.

Evolution: append only. A policy number is never used again.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

# ITU-T X.667: an arc below 2.25 that belongs to whoever drew the UUID, 8b0c2f5e-6d1a-4c3b-9f27-51d3c0a4e796
_CITY_ARC = "2.25.184825959730870030376044622886337832854"

EKU_CARD_AUTHENTICATION = ObjectIdentifier("2.16.840.1.101.3.6.8")  # FIPS 201-3, id-PIV-cardAuth
EKU_CONTENT_SIGNING = ObjectIdentifier("2.16.840.1.101.3.6.7")  # FIPS 201-3, id-PIV-content-signing
EKU_DOCUMENT_SIGNING = ObjectIdentifier("1.3.6.1.5.5.7.3.36")  # RFC 9336


@dataclass(frozen=True, slots=True)
class Profile:
    """Key usage is critical and exactly this; `names_bearer` asks for one `urn:uuid:` subject alternative name."""

    policy: ObjectIdentifier
    extended_usage: ObjectIdentifier
    extended_usage_critical: bool
    non_repudiation: bool
    names_bearer: bool

    def key_usage(self) -> x509.KeyUsage:
        return _key_usage(signs=True, consents=self.non_repudiation)


def _profile(
    number: int, extended_usage: ObjectIdentifier, *, critical: bool, consents: bool = False, bearer: bool = True
) -> Profile:
    return Profile(ObjectIdentifier(f"{_CITY_ARC}.1.{number}"), extended_usage, critical, consents, bearer)


class CertificatePurpose(Enum):
    """What a certificate is good for; exactly one each."""

    CARD_AUTHENTICATION = _profile(1, ExtendedKeyUsageOID.CLIENT_AUTH, critical=False)
    CARD_SIGNATURE = _profile(2, EKU_DOCUMENT_SIGNING, critical=False, consents=True)
    CARD_PRESENCE = _profile(3, EKU_CARD_AUTHENTICATION, critical=True)
    TERMINAL = _profile(4, ExtendedKeyUsageOID.CLIENT_AUTH, critical=True)
    CONTENT_SIGNING = _profile(5, EKU_CONTENT_SIGNING, critical=True, bearer=False)

    @property
    def profile(self) -> Profile:
        return self.value


class CardSlot(IntEnum):
    """Key references of the PIV card (SP 800-73-5 Part 1, Table 4a)."""

    AUTHENTICATION = 0x9A
    SIGNATURE = 0x9C
    CARD_AUTH = 0x9E

    @property
    def purpose(self) -> CertificatePurpose:
        """What the certificate of this key is good for."""
        return _PURPOSE_OF_SLOT[self]


_PURPOSE_OF_SLOT = {
    CardSlot.AUTHENTICATION: CertificatePurpose.CARD_AUTHENTICATION,
    CardSlot.SIGNATURE: CertificatePurpose.CARD_SIGNATURE,
    CardSlot.CARD_AUTH: CertificatePurpose.CARD_PRESENCE,
}


def authority_key_usage() -> x509.KeyUsage:
    """Signs certificates and revocation lists, nothing else."""
    return _key_usage(certifies=True)


def _key_usage(*, signs: bool = False, consents: bool = False, certifies: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs,
        content_commitment=consents,  # X.509's later name for nonRepudiation
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certifies,
        crl_sign=certifies,
        encipher_only=False,
        decipher_only=False,
    )
