"""Cards for tests: repeatable chance, a small card authority, a citizen card issued with the terminal's own verbs."""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from terminals import card
from terminals.card import ManagementAlgorithm, Slot, tlv
from terminals.card.apdu import (
    TAG_ERROR_DETECTION,
    TAG_EXPIRY,
    TAG_FASCN,
    TAG_GUID,
    TAG_ISSUER_SIGNATURE,
    Octets,
)

CARD_ID = UUID("4f1d3c52-8a7b-4c6e-9f00-0123456789ab")
FASCN = bytes.fromhex("D4E739DA739CED39CE739D836858210842108421C84210C3EB")
NOT_BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
NOT_AFTER = datetime(2031, 12, 31, tzinfo=UTC)
PIN = b"482915"
PUK = b"73920461"
MANAGEMENT_KEY = bytes(range(100, 132))
MUTE_SECONDS = 60.0  # how long a gated card says nothing, if a test forgets it
CARD_AUTHENTICATION_USE = x509.ObjectIdentifier("2.16.840.1.101.3.6.8")


def repeatable(seed: str) -> Callable[[int], bytes]:
    """A source of bytes that gives the same ones again for the same seed."""
    counter = 0

    def random_bytes(length: int) -> bytes:
        nonlocal counter
        counter += 1
        return hashlib.shake_256(f"{seed} {counter}".encode()).digest(length)

    return random_bytes


def secret(value: bytes) -> bytearray:
    """A PIN, PUK or the like as the session wants it: its own copy, to be wiped."""
    return bytearray(value)


@dataclass
class CardAuthority:
    """Signs card certificates; nothing more than the judges need."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.derive_private_key(2026, ec.SECP256R1()))
    name: x509.Name = field(
        default_factory=lambda: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test Card Authority")])
    )

    def certify(self, public_key: ec.EllipticCurvePublicKey, slot: Slot, card_id: UUID = CARD_ID) -> bytes:
        subject = [] if slot is Slot.CARD_AUTHENTICATION else [x509.NameAttribute(NameOID.COMMON_NAME, "Card holder")]
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name(subject))
            .issuer_name(self.name)
            .public_key(public_key)
            .serial_number(1000 + slot)
            .not_valid_before(NOT_BEFORE)
            .not_valid_after(NOT_AFTER)
            .add_extension(
                x509.SubjectAlternativeName([x509.UniformResourceIdentifier(card_id.urn)]), critical=not subject
            )
        )
        if slot is Slot.CARD_AUTHENTICATION:
            builder = builder.add_extension(x509.ExtendedKeyUsage([CARD_AUTHENTICATION_USE]), critical=True)
        return builder.sign(self.key, hashes.SHA256(), ecdsa_deterministic=True).public_bytes(Encoding.DER)


@dataclass
class IssuedCard:
    """A personalised virtual card and what the issuer remembers of it."""

    card: card.SimulatedCard
    certificates: dict[Slot, bytes]
    public_keys: dict[Slot, ec.EllipticCurvePublicKey]


def chuid(card_id: UUID = CARD_ID, expires: str = "20311231") -> bytes:
    return tlv.encode_all(
        [
            (TAG_FASCN, FASCN),
            (TAG_GUID, card_id.bytes),
            (TAG_EXPIRY, expires.encode()),
            (TAG_ISSUER_SIGNATURE, b""),
            (TAG_ERROR_DETECTION, b""),
        ]
    )


def personalise(session: card.PivSession, *, authority: CardAuthority | None = None) -> dict[Slot, bytes]:
    """Keys, certificates and CHUID; the management key must be authenticated. Returns the certificates."""
    authority = authority or CardAuthority()
    certificates = {}
    for slot in Slot:
        certificates[slot] = authority.certify(session.generate(slot), slot)
        session.put_data(card.DataObject.certificate(slot), card.encode_certificate(certificates[slot]))
    session.put_data(card.DataObject.CHUID, chuid())
    return certificates


def issued_card(
    settings: card.CardSettings | None = None,
    *,
    algorithm: ManagementAlgorithm = ManagementAlgorithm.AES256,
    seed: str = "card",
) -> IssuedCard:
    """A card issued over the built-in reader: PIN, PUK and MANAGEMENT_KEY (its first bytes, as long as need be)."""
    simulated = card.SimulatedCard.blank(settings, random_bytes=repeatable(seed))
    reader = card.LocalReader()
    reader.insert(simulated)
    factory = ManagementAlgorithm.AES192
    with card.PivSession(reader.connect(), random_bytes=repeatable(seed + " host")) as session:
        session.select()
        session.authenticate_management(card.factory_key(factory), factory)
        certificates = personalise(session)
        session.set_management_key(card.product_of(session.atr), management_key(algorithm), algorithm)
        session.change_pin(secret(b"123456"), secret(PIN))
        session.change_puk(secret(b"12345678"), secret(PUK))
    public_keys = {}
    for slot, der in certificates.items():
        public_key = x509.load_der_x509_certificate(der).public_key()
        assert isinstance(public_key, ec.EllipticCurvePublicKey)
        public_keys[slot] = public_key
    return IssuedCard(simulated, certificates, public_keys)


def management_key(algorithm: ManagementAlgorithm) -> bytes:
    return MANAGEMENT_KEY[: algorithm.key_length]


class Tearing:
    """A card that is pulled out at its `after`-th command frame: before the card does it, or after, its answer lost."""

    def __init__(self, inner: card.CardInSlot, after: int, *, done: bool) -> None:
        self._inner = inner
        self._left = after
        self._done = done

    @property
    def atr(self) -> bytes:
        return self._inner.atr

    def power_on(self, interface: card.Interface) -> None:
        self._inner.power_on(interface)

    def power_off(self) -> None:
        self._inner.power_off()

    def process(self, frame: bytes) -> bytes:
        if self._left:
            self._left -= 1
            return self._inner.process(frame)
        if self._done:
            self._inner.process(frame)
        raise card.CardRemoved


class Recorder:
    """A connection that keeps what was sent, and answers from a list or from a card."""

    def __init__(self, answer: Callable[[bytes], bytes] | list[bytes]) -> None:
        self._answer = answer
        self.sent: list[bytes] = []
        self.frames: list[Octets] = []
        self.closed = False
        self.atr = b""
        self.interface = card.Interface.CONTACT

    def transmit(self, frame: Octets) -> bytes:
        self.sent.append(bytes(frame))
        self.frames.append(frame)
        return self._answer.pop(0) if isinstance(self._answer, list) else self._answer(bytes(frame))

    def close(self) -> None:
        self.closed = True


class Wrapped:
    """A card in a slot that is another one, but for what a subclass changes."""

    def __init__(self, inner: card.CardInSlot) -> None:
        self._inner = inner

    @property
    def atr(self) -> bytes:
        return self._inner.atr

    def power_on(self, interface: card.Interface) -> None:
        self._inner.power_on(interface)

    def power_off(self) -> None:
        self._inner.power_off()

    def process(self, frame: bytes) -> bytes:
        return self._inner.process(frame)


class Gated(Wrapped):
    """A card that says nothing while its gate is shut. `reached` is set when a command waits there."""

    def __init__(self, inner: card.CardInSlot) -> None:
        super().__init__(inner)
        self._gate = threading.Event()
        self.reached = threading.Event()

    def open(self) -> None:
        self._gate.set()

    def shut(self) -> None:
        self._gate.clear()
        self.reached.clear()

    def process(self, frame: bytes) -> bytes:
        if not self._gate.is_set():
            self.reached.set()
            self._gate.wait(MUTE_SECONDS)
        return super().process(frame)
