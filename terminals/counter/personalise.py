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
from crypto.wire.pin_reset import derived_puk
from terminals.card import DataObject, ManagementAlgorithm, PivSession, Slot
from terminals.client import CardView, Instructions, Possession, StaffClient, Terminal
from terminals.counter import statements
from terminals.counter.contents import Contents, certified_key
from terminals.counter.errors import PinsDiffer
from terminals.counter.pinning import PinKeeper, PukState
from terminals.counter.secret import FACTORY, Intake
from terminals.counter.unlock import KeyState, Unlocked, check_position, unlock
from terminals.station import AnotherCard, wipe


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
    """A card that is ready, for as long as this program remembers it: `pins` lets the holder set a PIN.

    `product` is what the card was found to be; `left_out` what it had no place for.
    """

    card_id: UUID
    point: bytes
    challenge: bytes
    pins: PinKeeper = field(repr=False)
    product: str
    algorithm: ManagementAlgorithm
    key: KeyState
    left_out: tuple[DataObject, ...]

    @property
    def puk(self) -> bytearray:
        return self.pins.puk

    @property
    def puk_state(self) -> PukState:
        return self.pins.state


class Personalisation:
    """One card, one member of staff signed in, at one enrolled counter: the card's own key comes sealed for it.

    `watch` is told each step as it begins.
    """

    def __init__(
        self,
        staff: StaffClient,
        card_id: UUID,
        terminal: Terminal,
        *,
        random_bytes: Callable[[int], bytes],
        watch: Callable[[Step], None] = silent,
        intake: Intake = FACTORY,
        blank_serial: str | None = None,
    ) -> None:
        self._staff = staff
        self._card_id = card_id
        self._terminal = terminal
        self._random_bytes = random_bytes
        self._watch = watch
        self._intake = intake
        self._blank_serial = blank_serial

    def make(self, session: PivSession) -> MadeCard:
        """From a blank or half-made card to one that the service calls ready. Safe to call again after any failure.

        Raises:
            WrongManagementKey: neither blank nor this card begun before. ProductUnsupported: refuse it at intake.
            ReadbackDiffers, NoRoom, NoPlace: take a fresh card. NotAllowed: use a contact reader.
            ServiceRefused, ServiceUnreachable, AnswerNotUnderstood, TransportError: again.
        """
        self._watch(Step.UNLOCK)
        check_position(session)
        session.select()
        opened = unlock(session, self._begin, self._intake)
        self._watch(Step.SECRETS)
        puk = derived_puk(opened.instructions.management_key)
        try:
            pins = PinKeeper.prepare(session, puk, self._intake, begun_before=opened.begun_before)
        finally:
            wipe(puk)
        try:
            return self._fill(session, opened, pins)
        except BaseException:
            pins.wipe()
            raise

    def _begin(self, algorithm: ManagementAlgorithm | None) -> Instructions:
        identifier = None if algorithm is None else algorithm.identifier
        return self._staff.begin_personalisation(
            self._card_id, self._terminal, algorithm=identifier, blank_serial=self._blank_serial
        )

    def _fill(self, session: PivSession, opened: Unlocked, pins: PinKeeper) -> MadeCard:
        pin = pins.set_transport_pin(session, self._random_bytes)
        try:
            self._watch(Step.KEYS)
            public_keys = {slot: session.generate(slot) for slot in Slot}
            proofs = [self._prove(session, opened.instructions, slot, key, pin) for slot, key in public_keys.items()]
            self._watch(Step.CERTIFY)
            issued = self._staff.certify(self._card_id, proofs)
            contents = Contents.of(opened.instructions, issued, public_keys)
            self._watch(Step.WRITE)
            written = contents.write(session)
            self._watch(Step.VERIFY)
            if written.want_pin:
                session.verify_pin(pin[:])
            written.check(session)
            _challenge(session, public_keys, pin)
        finally:
            wipe(pin)
        statement = statements.readback(self._card_id, issued.challenge)
        signature = statements.signed_by(session, Slot.CARD_AUTHENTICATION, statement)
        self._staff.report_readback(self._card_id, signature, key_kept=opened.key is KeyState.KEPT)
        self._watch(Step.READY)
        return MadeCard(
            card_id=self._card_id,
            point=keys.point(public_keys[Slot.CARD_AUTHENTICATION]),
            challenge=issued.challenge,
            pins=pins,
            product=opened.product,
            algorithm=opened.algorithm,
            key=opened.key,
            left_out=contents.left_out(written),
        )

    def hand_over(self, session: PivSession, made: MadeCard, pin: bytearray, again: bytearray) -> CardView:
        """The holder sets the PIN, entered twice, and uses it once: the card is active. Both are wiped. Repeatable.

        Raises: PinsDiffer, PinFormat, PinRefused, AnotherCard, ServiceRefused, ServiceUnreachable, TransportError.
        """
        try:
            if pin != again:
                raise PinsDiffer
            self._watch(Step.HANDOVER)
            session.select()
            _check_same(session, made)
            made.pins.set_holders_pin(session, pin, self._random_bytes)
            session.verify_pin(pin[:])
            statement = statements.handover(made.card_id, made.challenge)
            signature = statements.signed_by(session, Slot.SIGNATURE, statement)
        finally:
            for secret in (pin, again):
                wipe(secret)
        active = self._staff.hand_over(made.card_id, signature)
        made.pins.wipe()
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


def _open(session: PivSession, slot: Slot, pin: bytearray) -> None:
    """9C wants the PIN before every signature, 9A before the first, 9E never."""
    if slot is not Slot.CARD_AUTHENTICATION:
        session.verify_pin(pin[:])


def _challenge(session: PivSession, public_keys: Mapping[Slot, EllipticCurvePublicKey], pin: bytearray) -> None:
    for slot, public_key in public_keys.items():
        _open(session, slot, pin)
        session.prove_possession(slot, public_key)


def _check_same(session: PivSession, made: MadeCard) -> None:
    certificate = session.read_certificate(Slot.CARD_AUTHENTICATION)
    if keys.point(certified_key(certificate)) != made.point:
        raise AnotherCard
    session.prove_possession(Slot.CARD_AUTHENTICATION, keys.load_point(made.point))
