"""Everything that deciding needs from a certificate, read once, within bounds. Unreadable is refused here."""

import hashlib
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtensionOID, ObjectIdentifier

from crypto.errors import MalformedMessage, UntrustedCertificate
from crypto.pki import der
from crypto.pki.certificates import UNREADABLE, to_der
from crypto.pki.names import PreparedName, prepare
from crypto.pki.signatures import AcceptedKey, check_algorithm, check_key

Mapping: TypeAlias = tuple[ObjectIdentifier, ObjectIdentifier]  # issuer's domain, subject's domain

BYTES_MAX = 65_536
_EXTENSIONS_MAX = 64
_VERSION_3 = der.encode(der.CONTEXT_0, der.integer(2))
_EC_PUBLIC_KEY = der.oid("1.2.840.10045.2.1")
_POLICY_MAPPINGS = der.oid(ExtensionOID.POLICY_MAPPINGS.dotted_string)
_NAME_CONSTRAINTS = der.oid(ExtensionOID.NAME_CONSTRAINTS.dotted_string)
_EXTENSIONS_TAG = 0xA3

_UNDERSTOOD = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.POLICY_MAPPINGS,
        ExtensionOID.POLICY_CONSTRAINTS,
        ExtensionOID.INHIBIT_ANY_POLICY,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.NAME_CONSTRAINTS,
    }
)


@dataclass(frozen=True, slots=True)
class Facts:
    """One certificate as the rules see it. Extensions that are absent are None; `critical` are those marked so.

    `identity` is who this is, however often it was certified: by name and key. One authority stands in a path once.
    """

    certificate: x509.Certificate
    fingerprint: bytes
    serial: int
    subject: PreparedName
    issuer: PreparedName
    identity: tuple[PreparedName, bytes]
    key: AcceptedKey
    critical: frozenset[ObjectIdentifier]
    basic: x509.BasicConstraints | None
    usage: x509.KeyUsage | None
    purposes: tuple[ObjectIdentifier, ...] | None
    policies: tuple[ObjectIdentifier, ...] | None
    mappings: tuple[Mapping, ...]
    policy_constraints: x509.PolicyConstraints | None
    inhibit_any: int | None
    names: tuple[x509.GeneralName, ...] | None
    constraints: x509.NameConstraints | None
    key_id: bytes | None
    issuer_key: x509.AuthorityKeyIdentifier | None

    @property
    def self_issued(self) -> bool:
        return self.subject == self.issuer

    @property
    def is_authority(self) -> bool:
        return self.basic is not None and self.basic.ca


def read_facts(certificate: x509.Certificate) -> Facts:
    """Raises: UntrustedCertificate for a certificate that is malformed, oversized, weak or not understood."""
    encoded = to_der(certificate)
    if len(encoded) > BYTES_MAX:
        raise UntrustedCertificate(f"A certificate is larger than {BYTES_MAX} bytes.")
    try:
        serial, raw = _check_structure(encoded)
        check_algorithm(certificate)
        return _read(certificate, encoded, serial, raw)
    except MalformedMessage as error:
        raise UntrustedCertificate(f"A certificate is malformed. {error}") from error
    except UNREADABLE as error:
        raise UntrustedCertificate(f"A certificate repeats an extension or holds a bad one: {error}") from error


def _check_structure(encoded: bytes) -> tuple[int, dict[bytes, bytes]]:
    """What the library does not tell: whether the algorithms agree, how a curve is named; and the extensions."""
    parts = der.read_all(der.read_only(encoded, der.SEQUENCE).content)
    elements = der.read_all(parts[0].content)
    if len(elements) < 7 or elements[0].raw != _VERSION_3:  # noqa: PLR2004 - RFC 5280 4.1
        raise UntrustedCertificate("A certificate is not of version 3.")
    if elements[2].raw != parts[1].raw:  # RFC 5280 4.1.1.2
        raise UntrustedCertificate("A certificate names two algorithms for its one signature.")
    kind, parameters = der.read(der.read(elements[6].content, der.SEQUENCE)[0].content)
    if kind.raw == _EC_PUBLIC_KEY and parameters[:1] != bytes((der.OBJECT_IDENTIFIER,)):  # RFC 5480 2.1.1
        raise UntrustedCertificate("A certificate spells out its key's curve instead of naming it.")
    content = b""
    for element in elements:
        if element.tag == _EXTENSIONS_TAG:
            content = der.read_only(element.content, der.SEQUENCE).content
    serial = int.from_bytes(elements[1].content, "big", signed=True)  # the library warns of one that is not positive
    return serial, _raw_extensions(content)


def _raw_extensions(content: bytes) -> dict[bytes, bytes]:
    """From the encoded object identifier to the value."""
    raw: dict[bytes, bytes] = {}
    while content:
        element, content = der.read(content, der.SEQUENCE)
        kind, *_, value = der.read_all(element.content)
        raw[kind.raw] = value.content
        if len(raw) > _EXTENSIONS_MAX:
            raise UntrustedCertificate(f"A certificate has more than {_EXTENSIONS_MAX} extensions.")
    return raw


def _read(certificate: x509.Certificate, encoded: bytes, serial: int, raw: dict[bytes, bytes]) -> Facts:
    key = check_key(certificate.public_key())
    found = {item.oid: item.value for item in certificate.extensions}
    critical = frozenset(item.oid for item in certificate.extensions if item.critical)
    if not critical <= _UNDERSTOOD:
        raise UntrustedCertificate("A certificate has a critical extension that is not understood here.")
    constraints = _typed(found, x509.NameConstraints)
    if constraints is not None and constraints.public_bytes() != raw[_NAME_CONSTRAINTS]:
        # RFC 5280 4.2.1.10: the library skips the minimum and maximum that a subtree must not have
        raise UntrustedCertificate("A certificate's name constraints are not in the form of RFC 5280.")
    policies = _typed(found, x509.CertificatePolicies)
    purposes = _typed(found, x509.ExtendedKeyUsage)
    inhibit = _typed(found, x509.InhibitAnyPolicy)
    names = _typed(found, x509.SubjectAlternativeName)
    key_id = _typed(found, x509.SubjectKeyIdentifier)
    subject = prepare(certificate.subject)
    return Facts(
        certificate=certificate,
        fingerprint=hashlib.sha256(encoded).digest(),
        serial=serial,
        subject=subject,
        issuer=prepare(certificate.issuer),
        identity=(subject, key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)),
        key=key,
        critical=critical,
        basic=_typed(found, x509.BasicConstraints),
        usage=_typed(found, x509.KeyUsage),
        purposes=None if purposes is None else tuple(purposes),
        policies=None if policies is None else tuple(item.policy_identifier for item in policies),
        mappings=read_mappings(raw.get(_POLICY_MAPPINGS)),
        policy_constraints=_typed(found, x509.PolicyConstraints),
        inhibit_any=None if inhibit is None else inhibit.skip_certs,
        names=None if names is None else tuple(names),
        constraints=constraints,
        key_id=None if key_id is None else key_id.digest,
        issuer_key=_typed(found, x509.AuthorityKeyIdentifier),
    )


_Value = TypeVar("_Value", bound=x509.ExtensionType)


def _typed(found: dict[ObjectIdentifier, x509.ExtensionType], kind: type[_Value]) -> _Value | None:
    value = found.get(kind.oid)
    return value if isinstance(value, kind) else None


def read_mappings(value: bytes | None) -> tuple[Mapping, ...]:
    """Policy mappings (RFC 5280 4.2.1.5), which the library does not read. Raises: MalformedMessage."""
    if value is None:
        return ()
    pairs = der.read_all(der.read_only(value, der.SEQUENCE).content)
    mappings = []
    for pair in pairs:
        match der.read_all(pair.content):
            case [above, below]:
                mappings.append((ObjectIdentifier(der.dotted(above)), ObjectIdentifier(der.dotted(below))))
            case _:
                raise MalformedMessage("A policy mapping is not a pair.")
    if not mappings:
        raise MalformedMessage("The policy mappings are empty.")
    return tuple(mappings)
