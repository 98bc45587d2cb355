"""What a caller may ask of a path, what it may cost, and the answer."""

from dataclasses import dataclass, field

from cryptography import x509
from cryptography.x509.oid import ObjectIdentifier

from crypto.errors import TooMuchWork

ANY_POLICY = ObjectIdentifier("2.5.29.32.0")  # RFC 5280 4.2.1.4


@dataclass(frozen=True, slots=True)
class Limits:
    """How much work one question may cause. Whatever needs more is refused with a sentence that says so."""

    depth: int = 8  # authorities between the leaf and the anchor, those that only renew themselves not counted
    candidates: int = 256  # certificates offered
    steps: int = 1_000  # places looked at while searching
    signatures: int = 128
    comparisons: int = 50_000  # of a name with a constraint


@dataclass(frozen=True, slots=True)
class PathRules:
    """The inputs of RFC 5280 6.1.1 besides the certificates; the defaults ask for nothing.

    `not_ruled_out` is a purpose that any certificate which names purposes must name, or all of them.
    `conforming` asks also for what RFC 5280 section 4 asks of issuers: key identifiers, critical constraints and so on.
    `policies` is the user-initial-policy-set; `name` is a host, address or mail address that the leaf must bear.
    """

    policies: frozenset[ObjectIdentifier] = frozenset({ANY_POLICY})
    require_policy: bool = False
    inhibit_mapping: bool = False
    inhibit_any_policy: bool = False
    name: x509.GeneralName | None = None
    not_ruled_out: ObjectIdentifier | None = None
    conforming: bool = True
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class VerifiedPath:
    """A leaf that holds. `path` begins with the leaf and ends with the anchor; `policies` are those it is good under.

    `revocation_checked` says whether revocation lists covered every certificate below the anchor.
    """

    path: tuple[x509.Certificate, ...]
    policies: frozenset[ObjectIdentifier]
    revocation_checked: bool


class Budget:
    """What is left of the limits; one for each question."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._steps = limits.steps
        self._signatures = limits.signatures
        self._comparisons = limits.comparisons

    def step(self) -> None:
        """Raises: TooMuchWork, like all of these."""
        self._steps -= 1
        if self._steps < 0:
            raise TooMuchWork("The certificates offer more ways to search than are looked at here.")

    def signature(self) -> None:
        self._signatures -= 1
        if self._signatures < 0:
            raise TooMuchWork("The certificates ask for more signature checks than are made here.")

    def compare(self, count: int) -> None:
        """Before comparing that many names with constraints."""
        self._comparisons -= count
        if self._comparisons < 0:
            raise TooMuchWork("The certificates have more names and name constraints than are compared here.")
