"""Path validation for anybody's certificates: RFC 5280 section 6 with bounded work; what is accepted is stated here."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import ObjectIdentifier

ANY_POLICY = ObjectIdentifier("2.5.29.32.0")  # RFC 5280 4.2.1.4


@dataclass(frozen=True, slots=True)
class Limits:
    """How much work one question may cause. Whatever needs more is refused with a sentence that says so."""

    depth: int = 8  # certificates between the leaf and the anchor
    candidates: int = 512  # certificates offered
    steps: int = 2_000  # places looked at while searching
    signatures: int = 128
    comparisons: int = 100_000  # of a name with a constraint


@dataclass(frozen=True, slots=True)
class PathRules:
    """The inputs of RFC 5280 6.1.1 besides the certificates; the defaults ask for nothing.

    `policies` is the user-initial-policy-set; `name` is a host name, IP address or mail address that the leaf must bear.
    """

    policies: frozenset[ObjectIdentifier] = frozenset({ANY_POLICY})
    require_policy: bool = False
    inhibit_mapping: bool = False
    inhibit_any_policy: bool = False
    name: x509.GeneralName | None = None
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class VerifiedPath:
    """A leaf that holds. `path` begins with the leaf and ends with the anchor; `policies` are those it is good under.

    `revocation_checked` says whether CRLs covered every certificate below the anchor.
    """

    path: tuple[x509.Certificate, ...]
    policies: frozenset[ObjectIdentifier]
    revocation_checked: bool


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

    `purpose` is the extended key usage that the leaf is wanted for. With CRLs (DER), every certificate below the anchor
    must be covered by a fresh one of its issuer and not be on it; without any, revocation is the caller's.

    Raises: UntrustedCertificate with the fault of the best path that was found.
    """
    raise NotImplementedError
