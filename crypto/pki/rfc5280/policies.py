"""Certificate policies along a path: the graph of RFC 9618 in place of the tree of RFC 5280, which can be made to grow.

A level has one node for each policy: its size is bounded by what the certificates name, not by the combinations.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.x509.oid import ObjectIdentifier

from crypto.errors import UntrustedCertificate
from crypto.pki.rfc5280.facts import Facts
from crypto.pki.rfc5280.rules import ANY_POLICY, PathRules


@dataclass(slots=True, eq=False)
class _Node:
    """`expected` are the names the policy goes by one level below."""

    policy: ObjectIdentifier
    parents: list["_Node"]
    expected: frozenset[ObjectIdentifier]


class Policies:
    """The state of RFC 5280 6.1.2 (a), (d), (e), (f) as RFC 9618 5 changes it; counts are of certificates to come."""

    def __init__(self, rules: PathRules, length: int) -> None:
        self._wanted = rules.policies
        self._explicit = 0 if rules.require_policy else length + 1
        self._inhibit_any = 0 if rules.inhibit_any_policy else length + 1
        self._mapping = 0 if rules.inhibit_mapping else length + 1
        # None once no policy is left; otherwise the nodes of the last level, by policy
        self._level: dict[ObjectIdentifier, _Node] | None = {ANY_POLICY: _node(ANY_POLICY, [])}

    def take(self, facts: Facts, *, last: bool) -> None:
        """RFC 9618 5.3 (d) to (f). Raises: UntrustedCertificate."""
        if facts.policies is None:
            self._level = None
        elif self._level is not None:
            any_counts = self._inhibit_any > 0 or (not last and facts.self_issued)
            self._level = _next_level(self._level, facts.policies, any_counts=any_counts) or None
        self._check_explicit()

    def descend(self, facts: Facts) -> None:
        """RFC 9618 5.4 (a), (b) and (h) to (j): what this authority says about those below it."""
        self._map(facts)
        if not facts.self_issued:
            self._explicit = max(self._explicit - 1, 0)
            self._mapping = max(self._mapping - 1, 0)
            self._inhibit_any = max(self._inhibit_any - 1, 0)
        constraints = facts.policy_constraints
        if constraints is not None:
            self._explicit = _lower(self._explicit, constraints.require_explicit_policy)
            self._mapping = _lower(self._mapping, constraints.inhibit_policy_mapping)
        self._inhibit_any = _lower(self._inhibit_any, facts.inhibit_any)

    def finish(self, facts: Facts) -> frozenset[ObjectIdentifier]:
        """The policies that the caller wanted and the path is good under. Raises: UntrustedCertificate."""
        if not facts.self_issued:
            self._explicit = max(self._explicit - 1, 0)
        constraints = facts.policy_constraints
        if constraints is not None and constraints.require_explicit_policy == 0:
            self._explicit = 0
        constrained = self._authority_constrained()
        if ANY_POLICY in self._wanted:
            result = constrained
        elif ANY_POLICY in constrained:
            result = self._wanted
        else:
            result = self._wanted & constrained
        if self._explicit == 0 and not result:
            raise UntrustedCertificate("The path is good under none of the policies that are asked for.")
        return result

    def _check_explicit(self) -> None:
        if self._explicit == 0 and self._level is None:
            raise UntrustedCertificate("The path must have a certificate policy and has none.")

    def _map(self, facts: Facts) -> None:
        if any(ANY_POLICY in pair for pair in facts.mappings):
            raise UntrustedCertificate("A policy mapping of the path maps the policy that stands for all.")
        if self._level is None:
            return
        for above in dict.fromkeys(pair[0] for pair in facts.mappings):
            if self._mapping == 0:
                self._level.pop(above, None)
                continue
            expected = frozenset(pair[1] for pair in facts.mappings if pair[0] == above)
            if above in self._level:
                self._level[above].expected = expected
            elif ANY_POLICY in self._level:
                self._level[above] = _Node(above, self._level[ANY_POLICY].parents, expected)
        self._level = self._level or None

    def _authority_constrained(self) -> frozenset[ObjectIdentifier]:
        """RFC 9618 5.5 (g): the policies, in the anchor's words, from which the last level can be reached."""
        found: set[ObjectIdentifier] = set()
        seen: set[int] = set()
        waiting = list((self._level or {}).values())
        if any(node.policy == ANY_POLICY for node in waiting):
            return frozenset({ANY_POLICY})
        while waiting:
            node = waiting.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            if any(parent.policy == ANY_POLICY for parent in node.parents):
                found.add(node.policy)
            waiting.extend(parent for parent in node.parents if parent.policy != ANY_POLICY)
        return frozenset(found)


def _node(policy: ObjectIdentifier, parents: list[_Node]) -> _Node:
    return _Node(policy, parents, frozenset({policy}))


def _next_level(
    above: dict[ObjectIdentifier, _Node], policies: Iterable[ObjectIdentifier], *, any_counts: bool
) -> dict[ObjectIdentifier, _Node]:
    """RFC 9618 5.3 (d) 1 and 2."""
    expecting: dict[ObjectIdentifier, list[_Node]] = {}
    for node in above.values():
        for policy in node.expected:
            expecting.setdefault(policy, []).append(node)
    level: dict[ObjectIdentifier, _Node] = {}
    stated = set(policies)
    for policy in stated - {ANY_POLICY}:
        if policy in expecting:
            level[policy] = _node(policy, expecting[policy])
        elif ANY_POLICY in above:
            level[policy] = _node(policy, [above[ANY_POLICY]])
    if ANY_POLICY in stated and any_counts:
        for policy, parents in expecting.items():
            if policy not in level:
                level[policy] = _node(policy, parents)
    return level


def _lower(count: int, stated: int | None) -> int:
    return count if stated is None else min(count, stated)
