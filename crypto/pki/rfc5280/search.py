"""Finding paths from a leaf to the anchors (RFC 4158): candidates are facts, every edge is a signature that holds.

The search goes up from the leaf, best candidates first, and never to a certificate from which no anchor can be reached
by name. A signature is checked once for each pair. What one certificate costs twice in a mesh of cross-certificates is
paid from the budget, so a mesh without end ends there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from crypto.errors import InvalidSignature, TooMuchWork, UntrustedCertificate
from crypto.pki.certificates import UNREADABLE, to_der
from crypto.pki.names import PreparedName, prepare
from crypto.pki.rfc5280.facts import BYTES_MAX, Facts, read_facts
from crypto.pki.rfc5280.profile import check_any, check_authority, check_conforming
from crypto.pki.rfc5280.rules import Budget
from crypto.pki.signatures import check_signed


@dataclass(frozen=True, slots=True)
class Candidate:
    """A certificate that may issue. `fault` is why it may not, found when it was first looked at."""

    facts: Facts
    anchor: bool
    fault: UntrustedCertificate | None


@dataclass(frozen=True, slots=True)
class _Named:
    certificate: x509.Certificate
    subject: PreparedName
    issuer: PreparedName


class Search:
    """One question's certificates and what is already known of them."""

    def __init__(
        self,
        intermediates: Sequence[x509.Certificate],
        anchors: Sequence[x509.Certificate],
        at: datetime,
        budget: Budget,
        *,
        conforming: bool,
    ) -> None:
        if len(intermediates) + len(anchors) > budget.limits.candidates:
            raise TooMuchWork(f"More than {budget.limits.candidates} certificates are not searched here.")
        self._at = at
        self._budget = budget
        self._conforming = conforming
        self._signed: dict[tuple[bytes, bytes], bool] = {}
        self._anchors = _by_subject(anchors)
        self._offered = _by_subject(intermediates)
        self._reachable = _reachable(set(self._anchors), self._offered)
        self._candidates: dict[tuple[bytes, bool], Candidate | None] = {}
        self.fault = UntrustedCertificate("The certificate does not lead to a trust anchor.")

    def paths(self, leaf: Facts) -> Iterator[tuple[Facts, ...]]:
        """Paths from the leaf to an anchor, anchor last, as far as the signatures and each certificate by itself go.

        `fault` keeps why the last way ended. Raises: TooMuchWork.
        """
        yield from self._climb((leaf,), depth=0)

    def _climb(self, path: tuple[Facts, ...], depth: int) -> Iterator[tuple[Facts, ...]]:
        for issuer in self._issuers(path[-1]):
            self._budget.step()
            below = depth + (not issuer.anchor and not issuer.facts.self_issued)
            if issuer.fault is not None:
                self.fault = issuer.fault
            elif not issuer.anchor and any(issuer.facts.identity == item.identity for item in path):
                self.fault = UntrustedCertificate("The certificates lead round in a circle.")
            elif below > self._budget.limits.depth or len(path) > 2 * self._budget.limits.depth + 2:
                self.fault = UntrustedCertificate(f"The path has more than {self._budget.limits.depth} authorities.")
            elif not self._is_signed(path[-1], issuer.facts):
                self.fault = UntrustedCertificate("A certificate's signature was not made by its issuer.")
            elif issuer.anchor:
                yield (*path, issuer.facts)
            else:
                yield from self._climb((*path, issuer.facts), below)

    def _issuers(self, child: Facts) -> list[Candidate]:
        """Those that bear the issuer's name and no other key identifier: anchors first, then by the way to one."""
        found = [self._candidate(item.certificate, anchor=True) for item in self._anchors.get(child.issuer, ())]
        if child.issuer in self._reachable:
            found += [self._candidate(item.certificate, anchor=False) for item in self._offered.get(child.issuer, ())]
        named = None if child.issuer_key is None else child.issuer_key.key_identifier
        issuers = [item for item in found if item and (named is None or item.facts.key_id in (None, named))]
        issuers.sort(key=lambda item: item.facts.certificate.not_valid_before_utc, reverse=True)
        return sorted(issuers, key=self._distance)

    def _distance(self, candidate: Candidate) -> int:
        """Of names to an anchor, 0 for an anchor."""
        return 0 if candidate.anchor else 1 + self._reachable.get(candidate.facts.issuer, 0)

    def _candidate(self, certificate: x509.Certificate, *, anchor: bool) -> Candidate | None:
        """Read at first sight and kept. One that cannot be read stands in no path, and makes no other one bad."""
        key = (to_der(certificate), anchor)
        if key not in self._candidates:
            self._candidates[key] = self._look_at(certificate, anchor=anchor)
        return self._candidates[key]

    def _look_at(self, certificate: x509.Certificate, *, anchor: bool) -> Candidate | None:
        try:
            facts = read_facts(certificate)
        except UntrustedCertificate as error:
            self.fault = error
            return None
        try:
            check_any(facts, self._at, anchor=anchor)
            check_authority(facts)
            if self._conforming:
                check_conforming(facts, anchor=anchor)
        except UntrustedCertificate as error:
            return Candidate(facts, anchor, error)
        return Candidate(facts, anchor, None)

    def _is_signed(self, child: Facts, issuer: Facts) -> bool:
        pair = (child.fingerprint, issuer.identity[1])
        if pair not in self._signed:
            self._budget.signature()
            try:
                check_signed(issuer.key, child.certificate, child.certificate.tbs_certificate_bytes)
                self._signed[pair] = True
            except (InvalidSignature, UntrustedCertificate):
                self._signed[pair] = False
        return self._signed[pair]


def _by_subject(certificates: Sequence[x509.Certificate]) -> dict[PreparedName, list[_Named]]:
    """Each certificate once. One whose names cannot be read is left out."""
    found: dict[PreparedName, list[_Named]] = {}
    for encoded, certificate in {to_der(item): item for item in certificates}.items():
        if len(encoded) > BYTES_MAX:
            continue
        try:
            named = _Named(certificate, prepare(certificate.subject), prepare(certificate.issuer))
        except UNREADABLE:
            continue
        found.setdefault(named.subject, []).append(named)
    return found


def _reachable(anchors: set[PreparedName], offered: dict[PreparedName, list[_Named]]) -> dict[PreparedName, int]:
    """The names of offered certificates from which an anchor's name is reached, and over how many certificates."""
    below: dict[PreparedName, list[PreparedName]] = {}
    for subject, items in offered.items():
        for item in items:
            below.setdefault(item.issuer, []).append(subject)
    reached: dict[PreparedName, int] = {}
    waiting, distance = list(anchors), 0
    while waiting:
        distance += 1
        fresh = {name for above in waiting for name in below.get(above, ())} - reached.keys()
        reached |= dict.fromkeys(fresh, distance)
        waiting = list(fresh)
    return reached
