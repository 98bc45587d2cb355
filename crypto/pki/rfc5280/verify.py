"""Path validation for anybody's certificates: RFC 5280 section 6, with RFC 9618 for policies, and bounded work."""

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from crypto.errors import TooMuchWork, UntrustedCertificate
from crypto.pki.rfc5280.constraints import Constraints
from crypto.pki.rfc5280.facts import Facts, read_facts
from crypto.pki.rfc5280.peer import check_name
from crypto.pki.rfc5280.policies import Policies
from crypto.pki.rfc5280.profile import check_any, check_conforming
from crypto.pki.rfc5280.revocation import Revocation
from crypto.pki.rfc5280.rules import Budget, PathRules, VerifiedPath
from crypto.pki.rfc5280.search import Search


def verify_path(
    leaf: x509.Certificate,
    intermediates: Sequence[x509.Certificate],
    anchors: Sequence[x509.Certificate],
    at: datetime,
    *,
    purpose: ObjectIdentifier | None = None,
    crls: Sequence[bytes] = (),
    rules: PathRules | None = None,
) -> VerifiedPath:
    """Return a path from the leaf to one of the anchors that holds at the time `at` (with its zone).

    `purpose` is the extended key usage that the leaf must name; an authority that names any must name it too. With
    revocation lists (DER), every certificate below the anchor must be covered by a fresh one of its issuer and not be
    on it; without any, revocation is the caller's. An anchor's own constraints and validity count (RFC 5937).

    Raises: UntrustedCertificate with the fault of the first whole path or else of the last way that was tried;
    TooMuchWork, which is one.
    """
    rules, at = rules or PathRules(), at.replace(microsecond=0)  # certificates know whole seconds
    budget = Budget(rules.limits)
    search = Search(intermediates, anchors, at, budget, conforming=rules.conforming)
    facts = read_facts(leaf)
    check_any(facts, at)
    if rules.conforming:
        check_conforming(facts)
    _check_leaf(facts, purpose, rules)
    revocation = Revocation(crls, at, budget, conforming=rules.conforming)
    refusal: UntrustedCertificate | None = None
    for path in search.paths(facts):
        try:
            for authority in path[1:]:
                _check_purpose(authority, purpose)
                _check_purpose(authority, rules.not_ruled_out)
            policies = _validate(path, rules, budget)
            revocation.check(path)
        except TooMuchWork:
            raise
        except UntrustedCertificate as error:
            refusal = refusal or error  # another path may do; the first was the best guess
            continue
        return VerifiedPath(tuple(item.certificate for item in path), policies, bool(crls))
    raise refusal or search.fault


def _check_leaf(leaf: Facts, purpose: ObjectIdentifier | None, rules: PathRules) -> None:
    if purpose is not None and purpose not in (leaf.purposes or ()):
        raise UntrustedCertificate("The certificate is not meant for this purpose.")
    _check_purpose(leaf, rules.not_ruled_out)
    if rules.name is not None:
        check_name(leaf, rules.name)


def _validate(path: tuple[Facts, ...], rules: PathRules, budget: Budget) -> frozenset[ObjectIdentifier]:
    """RFC 5280 6.1.2 to 6.1.5, from the anchor down; what the search has checked is not checked again."""
    leaf, *above, anchor = path
    constraints, policies = Constraints(budget), Policies(rules, len(path) - 1)
    if anchor.constraints is not None:
        constraints.add(anchor.constraints)
    room = _room(anchor, rules.limits.depth)
    for facts in reversed(above):
        if not facts.self_issued:
            constraints.check(facts)
            if room == 0:
                raise UntrustedCertificate("An authority of the path may not have that many authorities below it.")
            room -= 1
        policies.take(facts, last=False)
        policies.descend(facts)
        if facts.constraints is not None:
            constraints.add(facts.constraints)
        room = _room(facts, room)
    constraints.check(leaf)
    policies.take(leaf, last=True)
    return policies.finish(leaf)


def _room(facts: Facts, room: int) -> int:
    """6.1.4 (m): how many authorities may still come."""
    limit = None if facts.basic is None else facts.basic.path_length
    return room if limit is None else min(room, limit)


def _check_purpose(facts: Facts, purpose: ObjectIdentifier | None) -> None:
    """Beyond RFC 5280, as everybody does it: an authority that is limited to purposes cannot certify for others."""
    if purpose is None or facts.purposes is None:
        return
    if purpose not in facts.purposes and ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE not in facts.purposes:
        raise UntrustedCertificate("A certificate of the path is limited to other purposes.")
