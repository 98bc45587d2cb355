"""The certificates of the city's own keys: the root certifies the two authorities, the card authority whoever signs
what lies on cards. Nothing outlives what it stands on.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from cardsvc.vault.names import CertifiedName, IssuerEndsTooSoon, RandomBytes
from crypto import pki
from crypto.keys import P256Signer

_YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class _Plan:
    """How long a certificate is good for, and how little of that is still worth making one."""

    title: str
    validity: timedelta
    validity_min: timedelta


# Each outlives by years what it certifies: a card lives ten years at most, and its content must verify to its last day.
_PLANS: dict[CertifiedName, _Plan] = {
    "root": _Plan("Root", 30 * _YEAR, 30 * _YEAR),
    "card-ca": _Plan("Cards", 25 * _YEAR, 12 * _YEAR),
    "terminal-ca": _Plan("Terminals", 25 * _YEAR, 6 * _YEAR),
    "content": _Plan("Card Content", 20 * _YEAR, 11 * _YEAR),
}
ISSUER_OF: dict[CertifiedName, CertifiedName] = {"card-ca": "root", "terminal-ca": "root", "content": "card-ca"}


def root_certificate(
    city_name: str, number: int, signer: P256Signer, *, at: datetime, random_bytes: RandomBytes
) -> x509.Certificate:
    """Self-signed, valid from `at`."""
    plan = _PLANS["root"]
    title = _title(city_name, plan, number)
    return pki.create_root(title, signer, serial=_serial(random_bytes), not_before=at, not_after=at + plan.validity)


def certificate(
    name: CertifiedName,
    number: int,
    public_key: EllipticCurvePublicKey,
    *,
    city_name: str,
    issuer: x509.Certificate,
    signer: P256Signer,
    at: datetime,
    random_bytes: RandomBytes,
) -> x509.Certificate:
    """Of an authority or the content signer, valid from `at`. Raises: IssuerEndsTooSoon."""
    plan = _PLANS[name]
    ends_at = min(at + plan.validity, issuer.not_valid_after_utc)
    if ends_at - at < plan.validity_min:
        raise IssuerEndsTooSoon(name, ISSUER_OF[name], ends_at)
    make = pki.create_content_signer if name == "content" else pki.create_authority
    return make(
        _title(city_name, plan, number),
        public_key,
        issuer=issuer,
        signer=signer,
        serial=_serial(random_bytes),
        not_before=at,
        not_after=ends_at,
    )


def _title(city_name: str, plan: _Plan, number: int) -> str:
    """No two authorities have one name: a revocation list is known by its issuer's."""
    return f"{city_name} {plan.title}" if number == 1 else f"{city_name} {plan.title} {number}"


def _serial(random_bytes: RandomBytes) -> int:
    """A positive serial number of 127 random bits (RFC 5280 4.1.2.2: never the same twice, at most 20 octets)."""
    return int.from_bytes(random_bytes(16), "big") >> 1 | 1
