"""What RFC 5280 section 4 says a certificate must look like by itself, wherever it stands in a path."""

from datetime import datetime

from cryptography.x509.oid import ExtensionOID

from crypto.errors import UntrustedCertificate
from crypto.pki.rfc5280.facts import Facts
from crypto.pki.rfc5280.general import check_names

_POLICY_ENTRIES_MAX = 64
_SERIAL_END = 2**159  # 4.1.2.2: 20 bytes, the first bit is the sign


def check_any(facts: Facts, at: datetime, *, anchor: bool = False) -> None:
    """What section 6 asks of a certificate without its neighbours, whoever issued it. Raises: UntrustedCertificate."""
    certificate = facts.certificate
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise UntrustedCertificate("A certificate of the path is not yet valid, or has expired.")
    if not anchor and not 0 < facts.serial < _SERIAL_END:  # old roots have number 0
        raise UntrustedCertificate("A certificate's serial number is zero, negative or longer than 20 bytes.")
    if facts.names is not None:
        check_names(facts.names)
    _check_policies(facts)


def check_authority(facts: Facts) -> None:
    """What an issuing certificate has besides (6.1.4 k, n)."""
    if not facts.is_authority:
        raise UntrustedCertificate("An issuing certificate of the path is not an authority's.")
    if facts.usage is not None and not facts.usage.key_cert_sign:
        raise UntrustedCertificate("An issuing certificate of the path may not sign certificates.")


def check_conforming(facts: Facts, *, anchor: bool = False) -> None:
    """What section 4 asks of whoever issues. A validator may overlook it; who issues with care has it."""
    if not facts.issuer:  # 4.1.2.4
        raise UntrustedCertificate("A certificate of the path does not name its issuer.")
    _check_key_ids(facts, anchor=anchor)
    _check_subject(facts)
    _check_usage(facts)
    for oid, value in (
        (ExtensionOID.NAME_CONSTRAINTS, facts.constraints),  # 4.2.1.10
        (ExtensionOID.POLICY_CONSTRAINTS, facts.policy_constraints),  # 4.2.1.11
        (ExtensionOID.INHIBIT_ANY_POLICY, facts.inhibit_any),  # 4.2.1.14
    ):
        if value is not None and oid not in facts.critical:
            raise UntrustedCertificate("A certificate's constraints are not marked as critical.")


def _check_key_ids(facts: Facts, *, anchor: bool) -> None:
    """4.2.1.1: every certificate names its issuer's key. Above an anchor nothing is looked up, so one may not."""
    named = None if facts.issuer_key is None else facts.issuer_key.key_identifier
    if facts.issuer_key is not None and named is None:
        raise UntrustedCertificate("A certificate of the path names its issuer's key without an identifier.")
    if named is None and not anchor:
        raise UntrustedCertificate("A certificate of the path does not name its issuer's key.")
    if anchor and facts.self_issued and named is not None and facts.key_id != named:
        raise UntrustedCertificate("A trust anchor names another key than its own as its issuer's.")


def _check_subject(facts: Facts) -> None:
    """4.1.2.6 and 4.2.1.6: an authority's name stands in the subject, anybody else's there or, critical, beside it."""
    if not facts.subject and facts.is_authority:
        raise UntrustedCertificate("An authority of the path has no name.")
    if not facts.subject and (not facts.names or ExtensionOID.SUBJECT_ALTERNATIVE_NAME not in facts.critical):
        raise UntrustedCertificate("A certificate of the path names nobody, or not critically.")


def _check_usage(facts: Facts) -> None:
    if facts.constraints is not None and not facts.is_authority:  # 4.2.1.10
        raise UntrustedCertificate("A certificate that is no authority's has name constraints.")
    if facts.is_authority and ExtensionOID.BASIC_CONSTRAINTS not in facts.critical:  # 4.2.1.9
        raise UntrustedCertificate("A certificate does not mark as critical that it is an authority's.")
    if facts.is_authority and facts.key_id is None:  # 4.2.1.2
        raise UntrustedCertificate("An authority of the path has no key identifier.")
    if facts.purposes is not None and not facts.purposes:
        raise UntrustedCertificate("A certificate's list of purposes is empty.")
    usage, basic = facts.usage, facts.basic
    if usage is not None and usage.key_cert_sign and not facts.is_authority:  # 4.2.1.9
        raise UntrustedCertificate("A certificate may sign certificates and yet is no authority's.")
    if basic is not None and basic.path_length is not None and not basic.ca:
        raise UntrustedCertificate("A certificate limits a path and yet is no authority's.")


def _check_policies(facts: Facts) -> None:
    """4.2.1.4: each policy once; and no more than anybody has use for."""
    policies = facts.policies or ()
    if len(policies) > _POLICY_ENTRIES_MAX or len(facts.mappings) > _POLICY_ENTRIES_MAX:
        raise UntrustedCertificate(f"A certificate has more than {_POLICY_ENTRIES_MAX} policies or policy mappings.")
    if len(set(policies)) != len(policies):
        raise UntrustedCertificate("A certificate names a policy twice.")
