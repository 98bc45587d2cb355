"""Files of path cases in the layout of x509-limbo (limbo-schema.json, version 1), run against our validator."""

import ipaddress
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from crypto.errors import CryptoError, MalformedMessage
from crypto.pki import Limits, PathRules, verify_path
from crypto.pki.files import CERTIFICATE, LIST, blocks, load_foreign

_PURPOSES = {
    "anyExtendedKeyUsage": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    "serverAuth": ExtendedKeyUsageOID.SERVER_AUTH,
    "clientAuth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "codeSigning": ExtendedKeyUsageOID.CODE_SIGNING,
    "emailProtection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "timeStamping": ExtendedKeyUsageOID.TIME_STAMPING,
    "OCSPSigning": ExtendedKeyUsageOID.OCSP_SIGNING,
}
_DEPTH_MAX = 16
# whom the case is about: that much is asked even of a case that names no purpose
_KINDS = {"SERVER": ExtendedKeyUsageOID.SERVER_AUTH, "CLIENT": ExtendedKeyUsageOID.CLIENT_AUTH}


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What one case expects and what it was: SUCCESS or FAILURE; `context` is why not."""

    case_id: str
    expected: str
    actual: str
    context: str


@dataclass(frozen=True, slots=True)
class CasesResult:
    results: tuple[CaseResult, ...]

    @property
    def differing(self) -> list[CaseResult]:
        return [item for item in self.results if item.expected != item.actual]

    def as_json(self) -> dict[str, object]:
        """That suite's own layout of results, and the counts."""
        rows = [{"id": item.case_id, "actual_result": item.actual, "context": item.context} for item in self.results]
        return {
            "version": 1,
            "harness": "city",
            "results": rows,
            "cases": len(rows),
            "as_expected": len(rows) - len(self.differing),
            "differing": [
                {"id": item.case_id, "expected": item.expected, "actual": item.actual, "context": item.context}
                for item in self.differing
            ],
        }


def run_cases(data: bytes, now: datetime) -> CasesResult:
    """`now` is for cases that name no time. Raises: MalformedMessage when it is no such file."""
    try:
        cases = json.loads(data)["testcases"]
        return CasesResult(tuple(_run(case, now) for case in cases))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise MalformedMessage(f"The file is not a file of path cases: {error!r}") from error


def _run(case: dict[str, Any], now: datetime) -> CaseResult:
    actual, context = "SUCCESS", ""
    try:
        _verify(case, now)
    except CryptoError as error:
        actual, context = "FAILURE", f"{error.code}: {error}"
    return CaseResult(case["id"], case["expected_result"], actual, context)


def _verify(case: dict[str, Any], now: datetime) -> None:
    at = now if case.get("validation_time") is None else datetime.fromisoformat(case["validation_time"])
    depth = case.get("max_chain_depth")
    limits = Limits() if depth is None else Limits(depth=min(depth, _DEPTH_MAX))
    leaf = load_foreign(_single(case["peer_certificate"], CERTIFICATE))
    wanted = case.get("expected_peer_name")
    rules = PathRules(
        name=None if wanted is None else _name(wanted),
        not_ruled_out=_KINDS.get(case.get("validation_kind", "")),
        limits=limits,
    )
    for purpose in case.get("extended_key_usage") or (None,):
        verify_path(
            leaf,
            _readable(case.get("untrusted_intermediates", [])),
            _readable(case["trusted_certs"]),
            at,
            purpose=None if purpose is None else _PURPOSES.get(purpose) or ObjectIdentifier(purpose),
            crls=[_single(item, LIST) for item in case.get("crls", ())],
            rules=rules,
        )


def _single(text: str, kind: bytes) -> bytes:
    found = blocks(text.encode(), kind)
    if len(found) != 1:
        raise MalformedMessage("A case has not one block where one must be.")
    return found[0]


def _readable(texts: list[str]) -> list[x509.Certificate]:
    """One that cannot be read stands in no path, and makes no other path bad."""
    found = []
    for text in texts:
        try:
            found.append(load_foreign(_single(text, CERTIFICATE)))
        except MalformedMessage:
            continue
    return found


def _name(wanted: dict[str, str]) -> x509.GeneralName:
    try:
        match wanted["kind"]:
            case "DNS":
                return x509.DNSName(wanted["value"])
            case "RFC822":
                return x509.RFC822Name(wanted["value"])
            case "IP":
                return x509.IPAddress(ipaddress.ip_address(wanted["value"]))
    except ValueError as error:
        raise MalformedMessage("The case asks for a name that is none.") from error
    raise MalformedMessage("The case asks for a name of an unknown kind.")
