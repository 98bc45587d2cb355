"""Making a card, in this order. A card pulled out at any point is not issued, and the same call again completes it.

| step | if the card leaves here, or the answer is lost |
|---|---|
| 9B: the card's own key, else a factory key | nothing was changed |
| replace 9B by the card's own key | the next run finds one of the two |
| PUK: factory to derived | the next run finds one of the two |
| PIN by PUK, to a random transport PIN | the next run sets another |
| make keys in 9A, 9C, 9E | the next run makes others; the old ones were never certified, or lost effect |
| each key signs; the service certifies | a new attempt has a new challenge; the old proofs are worthless |
| write certificates, CHUID, CCC | every object is replaced whole by the next run |
| read all back, challenge each key | the service was told nothing |
| 9E signs the readback; the service says ready | the next run starts another attempt, or finds it ready |
| the holder's PIN; 9C signs; the service says active | `hand_over` again: the PUK sets a new transport PIN first |
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from crypto import keys
from crypto.pki import load_certificate
from terminals.card import (
    DataObject,
    ManagementAlgorithm,
    PivSession,
    PukRejected,
    Slot,
    WrongManagementKey,
    encode_certificate,
    product_of,
)
from terminals.client import CardView, Instructions, Issued, Possession, StaffClient
from terminals.counter import statements
from terminals.counter.errors import PinsDiffer, ReadbackDiffers, WrongCertificate
from terminals.counter.secret import (
    FACTORY_ALGORITHMS,
    FACTORY_PUK,
    derived_puk,
    factory_management_key,
    transport_pin,
)
from terminals.station import AnotherCard, wipe

# The card capability container of a card without a data model of its own: every element empty but the one value that
# is needed, data model number 0x10 (SP 800-73-5 Part 1, Table 8).
CAPABILITIES = bytes.fromhex("F000F100F200F300F400F50110F600F700FA00FB00FC00FD00FE00")


class Step(StrEnum):
    """What is being done, for a screen."""

    UNLOCK = "unlock"
    SECRETS = "secrets"
    KEYS = "keys"
    CERTIFY = "certify"
    WRITE = "write"
    VERIFY = "verify"
    READY = "ready"
    HANDOVER = "handover"
    ACTIVE = "active"


def silent(_step: Step) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class MadeCard:
    """A card that is ready, for as long as this program remembers it: the PUK lets the holder set a PIN."""

    card_id: UUID
    point: bytes
    challenge: bytes
    puk: bytearray = field(repr=False)


class Personalisation:
    """One card, one member of staff signed in. `watch` is told each step as it begins."""

    def __init__(
        self,
        staff: StaffClient,
        card_id: UUID,
        *,
        random_bytes: Callable[[int], bytes],
        watch: Callable[[Step], None] = silent,
    ) -> None:
        self._staff = staff
        self._card_id = card_id
        self._random_bytes = random_bytes
        self._watch = watch

    def make(self, session: PivSession) -> MadeCard:
        """From a blank or half-made card to one that the service calls ready. Safe to call again after any failure.

        Raises:
            WrongManagementKey: neither blank nor this card begun before. ProductUnsupported: refuse it at intake.
            ReadbackDiffers, NoRoom: take a fresh card. ServiceRefused, ServiceUnreachable, TransportError: again.
        """
        self._watch(Step.UNLOCK)
        session.select()
        instructions = self._staff.begin_personalisation(self._card_id)
        begun_before = _unlock(session, instructions)
        self._watch(Step.SECRETS)
        puk = derived_puk(instructions.management_key)
        _set_puk(session, puk, begun_before=begun_before)
        pin = transport_pin(self._random_bytes)
        try:
            session.reset_retry_counter(puk[:], pin[:])
            self._watch(Step.KEYS)
            public_keys = {slot: session.generate(slot) for slot in Slot}
            proofs = [self._prove(session, instructions, slot, key, pin) for slot, key in public_keys.items()]
            self._watch(Step.CERTIFY)
            issued = self._staff.certify(self._card_id, proofs)
            contents = _contents(issued, public_keys)
            self._watch(Step.WRITE)
            for item, content in contents.items():
                session.put_data(item, content)
            self._watch(Step.VERIFY)
            _check(session, contents, public_keys, pin)
            signature = statements.signed_by(
                session, Slot.CARD_AUTHENTICATION, statements.readback(self._card_id, issued.challenge)
            )
            self._staff.report_readback(self._card_id, signature)
        except BaseException:
            wipe(puk)
            raise
        finally:
            wipe(pin)
        self._watch(Step.READY)
        return MadeCard(self._card_id, keys.point(public_keys[Slot.CARD_AUTHENTICATION]), issued.challenge, puk)

    def hand_over(self, session: PivSession, made: MadeCard, pin: bytearray, again: bytearray) -> CardView:
        """The holder sets the PIN, entered twice, and uses it once: the card is active. Both are wiped. Repeatable.

        Raises: PinsDiffer, PinFormat, AnotherCard, ServiceRefused, ServiceUnreachable, TransportError.
        """
        transport = transport_pin(self._random_bytes)
        try:
            if pin != again:
                raise PinsDiffer
            self._watch(Step.HANDOVER)
            session.select()
            _check_same(session, made)
            session.reset_retry_counter(made.puk[:], transport[:])
            session.change_pin(transport[:], pin[:])
            session.verify_pin(pin[:])
            statement = statements.handover(made.card_id, made.challenge)
            signature = statements.signed_by(session, Slot.SIGNATURE, statement)
        finally:
            for secret in (pin, again, transport):
                wipe(secret)
        active = self._staff.hand_over(made.card_id, signature)
        wipe(made.puk)
        self._watch(Step.ACTIVE)
        return active

    def _prove(
        self,
        session: PivSession,
        instructions: Instructions,
        slot: Slot,
        public_key: EllipticCurvePublicKey,
        pin: bytearray,
    ) -> Possession:
        point = keys.point(public_key)
        _open(session, slot, pin)
        statement = statements.possession(self._card_id, slot, instructions.challenge, point)
        return Possession(slot.title, point, statements.signed_by(session, slot, statement))


def _unlock(session: PivSession, instructions: Instructions) -> bool:
    """Authenticate 9B and leave the card's own key in it. True when it was there already, from an earlier run."""
    own = ManagementAlgorithm.of(instructions.algorithm)
    if _answers_to(session, instructions.management_key, own):
        return True
    for algorithm in FACTORY_ALGORITHMS:
        if _answers_to(session, factory_management_key(algorithm), algorithm):
            session.set_management_key(product_of(session.atr), instructions.management_key, own)
            return False
    raise WrongManagementKey


def _answers_to(session: PivSession, key: bytes, algorithm: ManagementAlgorithm) -> bool:
    try:
        session.authenticate_management(key, algorithm)
    except WrongManagementKey:
        return False
    return True


def _set_puk(session: PivSession, puk: bytearray, *, begun_before: bool) -> None:
    """Leave the derived PUK on the card. The likelier one first: a wrong one costs a try, a right one returns all."""
    likely, other = (puk, FACTORY_PUK) if begun_before else (FACTORY_PUK, puk)
    try:
        session.change_puk(bytearray(likely), puk[:])
    except PukRejected:
        session.change_puk(bytearray(other), puk[:])


def _open(session: PivSession, slot: Slot, pin: bytearray) -> None:
    """9C wants the PIN before every signature, 9A before the first, 9E never."""
    if slot is not Slot.CARD_AUTHENTICATION:
        session.verify_pin(pin[:])


def _contents(issued: Issued, public_keys: Mapping[Slot, EllipticCurvePublicKey]) -> dict[DataObject, bytes]:
    """What goes onto the card. Raises: WrongCertificate: one is missing, or not for the key that the card made."""
    by_slot = {item.slot: item.certificate for item in issued.certificates}
    contents = {}
    for slot, public_key in public_keys.items():
        certificate = by_slot.get(slot.title)
        if certificate is None or keys.spki(_certified_key(certificate)) != keys.spki(public_key):
            raise WrongCertificate(slot)
        contents[DataObject.certificate(slot)] = encode_certificate(certificate)
    contents[DataObject.CHUID] = issued.chuid
    contents[DataObject.CAPABILITIES] = CAPABILITIES
    return contents


def _certified_key(certificate: bytes) -> keys.PublicKey:
    key = load_certificate(certificate).public_key()
    assert isinstance(key, EllipticCurvePublicKey)  # anything else is not what was asked to be certified
    return key


def _check(
    session: PivSession,
    contents: Mapping[DataObject, bytes],
    public_keys: Mapping[Slot, EllipticCurvePublicKey],
    pin: bytearray,
) -> None:
    """Read everything back, byte for byte, and challenge each key."""
    for item, content in contents.items():
        if session.get_data(item) != content:
            raise ReadbackDiffers(item.title)
    for slot, public_key in public_keys.items():
        _open(session, slot, pin)
        session.prove_possession(slot, public_key)


def _check_same(session: PivSession, made: MadeCard) -> None:
    certificate = session.read_certificate(Slot.CARD_AUTHENTICATION)
    if keys.point(_certified_key(certificate)) != made.point:
        raise AnotherCard
    session.prove_possession(Slot.CARD_AUTHENTICATION, keys.load_point(made.point))
