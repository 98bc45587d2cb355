"""Path validation after RFC 5280 section 6, for certificates of anybody; its work is bounded."""

from crypto.pki.rfc5280.rules import ANY_POLICY, Limits, PathRules, VerifiedPath
from crypto.pki.rfc5280.verify import verify_path

__all__ = ["ANY_POLICY", "Limits", "PathRules", "VerifiedPath", "verify_path"]
