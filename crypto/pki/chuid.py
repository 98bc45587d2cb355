"""The CHUID, the card holder unique identifier of a PIV card (SP 800-73-5 Part 1, 3.1.2 and Table 9).

It tells which card this may be; anyone can copy it, so it proves nothing without a challenge to the card's 9E key.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from cryptography import x509

from crypto.errors import MalformedMessage, UntrustedCertificate
from crypto.keys import Signer
from crypto.pki import cms, der
from crypto.pki.signed_data import SIGNER_NAME, check_signed_data, read_signed_data, signer_certificate

# SP 800-73-5 Part 1: the FASC-N of an issuer that is no US agency (9999 9999 999999 ...), as all such cards carry it
FOREIGN_FASC_N = bytes.fromhex("D4E739DA739CED39CE739D836858210842108421C84210C3EB")

_BUFFER_LENGTH = 0xEE
_FASC_N = 0x30
_ORGANISATION = 0x32
_DUNS = 0x33
_GUID = 0x34
_EXPIRY = 0x35
_CARDHOLDER = 0x36
_KEY_MAP = 0x3D
_SIGNATURE = 0x3E
_END = 0xFE
_LENGTHS = {_FASC_N: 25, _GUID: 16, _EXPIRY: 8, _CARDHOLDER: 16, _END: 0}
_REQUIRED = frozenset({_FASC_N, _GUID, _EXPIRY, _SIGNATURE, _END})
# with the elements that older editions of the standard had, which foreign cards still carry
_ORDER = (
    _BUFFER_LENGTH,
    _FASC_N,
    _ORGANISATION,
    _DUNS,
    _GUID,
    _EXPIRY,
    _CARDHOLDER,
    _KEY_MAP,
    _SIGNATURE,
    _END,
)


@dataclass(frozen=True, slots=True)
class Chuid:
    """What a CHUID says. `guid` is the card id; `signed` is what `signature` (CMS, empty on a test card) is over."""

    fasc_n: bytes
    guid: UUID
    expires_on: date
    cardholder_id: UUID | None
    signature: bytes
    signed: bytes


def build_chuid(card_id: UUID, expires_on: date, *, certificate: x509.Certificate, signer: Signer) -> bytes:
    """The content of the CHUID object (inside its tag 53), signed by the city's content signer.

    Raises: UntrustedCertificate when the card would outlive the content signer.
    """
    if expires_on > certificate.not_valid_after_utc.date():
        raise UntrustedCertificate("The content signer's certificate must be valid at least as long as the card.")
    parts = [
        der.encode(_FASC_N, FOREIGN_FASC_N),
        der.encode(_GUID, card_id.bytes),
        der.encode(_EXPIRY, expires_on.strftime("%Y%m%d").encode("ascii")),
    ]
    end = der.encode(_END)
    # the signature is over all elements but itself, the empty last one included (SP 800-73-5 Part 1, 3.1.2.1)
    signature = cms.sign(b"".join(parts) + end, cms.CHUID_CONTENT, certificate, signer)
    return b"".join(parts) + der.encode(_SIGNATURE, signature) + end


def read_chuid(data: bytes) -> Chuid:
    """Take a CHUID apart, nothing verified; a foreign card's too. Raises: MalformedMessage."""
    elements = der.read_all(data)
    tags = [element.tag for element in elements]
    contents = {element.tag: element.content for element in elements}
    if tags != [tag for tag in _ORDER if tag in contents]:
        raise MalformedMessage("The CHUID's elements repeat, are unknown or out of order.")
    if not contents.keys() >= _REQUIRED:
        raise MalformedMessage("The CHUID lacks an element.")
    if any(len(contents.get(tag, bytes(length))) != length for tag, length in _LENGTHS.items()):
        raise MalformedMessage("An element of the CHUID is too long or too short.")
    cardholder = contents.get(_CARDHOLDER)
    return Chuid(
        fasc_n=contents[_FASC_N],
        guid=UUID(bytes=contents[_GUID]),
        expires_on=_read_date(contents[_EXPIRY]),
        cardholder_id=UUID(bytes=cardholder) if cardholder else None,
        signature=contents[_SIGNATURE],
        signed=b"".join(element.raw for element in elements if element.tag != _SIGNATURE),
    )


def verify_chuid(data: bytes, authorities: Sequence[x509.Certificate], at: datetime) -> Chuid:
    """Return the CHUID when the city's content signer signed it and it has not expired at `at`.

    Raises: MalformedMessage, InvalidSignature, UntrustedCertificate.
    """
    chuid = read_chuid(data)
    cms.verify(chuid.signature, chuid.signed, cms.CHUID_CONTENT, authorities, at)
    if at.date() > chuid.expires_on:
        raise UntrustedCertificate("The card has expired.")
    return chuid


def check_chuid_signature(chuid: Chuid) -> x509.Certificate:
    """Return the certificate, carried by the CHUID, whose key signed it; a foreign card's too.

    Whether the certificate counts is the caller's: `verify_path` for the purpose `EKU_CONTENT_SIGNING`.

    Raises: MalformedMessage, InvalidSignature, UntrustedCertificate.
    """
    data = read_signed_data(chuid.signature)
    certificate = signer_certificate(data)
    if data.content_type != cms.CHUID_CONTENT or data.content is not None:
        raise MalformedMessage("The signature is not that of a CHUID.")
    check_signed_data(data, chuid.signed, certificate)
    name = data.attributes.get(SIGNER_NAME)
    if name is not None and name != certificate.subject.public_bytes():
        raise UntrustedCertificate("The signature names another signer than its certificate.")
    return certificate


def _read_date(text: bytes) -> date:
    fault = MalformedMessage("The CHUID's expiry is not a date (YYYYMMDD).")
    if not text.isdigit():  # int() would take signs, blanks and underscores
        raise fault
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError as error:
        raise fault from error
