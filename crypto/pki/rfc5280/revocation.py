"""Revocation along a path (RFC 5280 6.3) by the lists that the caller has: each issuer's whole list, and its deltas."""

import itertools
from collections.abc import Sequence
from datetime import datetime

from cryptography import x509

from crypto.errors import InvalidSignature, MalformedMessage, TooMuchWork, UntrustedCertificate
from crypto.pki.crl import VerifiedCrl, check_crl, load_crl
from crypto.pki.names import PreparedName, prepare
from crypto.pki.rfc5280.facts import Facts
from crypto.pki.rfc5280.rules import Budget

LISTS_MAX = 64
BYTES_MAX = 2**24  # of all lists together


class Revocation:
    """The lists by their issuers' names. A list is read when a path needs it, and once for each issuer's key."""

    def __init__(self, lists: Sequence[bytes], at: datetime, budget: Budget, *, conforming: bool) -> None:
        if len(lists) > LISTS_MAX or sum(map(len, lists)) > BYTES_MAX:
            raise TooMuchWork(f"More than {LISTS_MAX} revocation lists or {BYTES_MAX} bytes of them are not read here.")
        self._at = at
        self._budget = budget
        self._conforming = conforming
        self._by_issuer: dict[PreparedName, list[bytes]] = {}
        self._checked: dict[bytes, list[VerifiedCrl]] = {}
        self._asked = bool(lists)
        self._fault = UntrustedCertificate("No revocation list covers a certificate of the path.")
        for item in lists:
            try:
                self._by_issuer.setdefault(prepare(load_crl(item).issuer), []).append(item)
            except (MalformedMessage, UntrustedCertificate) as error:
                self._fault = UntrustedCertificate(f"A revocation list is not used. {error}")

    def check(self, path: tuple[Facts, ...]) -> None:
        """Each certificate below the anchor under the lists of the one above it. Raises: UntrustedCertificate."""
        if not self._asked:
            return
        for certificate, issuer in itertools.pairwise(path):
            if _is_revoked(certificate.serial, self._lists_of(issuer), self._fault):
                raise UntrustedCertificate("A certificate of the path has been revoked.")

    def _lists_of(self, issuer: Facts) -> list[VerifiedCrl]:
        key = issuer.fingerprint
        if key not in self._checked:
            self._checked[key] = []
            for item in self._by_issuer.get(issuer.subject, ()):
                self._budget.signature()
                try:
                    self._checked[key].append(
                        check_crl(item, issuer.certificate, self._at, conforming=self._conforming)
                    )
                except (MalformedMessage, InvalidSignature, UntrustedCertificate) as error:
                    self._fault = UntrustedCertificate(f"A revocation list is not used. {error}")
        return self._checked[key]


def _is_revoked(serial: int, lists: list[VerifiedCrl], fault: UntrustedCertificate) -> bool:
    """By the newest whole list, then by the newest delta that fits it (6.3.3 c)."""
    whole = [item for item in lists if item.base_number is None]
    if not whole:
        raise fault
    newest = max(whole, key=lambda item: (item.number, item.this_update))
    deltas = [
        item for item in lists if item.base_number is not None and item.base_number <= newest.number < item.number
    ]
    if deltas:
        entry = max(deltas, key=lambda item: item.number).entries.get(serial)
        if entry is not None:
            return entry.reason is not x509.ReasonFlags.remove_from_crl
    return serial in newest.entries
