"""Certificate revocation lists (RFC 5280 5): made whole or as a delta; read within limits, checked under the issuer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.x509.oid import CRLEntryExtensionOID

from crypto import keys
from crypto.errors import MalformedMessage, UntrustedCertificate
from crypto.keys import Algorithm, Signer
from crypto.pki import der
from crypto.pki.certificates import ECDSA_WITH_SHA256, UNREADABLE
from crypto.pki.names import prepare
from crypto.pki.signatures import check_algorithm, check_key, check_signed

BYTES_MAX = 2**23  # about 200,000 entries
_NUMBER_MAX = 2**159  # RFC 5280 5.2.3: 20 bytes
_ENUMERATED = 0x0A
_TRUE = b"\x01\x01\xff"
_EXTENSIONS = 0xA0
_UTC_TIME = 0x17
_GENERALIZED_TIME = 0x18
_UTC_TIME_YEARS = range(1950, 2050)  # RFC 5280 4.1.2.5
_VERSION_2 = 1  # RFC 5280 5.1.2.1: counted from 0
_REASON = der.oid(CRLEntryExtensionOID.CRL_REASON.dotted_string)
_ECDSA_SHA256 = der.encode(der.SEQUENCE, der.oid(ECDSA_WITH_SHA256))
# RFC 5280 5.3.1; 7 is not used
REASON_NUMBERS: Mapping[x509.ReasonFlags, int] = {
    x509.ReasonFlags.unspecified: 0,
    x509.ReasonFlags.key_compromise: 1,
    x509.ReasonFlags.ca_compromise: 2,
    x509.ReasonFlags.affiliation_changed: 3,
    x509.ReasonFlags.superseded: 4,
    x509.ReasonFlags.cessation_of_operation: 5,
    x509.ReasonFlags.certificate_hold: 6,
    x509.ReasonFlags.remove_from_crl: 8,
    x509.ReasonFlags.privilege_withdrawn: 9,
    x509.ReasonFlags.aa_compromise: 10,
}


@dataclass(frozen=True, slots=True)
class Revoked:
    """One certificate that no longer counts. The reason `remove_from_crl` takes it off again, on a delta only."""

    serial: int
    at: datetime
    reason: x509.ReasonFlags | None = None


@dataclass(frozen=True, slots=True)
class VerifiedCrl:
    """A list that its issuer signed and that is fresh. `base_number` is None on a whole one, `entries` by serial."""

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

    Times are in whole seconds, with their zone.

    Raises: UntrustedCertificate when the signer is not the issuer's or the issuer may not sign lists; MalformedMessage
    for a number, an entry or a time that cannot be.
    """
    _check_issuer(issuer)
    if signer.algorithm is not Algorithm.ES256 or signer.public_key != issuer.public_key():
        raise UntrustedCertificate("The signer does not hold the key of the issuing certificate.")
    if not 0 <= number < _NUMBER_MAX or (base_number is not None and not 0 <= base_number < number):
        raise MalformedMessage("A list's number is at least 0, and above that of the list a delta builds on.")
    if next_update <= this_update:
        raise MalformedMessage("A list's next update comes after it.")
    entries = sorted(revoked, key=lambda entry: entry.serial)
    if len({entry.serial for entry in entries}) != len(entries):
        raise MalformedMessage("A certificate stands on the list twice.")
    lists = [der.encode(der.SEQUENCE, *(_entry(entry, delta=base_number is not None) for entry in entries))]
    content = der.encode(
        der.SEQUENCE,
        der.integer(_VERSION_2),
        _ECDSA_SHA256,
        issuer.subject.public_bytes(),
        _time(this_update),
        _time(next_update),
        *(lists if entries else []),  # RFC 5280 5.1.2.6: absent when there is none
        der.encode(_EXTENSIONS, der.encode(der.SEQUENCE, *_extensions(issuer, number, base_number))),
    )
    signature = der.encode(0x03, b"\x00", keys.raw_to_der(signer.sign(content)))
    return der.encode(der.SEQUENCE, content, _ECDSA_SHA256, signature)


def check_crl(data: bytes, issuer: x509.Certificate, at: datetime, *, conforming: bool = True) -> VerifiedCrl:
    """Return the list when `issuer` signed it and it is fresh at `at`.

    Refused: indirect lists and those of one distribution point, unknown critical extensions (of the list or an entry),
    a list without next update; one without a number too, unless `conforming` is false: then it is number 0.
    Whether the issuer's certificate counts is the caller's.

    Raises: MalformedMessage, InvalidSignature, UntrustedCertificate.
    """
    crl = load_crl(data)
    try:
        if prepare(crl.issuer) != prepare(issuer.subject):
            raise UntrustedCertificate("The list is another issuer's.")
        _check_issuer(issuer)
        check_signed(check_key(issuer.public_key()), crl, crl.tbs_certlist_bytes)
        number, base_number = _read_numbers(crl, issuer)
        if number is None and (conforming or base_number is not None):  # 5.2.3 asks issuers for it, 6.3 not validators
            raise UntrustedCertificate("The list has no number.")
        this_update, next_update = crl.last_update_utc, crl.next_update_utc
        if next_update is None:  # RFC 5280 5.1.2.5
            raise UntrustedCertificate("The list does not say when the next one comes.")
        if not this_update <= at <= next_update:
            raise UntrustedCertificate("The list is not yet valid, or a newer one is due.")
        entries: dict[int, Revoked] = {}
        for item in crl:
            entry = _read_entry(item)
            if entries.setdefault(entry.serial, entry) is not entry:
                raise UntrustedCertificate("A certificate stands on the list twice.")
    except UNREADABLE as error:
        raise MalformedMessage(f"The list repeats an extension or holds a bad one: {error}") from error
    return VerifiedCrl(issuer, number or 0, base_number, this_update, next_update, entries)


def load_crl(data: bytes) -> x509.CertificateRevocationList:
    """A list from DER, nothing verified but its form and size. Raises: MalformedMessage."""
    if len(data) > BYTES_MAX:
        raise MalformedMessage(f"A revocation list of more than {BYTES_MAX} bytes is not read here.")
    try:
        crl = x509.load_der_x509_crl(data)
        _ = crl.issuer, crl.extensions, crl.last_update_utc, crl.next_update_utc
    except UNREADABLE as error:
        raise MalformedMessage("The bytes are not a revocation list.") from error
    content, algorithm = der.read(der.read(data, der.SEQUENCE)[0].content, der.SEQUENCE)
    version, rest = der.read(content.content)
    if version.raw != der.integer(_VERSION_2):
        raise MalformedMessage("The revocation list is not of version 2.")
    if der.read(rest)[0].raw != der.read(algorithm)[0].raw:  # RFC 5280 5.1.1.2
        raise MalformedMessage("The revocation list names two algorithms for its one signature.")
    check_algorithm(crl)
    return crl


def _check_issuer(issuer: x509.Certificate) -> None:
    try:
        usage = issuer.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return  # RFC 5280 6.3.3 (f): the bit is asked for where there are bits
    if not usage.crl_sign:
        raise UntrustedCertificate("The issuing certificate may not sign revocation lists.")


def _time(at: datetime) -> bytes:
    """RFC 5280 5.1.2.4: the short form while it lasts."""
    if at.tzinfo is None or at.microsecond:
        raise MalformedMessage("A list's times are in whole seconds and have a zone.")
    at = at.astimezone(UTC)
    if at.year in _UTC_TIME_YEARS:
        return der.encode(_UTC_TIME, at.strftime("%y%m%d%H%M%SZ").encode("ascii"))
    return der.encode(_GENERALIZED_TIME, at.strftime("%Y%m%d%H%M%SZ").encode("ascii"))


def _reason_extension(number: int) -> bytes:
    reason = der.encode(der.OCTET_STRING, der.encode(_ENUMERATED, bytes((number,))))
    return der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, _REASON, reason))


_REASON_EXTENSIONS = {reason: _reason_extension(number) for reason, number in REASON_NUMBERS.items()}


def _entry(entry: Revoked, *, delta: bool) -> bytes:
    if not 0 < entry.serial < _NUMBER_MAX:
        raise MalformedMessage("A serial number is positive and at most 20 bytes long.")
    if entry.reason is x509.ReasonFlags.remove_from_crl and not delta:
        raise MalformedMessage("Only a delta takes a certificate off the list again.")
    parts = [der.integer(entry.serial), _time(entry.at)]
    if entry.reason is not None and entry.reason is not x509.ReasonFlags.unspecified:
        parts.append(_REASON_EXTENSIONS[entry.reason])  # RFC 5280 5.3.1: absent rather than unspecified
    return der.encode(der.SEQUENCE, *parts)


def _extensions(issuer: x509.Certificate, number: int, base_number: int | None) -> list[bytes]:
    own = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    authority = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)
    extensions = [_extension(authority, critical=False), _extension(x509.CRLNumber(number), critical=False)]
    if base_number is not None:  # RFC 5280 5.2.4
        extensions.append(_extension(x509.DeltaCRLIndicator(base_number), critical=True))
    return extensions


def _extension(value: x509.ExtensionType, *, critical: bool) -> bytes:
    marked = [_TRUE] if critical else []
    content = der.encode(der.OCTET_STRING, value.public_bytes())
    return der.encode(der.SEQUENCE, der.oid(value.oid.dotted_string), *marked, content)


def _read_numbers(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> tuple[int | None, int | None]:
    """The list's number and, of a delta, that of its base."""
    number, base_number = None, None
    for item in crl.extensions:
        match item.value:
            case x509.CRLNumber() if not item.critical:  # RFC 5280 5.2.3
                number = item.value.crl_number
            case x509.DeltaCRLIndicator() if item.critical:
                base_number = item.value.crl_number
            case x509.AuthorityKeyIdentifier() if not item.critical:
                _check_key_id(item.value, issuer)
            case x509.CRLNumber() | x509.DeltaCRLIndicator() | x509.AuthorityKeyIdentifier():
                raise UntrustedCertificate("The list marks an extension as critical, or not, against the rules.")
            case x509.IssuingDistributionPoint():  # partial or indirect (RFC 5280 5.2.5), critical or not: never whole
                raise UntrustedCertificate("The list speaks of a part of the certificates only, or for other issuers.")
            case _ if item.critical:
                raise UntrustedCertificate("The list has a critical extension that is not understood here.")
    if number is not None and not 0 <= number < _NUMBER_MAX:
        raise UntrustedCertificate("The list has a number that cannot be.")
    return number, base_number


def _check_key_id(named: x509.AuthorityKeyIdentifier, issuer: x509.Certificate) -> None:
    own = [item.value.digest for item in issuer.extensions if isinstance(item.value, x509.SubjectKeyIdentifier)]
    if named.key_identifier is not None and own and own[0] != named.key_identifier:
        raise UntrustedCertificate("The list names another key than its issuer's.")


def _read_entry(item: x509.RevokedCertificate) -> Revoked:
    reason = None
    for extension in item.extensions:
        if isinstance(extension.value, x509.CRLReason):
            reason = extension.value.reason
        elif extension.critical:  # RFC 5280 5.3: then the list must not be used at all
            raise UntrustedCertificate("An entry of the list has a critical extension that is not understood here.")
    return Revoked(item.serial_number, item.revocation_date_utc, reason)
