"""Certificate revocation lists (RFC 5280 5): made whole or as a delta, read within limits, checked under their issuer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from crypto.keys import Signer


@dataclass(frozen=True, slots=True)
class Revoked:
    """One certificate that no longer counts. A reason of `remove_from_crl` takes it off again, on a delta only."""

    serial: int
    at: datetime
    reason: x509.ReasonFlags | None = None


@dataclass(frozen=True, slots=True)
class VerifiedCrl:
    """A list that its issuer signed and that is fresh. `base_number` is None on a whole list; `entries` are by serial."""

    issuer: x509.Certificate
    number: int
    base_number: int | None
    this_update: datetime
    next_update: datetime
    entries: Mapping[int, Revoked]


def create_crl(
    revoked: Iterable[Revoked],
    *,
    issuer: x509.Certificate,
    signer: Signer,
    number: int,
    this_update: datetime,
    next_update: datetime,
    base_number: int | None = None,
) -> bytes:
    """The list as DER, entries in the order of their serial numbers. With `base_number` it is a delta to that list.

    Raises: UntrustedCertificate when the signer is not the issuer's or the issuer may not sign lists; MalformedMessage
    for a number or a time that cannot be.
    """
    raise NotImplementedError


def check_crl(data: bytes, issuer: x509.Certificate, at: datetime) -> VerifiedCrl:
    """Return the list when `issuer` signed it and it is fresh at `at`.

    Refused: indirect lists and those of one distribution point, unknown critical extensions (of the list or an entry),
    a list without number or next update. Whether the issuer's certificate counts is the caller's.

    Raises: MalformedMessage, InvalidSignature, UntrustedCertificate.
    """
    raise NotImplementedError
