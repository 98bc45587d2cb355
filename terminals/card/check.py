"""Does this PIV card work, and is it a citizen card? What a stranger with a reader can find out without the service.

It cannot say who issued it without an authority to compare with, nor whether it was revoked without a list.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from cryptography import x509

from terminals.card.challenge import kind_of
from terminals.card.errors import CardError, CardNotGenuine, NotAllowed, ObjectMissing, PinBlocked
from terminals.card.keys import Slot
from terminals.card.objects import Chuid, DataObject
from terminals.card.session import PivSession
from terminals.card.trust import (
    CheckFailed,
    Trust,
    check_chuid,
    check_identity,
    check_vouched,
    read_certificate,
)

_CITIZEN_KEY = "EC P-256"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was looked at. `code` and `fault` are empty when it held; `fault` is one word for the reason."""

    name: str
    ok: bool
    detail: str
    code: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """All steps in order; after the first that failed, nothing more was asked.

    `card_id` and `expires_on` are the card's own words, None when it had none. `keys` are the kinds of its keys.
    """

    steps: tuple[Step, ...]
    card_id: UUID | None = None
    expires_on: date | None = None
    keys: tuple[tuple[Slot, str], ...] = ()

    @property
    def ok(self) -> bool:
        return all(step.ok for step in self.steps)

    @property
    def code(self) -> str:
        return next((step.code for step in self.steps if not step.ok), "")

    @property
    def fault(self) -> str:
        return next((step.fault for step in self.steps if not step.ok), "")

    @property
    def citizen_card(self) -> bool:
        """Whether it works and keeps the city's profile: P-256 keys only. Whose it is, is the issuer's step."""
        return self.ok and bool(self.keys) and all(kind == _CITIZEN_KEY for _, kind in self.keys)

    @property
    def verdict(self) -> str:
        failed = next((step for step in self.steps if not step.ok), None)
        if failed:
            return failed.detail
        if self.citizen_card:
            return "This is a citizen card and it works."
        kinds = ", ".join(f"{slot.title} {kind}" for slot, kind in self.keys)
        return f"This is a PIV card and it works; by its keys ({kinds}) it is not a citizen card."


class Check:
    """The steps, in order. `authorities` may be empty: then the issuer is named, not checked."""

    def __init__(
        self,
        session: PivSession,
        now: datetime,
        authorities: Sequence[x509.Certificate] = (),
        *,
        intermediates: Sequence[x509.Certificate] = (),
        revocation_lists: Sequence[x509.CertificateRevocationList] = (),
    ) -> None:
        self._session = session
        self._now = now
        self._trust = Trust(tuple(authorities), tuple(intermediates), tuple(revocation_lists))
        self._chuid: Chuid | None = None
        self._content_signer: x509.Certificate | None = None
        self._certificates: dict[Slot, x509.Certificate] = {}

    def run(self, pin: bytearray | None = None) -> Report:
        """Look at the card; with a PIN (wiped) also sign with 9C. Card errors become steps, they are not raised."""
        actions: list[tuple[str, Callable[[], str | None]]] = [
            ("application", self._select),
            ("identifier", self._read_identifier),
            ("certificates", self._read_certificates),
            ("issuer", self._check_issuer),
            ("security object", self._check_security_object),
            ("presence (9E)", lambda: self._prove(Slot.CARD_AUTHENTICATION)),
            ("PIN state", self._read_pin_status),
        ]
        if pin is not None:
            actions.append(("signature (9C)", lambda: self._sign_with_pin(pin)))
        steps: list[Step] = []
        for name, action in actions:
            try:
                detail = action()
            except CardError as error:
                steps.append(Step(name, ok=False, detail=str(error), code=error.code, fault=_fault(error)))
                break
            if detail is not None:  # None: there was nothing to look at
                steps.append(Step(name, ok=True, detail=detail))
        return Report(
            tuple(steps),
            self._chuid.guid if self._chuid else None,
            self._chuid.expires if self._chuid else None,
            tuple((slot, kind_of(one.public_key()).title) for slot, one in self._certificates.items()),
        )

    def _select(self) -> str:
        application = self._session.select()
        return f"PIV application {application.aid.hex().upper()} {application.label}".rstrip()

    def _read_identifier(self) -> str:
        self._chuid = chuid = self._session.read_chuid()
        self._content_signer = check_chuid(chuid, self._trust, self._now)
        if chuid.expires < self._now.date():
            raise CheckFailed(f"The card expired on {chuid.expires}; the counter can renew it.", "card_expired")
        signed = "signed by its issuer" if self._content_signer else "not signed"
        return f"card {chuid.guid}, valid to {chuid.expires}, {signed}"

    def _read_certificates(self) -> str:
        for slot in Slot:
            try:
                der = self._session.read_certificate(slot)
            except (ObjectMissing, NotAllowed):  # without contact, 9E's alone may be read
                if slot is Slot.CARD_AUTHENTICATION:
                    raise
                continue
            self._certificates[slot] = self._readable(slot, der)
        return ", ".join(slot.title for slot in self._certificates) + " present, naming this card, within their time"

    def _readable(self, slot: Slot, der: bytes) -> x509.Certificate:
        certificate = read_certificate(der, slot)
        kind_of(certificate.public_key())
        assert self._chuid is not None  # read in the step before
        check_identity(certificate, slot, self._chuid)
        if not certificate.not_valid_before_utc <= self._now <= certificate.not_valid_after_utc:
            raise CheckFailed(
                f"The {slot.title} certificate is not valid today; the counter can renew the card.",
                "certificate_expired",
            )
        return certificate

    def _check_issuer(self) -> str:
        issuers = {certificate.issuer.rfc4514_string() for certificate in self._certificates.values()}
        if not self._trust.authorities:
            return f"says {' and '.join(sorted(issuers))}; not checked, no authority was given"
        for slot, certificate in self._certificates.items():
            path = self._trust.path(certificate, slot.title, self._now)
            self._trust.check_revocation(path, slot.title, self._now)
        revocation = "none revoked" if self._trust.revocation_lists else "revocation not checked, no list was given"
        return f"issued by {' and '.join(sorted(issuers))}; {revocation}"

    def _check_security_object(self) -> str | None:
        """Only where the CHUID's signer is known: the same signs both (SP 800-73-5 Part 1, 3.1.7)."""
        if self._content_signer is None:
            return None
        try:
            content = self._session.get_data(DataObject.SECURITY)
        except (ObjectMissing, NotAllowed):
            return None
        objects = {}
        for item in (DataObject.CHUID, DataObject.CAPABILITIES):
            try:
                objects[item] = self._session.get_data(item)
            except ObjectMissing:
                continue
        tags = check_vouched(content, objects, self._content_signer)
        return f"vouches for {', '.join(f'{tag:X}' for tag in sorted(tags))}"

    def _prove(self, slot: Slot) -> str:
        self._session.prove_possession(slot, self._certificates[slot].public_key())
        return f"signed a fresh challenge with the key of its {slot.title} certificate"

    def _read_pin_status(self) -> str:
        try:
            status = self._session.pin_status()
        except NotAllowed:
            return "not asked: the card wants a contact reader for it"
        if status.blocked:
            raise PinBlocked
        if status.attempts_left is None:
            return "the card does not say how many tries are left"
        return f"{status.attempts_left} tries left"

    def _sign_with_pin(self, pin: bytearray) -> str:
        if Slot.SIGNATURE not in self._certificates:
            raise ObjectMissing("digital signature certificate (9C)")
        self._session.verify_pin(pin)
        done = self._prove(Slot.SIGNATURE)  # the very next command: some cards want that
        if Slot.AUTHENTICATION in self._certificates:
            self._prove(Slot.AUTHENTICATION)
            done += ", and of 9A"
        return done


def _fault(error: CardError) -> str:
    if isinstance(error, CheckFailed):
        return error.fault
    return "key_mismatch" if isinstance(error, CardNotGenuine) else error.code
