"""`pki ...`: anybody checks a certificate's path, looks into certificates and lists, and runs files of cases."""

import ipaddress
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from crypto.commands.cases import run_cases
from crypto.errors import CryptoError, MalformedMessage
from crypto.pki import ANY_POLICY, PathRules, VerifiedPath, verify_path
from crypto.pki.certificates import UNREADABLE, to_der
from crypto.pki.crl import load_crl
from crypto.pki.files import CERTIFICATE, FILE_BYTES_MAX, LIST, blocks, load_foreign
from crypto.pki.profiles import EKU_CARD_AUTHENTICATION, EKU_CONTENT_SIGNING, EKU_DOCUMENT_SIGNING

PURPOSES = {
    "client": ExtendedKeyUsageOID.CLIENT_AUTH,
    "server": ExtendedKeyUsageOID.SERVER_AUTH,
    "email": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "code": ExtendedKeyUsageOID.CODE_SIGNING,
    "card": EKU_CARD_AUTHENTICATION,
    "content": EKU_CONTENT_SIGNING,
    "document": EKU_DOCUMENT_SIGNING,
}
_FILE = click.Path(path_type=Path)


@click.group()
def pki() -> None:
    """Certificates: check a path, look inside, run files of test cases."""


@pki.command()
@click.argument("leaf", type=_FILE)
@click.option("--anchor", "anchors", type=_FILE, multiple=True, required=True, help="Trusted certificates. Repeatable.")
@click.option("--intermediate", "intermediates", type=_FILE, multiple=True, help="Certificates between. Repeatable.")
@click.option(
    "--crl", "lists", type=_FILE, multiple=True, help="Revocation lists; then all must be covered. Repeatable."
)
@click.option("--at", "at_text", metavar="TIME", help="The time to check for, RFC 3339; now when left out.")
@click.option("--purpose", metavar="NAME|OID", help=f"What the leaf must be for: {', '.join(PURPOSES)} or an OID.")
@click.option("--name", metavar="NAME", help="Host name, IP address or mail address that the leaf must bear.")
@click.option(
    "--policy", "policies", metavar="OID", multiple=True, help="A certificate policy that will do. Repeatable."
)
@click.option("--accept-nonconforming", is_flag=True, help="Overlook what RFC 5280 section 4 asks of issuers only.")
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object.")
@click.pass_context
def verify(
    context: click.Context,
    leaf: Path,
    anchors: tuple[Path, ...],
    intermediates: tuple[Path, ...],
    lists: tuple[Path, ...],
    *,
    at_text: str | None,
    purpose: str | None,
    name: str | None,
    policies: tuple[str, ...],
    accept_nonconforming: bool,
    as_json: bool,
) -> None:
    """Check the certificate in LEAF: does a path lead to an anchor, after RFC 5280 section 6? Files are PEM or DER.

    Further certificates in LEAF count as intermediates. Exit status 0 only when a path holds.
    """
    try:
        first, *rest = _certificates([leaf])
        rules = PathRules(
            policies=frozenset(map(_oid, policies)) or frozenset({ANY_POLICY}),
            require_policy=bool(policies),
            name=None if name is None else general_name(name),
            conforming=not accept_nonconforming,
        )
        verified = verify_path(
            first,
            [*rest, *_certificates(intermediates)],
            _certificates(anchors),
            _time(at_text),
            purpose=None if purpose is None else PURPOSES.get(purpose) or _oid(purpose),
            crls=[item for file in lists for item in blocks(_read(file), LIST)],
            rules=rules,
        )
    except CryptoError as error:
        if as_json:
            click.echo(json.dumps({"holds": False, "code": error.code, "reason": str(error)}))
        else:
            click.echo(f"The certificate does not hold. {error}", err=True)
        context.exit(1)
    click.echo(json.dumps(_verdict(verified)) if as_json else _verdict_text(verified))


@pki.command()
@click.argument("file", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object.")
@click.pass_context
def show(context: click.Context, file: Path, *, as_json: bool) -> None:
    """Show what the certificates or the revocation lists in FILE say. Nothing is verified."""
    try:
        data = _read(file)
        items = [_describe(item) for item in blocks(data, CERTIFICATE)] if not _is_list(data) else []
        items = items or [_describe_list(item) for item in blocks(data, LIST)]
        if not items:
            raise MalformedMessage(f"{file} holds neither certificates nor revocation lists.")
    except CryptoError as error:
        if as_json:
            click.echo(json.dumps({"code": error.code, "reason": str(error)}))
        else:
            click.echo(str(error), err=True)
        context.exit(1)
    if as_json:
        click.echo(json.dumps({"items": items}))
        return
    for item in items:
        click.echo("\n".join(f"{key:<13} {_text(value)}" for key, value in item.items()) + "\n")


@pki.command("check-cases")
@click.argument("file", type=_FILE)
@click.option("--at", "at_text", metavar="TIME", help="The time for cases that name none, RFC 3339; now when left out.")
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object.")
@click.pass_context
def check_cases(context: click.Context, file: Path, *, at_text: str | None, as_json: bool) -> None:
    """Run the path validator on a FILE of cases in the layout of x509-limbo, and compare with what each expects.

    The answer has the layout of that suite's results, and what differs. Exit status 0 only when nothing differs.
    """
    try:
        outcome = run_cases(_read(file, 16 * FILE_BYTES_MAX), _time(at_text))
    except CryptoError as error:
        if as_json:
            click.echo(json.dumps({"code": error.code, "reason": str(error)}))
        else:
            click.echo(str(error), err=True)
        context.exit(1)
    differing = outcome.differing
    if as_json:
        click.echo(json.dumps(outcome.as_json()))
    else:
        for item in differing:
            click.echo(f"{item.case_id}: expected {item.expected}, was {item.actual}. {item.context}")
        click.echo(f"{len(outcome.results) - len(differing)} of {len(outcome.results)} cases as expected.")
    context.exit(1 if differing else 0)


def general_name(text: str) -> x509.GeneralName:
    """An IP address, mail address or host name, by what it looks like."""
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        pass
    try:
        return x509.RFC822Name(text) if "@" in text else x509.DNSName(text)
    except ValueError as error:
        raise MalformedMessage(f"{text} is no name in ASCII.") from error


def _read(file: Path, size_max: int = FILE_BYTES_MAX) -> bytes:
    try:
        with file.open("rb") as stream:
            data = stream.read(size_max + 1)
    except OSError as error:
        raise MalformedMessage(f"{file} cannot be read: {error.strerror}.") from error
    if len(data) > size_max:
        raise MalformedMessage(f"{file} is too large; it is some other file.")
    return data


def _certificates(files: Sequence[Path]) -> list[x509.Certificate]:
    found = []
    for file in files:
        encoded = blocks(_read(file), CERTIFICATE)
        if not encoded:
            raise MalformedMessage(f"{file} holds no certificate.")
        found += [load_foreign(item) for item in encoded]
    return found


def _oid(text: str) -> ObjectIdentifier:
    try:
        return ObjectIdentifier(text)
    except ValueError as error:
        raise MalformedMessage(f"{text} is no object identifier, and no purpose that has a name here.") from error


def _time(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)  # noqa: TID251 - a command without a city has no other clock; --at gives the time
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise MalformedMessage(f"{text} is no time; write it as 2026-07-01T12:00:00Z.") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _is_list(data: bytes) -> bool:
    if b"-----BEGIN " in data:
        return False
    try:
        load_crl(data)
    except CryptoError:
        return False
    return True


def _verdict(verified: VerifiedPath) -> dict[str, object]:
    return {
        "holds": True,
        "path": [item.subject.rfc4514_string() for item in verified.path],
        "fingerprints": [item.fingerprint(hashes.SHA256()).hex() for item in verified.path],
        "policies": sorted(item.dotted_string for item in verified.policies),
        "revocation_checked": verified.revocation_checked,
    }


def _verdict_text(verified: VerifiedPath) -> str:
    names = [item.subject.rfc4514_string() or "(no name)" for item in verified.path]
    revocation = "was checked by the lists" if verified.revocation_checked else "was not checked: no list was given"
    return "\n".join(["The certificate holds.", *(f"  {name}" for name in names), f"Revocation {revocation}."])


def _describe(data: bytes) -> dict[str, object]:
    certificate = load_foreign(data)
    try:
        return {
            "subject": certificate.subject.rfc4514_string(),
            "issuer": certificate.issuer.rfc4514_string(),
            "serial": f"{certificate.serial_number:x}",
            "not_before": f"{certificate.not_valid_before_utc:%Y-%m-%dT%H:%M:%SZ}",
            "not_after": f"{certificate.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}",
            "signature": certificate.signature_algorithm_oid.dotted_string,
            "key": type(certificate.public_key()).__name__.removesuffix("PublicKey"),
            "sha256": certificate.fingerprint(hashes.SHA256()).hex(),
            "bytes": len(to_der(certificate)),
            "extensions": _extensions(certificate.extensions),
        }
    except UNREADABLE as error:
        raise MalformedMessage(f"The certificate cannot be read to its end: {error}") from error


def _describe_list(data: bytes) -> dict[str, object]:
    crl = load_crl(data)
    return {
        "issuer": crl.issuer.rfc4514_string(),
        "this_update": f"{crl.last_update_utc:%Y-%m-%dT%H:%M:%SZ}",
        "next_update": crl.next_update_utc and f"{crl.next_update_utc:%Y-%m-%dT%H:%M:%SZ}",
        "revoked": len(crl),
        "extensions": _extensions(crl.extensions),
    }


def _extensions(found: x509.Extensions) -> list[dict[str, object]]:
    return [{"oid": item.oid.dotted_string, "critical": item.critical, "value": str(item.value)} for item in found]


def _text(value: object) -> str:
    return "".join(f"\n  {item}" for item in value) if isinstance(value, list) else str(value)
