"""The transcript: a text that people can read aloud, signed by the root key, and what it must fulfil. Pure."""

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from cardsvc.errors import CityError, ErrorKind
from crypto import keys, pki
from crypto.errors import InvalidSignature, MalformedMessage
from crypto.keys import P256Signer

# The first line is what keeps the root key's signature under a text from being one under anything else.
FIRST_LINE = "city.ceremony.v1"
PART_LENGTH_MIN = 12
TEXT_MAX = 256 * 1024
_LINE = 64
_NAMED = {"Root certificate": "CERTIFICATE", "Signature": "SIGNATURE"}
_KEY = re.compile(r"  (\S+) generation (\d+), (\w+): public key ([0-9a-f]{64})(?:, certificate ([0-9a-f]{64}))?")


class TooFewPeople(CityError):
    """Two different people hold the root key, or nobody can say that one alone did not use it."""

    code = "ceremony_too_few_people"
    kind = ErrorKind.UNPROCESSABLE

    def __init__(self) -> None:
        super().__init__("A ceremony needs two custodians with two names. Begin again with both present.")


class UnsuitablePart(CityError):
    code = "ceremony_unsuitable_part"
    kind = ErrorKind.UNPROCESSABLE

    def __init__(self) -> None:
        super().__init__(
            f"Each custodian's part of the passphrase has {PART_LENGTH_MIN} characters or more, and the two differ."
        )


class NotConfirmed(CityError):
    """Somebody said no: the ceremony ends where it is."""

    code = "ceremony_not_confirmed"
    kind = ErrorKind.CONFLICT

    def __init__(self, step: str, *, keys_made: bool) -> None:
        done = (
            "Keys were made before that: take away the vault's folder and the root file, then begin again"
            if keys_made
            else "Nothing was made; begin again when everybody agrees"
        )
        super().__init__(f"Not everybody confirmed the step '{step}'. {done}.")


class RootDoesNotOpen(CityError):
    code = "ceremony_root_does_not_open"
    kind = ErrorKind.UNPROCESSABLE

    def __init__(self) -> None:
        super().__init__(
            "The root key does not open: a custodian's part is wrong, the two are in the wrong order, or the file was"
            " changed. Try again."
        )


class NotTheRoot(CityError):
    code = "ceremony_not_the_root"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("The file holds another root key than this city's. Bring the one of its last ceremony.")


class BadTranscript(CityError):
    """The transcript is not what the holders of the root key signed."""

    code = "ceremony_bad_transcript"
    kind = ErrorKind.UNPROCESSABLE

    def __init__(self, problem: str) -> None:
        super().__init__(f"The transcript does not verify: {problem}.")


@dataclass(frozen=True, slots=True)
class People:
    """Who was there. The custodians hold one part of the root's passphrase each, in this order."""

    operator: str
    custodians: tuple[str, str]
    witnesses: tuple[str, ...] = ()

    def check(self) -> None:
        """Raises: TooFewPeople."""
        first, second = (" ".join(name.casefold().split()) for name in self.custodians)
        if not first or not second or first == second or not self.operator.strip():
            raise TooFewPeople


@dataclass(frozen=True, slots=True)
class Step:
    """One step, when it was confirmed (UTC) and by whom."""

    at: datetime
    text: str
    confirmed_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A key as the transcript names it: SHA-256 over its SubjectPublicKeyInfo and over its certificate (DER)."""

    name: str
    generation: int
    stage: str
    key_hash: str
    certificate_hash: str | None

    @classmethod
    def of(cls, name: str, generation: int, stage: str, key: keys.PublicKey, found: x509.Certificate | None) -> Self:
        certificate = None if found is None else sha256(pki.to_der(found)).hexdigest()
        return cls(name, generation, stage, sha256(keys.spki(key)).hexdigest(), certificate)

    def line(self) -> str:
        certificate = "" if self.certificate_hash is None else f", certificate {self.certificate_hash}"
        return f"  {self.name} generation {self.generation}, {self.stage}: public key {self.key_hash}{certificate}"


def check_parts(parts: tuple[str, str]) -> None:
    """Raises: UnsuitablePart."""
    if min(map(len, parts)) < PART_LENGTH_MIN or parts[0] == parts[1]:
        raise UnsuitablePart


def fingerprint(root: x509.Certificate) -> str:
    """What people compare: SHA-256 over the root's certificate, in groups of four."""
    digits = sha256(pki.to_der(root)).hexdigest()
    return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))


@dataclass(frozen=True, slots=True)
class Transcript:
    """A transcript that was verified under the root certificate inside it; whether that is the city's root is for the
    reader to know (`fingerprint`).
    """

    text: str
    root: x509.Certificate
    listed: tuple[ListedKey, ...]

    @staticmethod
    def write(
        *,
        kind: str,
        city_name: str,
        log_origin: str,
        place: str,
        people: People,
        steps: Sequence[Step],
        listed: Sequence[ListedKey],
        root: x509.Certificate,
        signer: P256Signer,
    ) -> str:
        """The signed text. Every name and place in it stands on one line."""
        parts = [
            f"{FIRST_LINE}: {kind}",
            "",
            f"City: {_plain(city_name)}",
            f"Log: {_plain(log_origin)}",
            f"Keys are kept in: {_plain(place)}",
            "",
            "Present",
            f"  operator: {_plain(people.operator)}",
            *(f"  custodian {number}: {_plain(name)}" for number, name in enumerate(people.custodians, 1)),
            *(f"  witness: {_plain(name)}" for name in people.witnesses),
            "",
            "Steps (UTC)",
            *(
                f"  {number}. {step.at:%Y-%m-%d %H:%M:%S} {_plain(step.text)}"
                f" - confirmed by {' and '.join(map(_plain, step.confirmed_by))}"
                for number, step in enumerate(steps, 1)
            ),
            "",
            "Keys (SHA-256 of the public key's SubjectPublicKeyInfo, and of the certificate)",
            *(one.line() for one in listed),
            "",
            "Fingerprint of the root certificate (SHA-256)",
            f"  {fingerprint(root)}",
            "",
            *_block("Root certificate", pki.to_der(root)),
            "",
        ]
        text = "\n".join(parts)
        return text + "\n".join(_block("Signature", keys.raw_to_der(signer.sign(text.encode())))) + "\n"

    @classmethod
    def verify(cls, document: str) -> Self:
        """Read it, and check the signature under the root certificate that it holds. Raises: BadTranscript."""
        if len(document) > TEXT_MAX or not document.startswith(f"{FIRST_LINE}: "):
            raise BadTranscript(f"it does not begin with {FIRST_LINE}, or is too long")
        text, mark, _ = document.partition("-----BEGIN SIGNATURE-----\n")
        if not mark:
            raise BadTranscript("it has no signature")
        try:
            root = pki.load_certificate(_unblock(text, "Root certificate"))
            key = root.public_key()
            if not isinstance(key, EllipticCurvePublicKey):
                raise BadTranscript("its root's key is not on P-256")
            keys.verify(key, text.encode(), keys.der_to_raw(_unblock(document, "Signature")))
        except (MalformedMessage, InvalidSignature) as error:
            raise BadTranscript(str(error).rstrip(".")) from error
        if document != text + "\n".join(_block("Signature", _unblock(document, "Signature"))) + "\n":
            raise BadTranscript("something stands behind its signature")
        return cls(text, root, tuple(_listed(text.splitlines())))


def _listed(lines: Iterable[str]) -> Iterable[ListedKey]:
    for line in lines:
        if found := _KEY.fullmatch(line):
            name, generation, stage, key_hash, certificate_hash = found.groups()
            yield ListedKey(name, int(generation), stage, key_hash, certificate_hash)


def _plain(text: str) -> str:
    """On one line: a name must not bring lines of its own into the transcript."""
    return " ".join(text.split())


def _block(title: str, data: bytes) -> list[str]:
    name = _NAMED[title]
    encoded = base64.b64encode(data).decode("ascii")
    lines = [encoded[start : start + _LINE] for start in range(0, len(encoded), _LINE)]
    return [f"-----BEGIN {name}-----", *lines, f"-----END {name}-----"]


def _unblock(document: str, title: str) -> bytes:
    name = _NAMED[title]
    _, _, rest = document.partition(f"-----BEGIN {name}-----\n")
    encoded, mark, _ = rest.partition(f"\n-----END {name}-----")
    try:
        data = base64.b64decode(encoded.replace("\n", ""), validate=True)
    except binascii.Error as error:
        raise BadTranscript(f"its {title.lower()} cannot be read") from error
    if not mark:
        raise BadTranscript(f"it has no {title.lower()}")
    return data
