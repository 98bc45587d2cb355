"""Is this a citizen card that works? What a stranger with a reader can find out without the service, step by step.

It cannot say whether the card was revoked, nor, without an authority's certificate to compare with, who issued it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec

from terminals.card.errors import CardError, ObjectMissing
from terminals.card.keys import Slot
from terminals.card.session import PivSession


class CheckFailed(CardError):
    """The card answered well, but what it holds does not fit together. `reason` is the sentence."""

    code = "card_check_failed"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was looked at. `code` is empty when it held."""

    name: str
    ok: bool
    detail: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """All steps in order; after the first that failed, nothing more was asked.

    `card_id` and `expires_on` are the card's own words, None when it had none.
    """

    steps: tuple[Step, ...]
    card_id: UUID | None = None
    expires_on: date | None = None

    @property
    def ok(self) -> bool:
        return all(step.ok for step in self.steps)

    @property
    def code(self) -> str:
        return next((step.code for step in self.steps if not step.ok), "")

    @property
    def verdict(self) -> str:
        failed = next((step for step in self.steps if not step.ok), None)
        return failed.detail if failed else "This is a citizen card and it works."


class Check:
    """The steps, in order. `authorities` may be empty: then the issuer is named, not checked."""

    def __init__(self, session: PivSession, now: datetime, authorities: Sequence[x509.Certificate] = ()) -> None:
        self._session = session
        self._now = now
        self._authorities = authorities
        self._card_id: UUID | None = None
        self._expires_on: date | None = None
        self._certificates: dict[Slot, x509.Certificate] = {}

    def run(self, pin: bytearray | None = None) -> Report:
        """Look at the card; with a PIN (wiped) also sign with 9C. Card errors become steps, they are not raised."""
        actions: list[tuple[str, Callable[[], str]]] = [
            ("application", self._select),
            ("identifier", self._read_identifier),
            ("certificates", self._read_certificates),
            ("issuer", self._check_issuer),
            ("presence (9E)", lambda: self._prove(Slot.CARD_AUTHENTICATION)),
            ("PIN state", self._read_pin_status),
        ]
        if pin is not None:
            actions.append(("signature (9C)", lambda: self._sign_with_pin(pin)))
        steps: list[Step] = []
        for name, action in actions:
            try:
                steps.append(Step(name, ok=True, detail=action()))
            except CardError as error:
                steps.append(Step(name, ok=False, detail=str(error), code=error.code))
                break
        return Report(tuple(steps), self._card_id, self._expires_on)

    def _select(self) -> str:
        application = self._session.select()
        return f"PIV application {application.aid.hex().upper()} {application.label}".rstrip()

    def _read_identifier(self) -> str:
        chuid = self._session.read_chuid()
        self._card_id, self._expires_on = chuid.guid, chuid.expires
        if chuid.expires < self._now.date():
            raise CheckFailed(f"The card expired on {chuid.expires}; the counter can renew it.")
        return f"card {chuid.guid}, valid to {chuid.expires}"

    def _read_certificates(self) -> str:
        for slot in Slot:
            try:
                der = self._session.read_certificate(slot)
            except ObjectMissing:
                if slot is Slot.CARD_AUTHENTICATION:
                    raise
                continue
            self._certificates[slot] = self._readable(slot, der)
        return ", ".join(slot.title for slot in self._certificates) + " present, naming this card, within their time"

    def _readable(self, slot: Slot, der: bytes) -> x509.Certificate:
        try:
            certificate = x509.load_der_x509_certificate(der)
            names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            urns = names.get_values_for_type(x509.UniformResourceIdentifier)
        except (ValueError, x509.ExtensionNotFound):
            raise CheckFailed(f"The {slot.title} certificate cannot be read or names no card; replace it.") from None
        if self._card_id is None or self._card_id.urn not in urns:
            raise CheckFailed(f"The {slot.title} certificate belongs to another card; keep this one and report it.")
        if not certificate.not_valid_before_utc <= self._now <= certificate.not_valid_after_utc:
            raise CheckFailed(f"The {slot.title} certificate is not valid today; the counter can renew the card.")
        return certificate

    def _check_issuer(self) -> str:
        issuers = {certificate.issuer.rfc4514_string() for certificate in self._certificates.values()}
        if not self._authorities:
            return f"says {' and '.join(sorted(issuers))}; not checked, no authority was given"
        for slot, certificate in self._certificates.items():
            if not any(_issued_by(certificate, authority) for authority in self._authorities):
                raise CheckFailed(f"The {slot.title} certificate was not issued by the given authority.")
        return f"issued by {' and '.join(sorted(issuers))}"

    def _prove(self, slot: Slot) -> str:
        public_key = self._certificates[slot].public_key()
        if not (isinstance(public_key, ec.EllipticCurvePublicKey) and isinstance(public_key.curve, ec.SECP256R1)):
            raise CheckFailed(f"The {slot.title} key is not a P-256 key; this is a PIV card, but not a citizen card.")
        self._session.prove_possession(slot, public_key)
        return f"signed a fresh challenge with the key of its {slot.title} certificate"

    def _read_pin_status(self) -> str:
        status = self._session.pin_status()
        if status.blocked:
            raise CheckFailed("The PIN is blocked; the counter can open it again with the PUK.")
        return f"{status.attempts_left} tries left"

    def _sign_with_pin(self, pin: bytearray) -> str:
        if Slot.SIGNATURE not in self._certificates:
            raise ObjectMissing("digital signature certificate (9C)")
        self._session.verify_pin(pin)
        return self._prove(Slot.SIGNATURE)


def _issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
