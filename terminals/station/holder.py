"""The city's card in the reader: which one it is, and its signatures for presence, consent and a question.

What a card says of itself proves nothing. `read_card` believes a certificate that leads to a card authority of the
policy; that the card holds the certificate's key is proven by the signature that follows, under that key.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from crypto import keys
from crypto.errors import InvalidSignature, MalformedMessage, UntrustedCertificate
from crypto.pki import CertificatePurpose, VerifiedCertificate, load_certificate, verify_chain
from crypto.wire.denylist import DenyList
from crypto.wire.policy import Policy
from crypto.wire.transaction import Authorisation, Purpose, authorisation_from_card, card_digest
from terminals.card import CardNotGenuine, PivSession, Slot
from terminals.station.errors import CardDenied, ForeignCard

Authorise = Callable[[bytes], Sequence[Authorisation]]


@dataclass(frozen=True, slots=True)
class CityCard:
    """A card whose 9E certificate is the city's. `public_key` is 9E's, `key_id` its name (`keys.key_id`)."""

    card_id: UUID
    public_key: EllipticCurvePublicKey = field(repr=False)
    key_id: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key_id", keys.key_id(self.public_key))


def read_card(session: PivSession, policy: Policy, at_ms: int) -> CityCard:
    """Read the 9E certificate and check it against the policy's card authorities, for this time and purpose.

    Raises:
        ForeignCard: another city's, another issuer's, expired, or no certificate of a card. ObjectMissing: not issued.
    """
    return card_of(session.read_certificate(Slot.CARD_AUTHENTICATION), policy, at_ms)


def card_of(certificate: bytes, policy: Policy, at_ms: int) -> CityCard:
    """The card of a 9E certificate, DER. Raises: ForeignCard."""
    verified = _verified(certificate, policy, at_ms, CertificatePurpose.CARD_PRESENCE)
    assert verified.bearer_id is not None  # the profile of a card's certificate names the card
    return CityCard(verified.bearer_id, verified.public_key)


def check_not_denied(card: CityCard, policy: Policy, denials: DenyList | None) -> None:
    """By the card's id, and by the key in its 9E: a card may be good and one that was made before under its name not.

    Raises: CardDenied.
    """
    if policy.deny:
        place = bisect_left(policy.deny, card.card_id.bytes, key=lambda denied: denied.bytes)
        if place < len(policy.deny) and policy.deny[place] == card.card_id:
            raise CardDenied
    if denials and (denials.denies_card(card.card_id) or denials.denies_key(card.key_id)):
        raise CardDenied


def presence(session: PivSession, card: CityCard) -> Authorise:
    """The card was here: 9E signs the record, without a PIN. Raises when called: CardNotGenuine, or a CardError."""
    return _signing(session, Slot.CARD_AUTHENTICATION, card.public_key, Purpose.PRESENCE)


def question(session: PivSession, card: CityCard) -> Authorise:
    """The same for a query."""
    return _signing(session, Slot.CARD_AUTHENTICATION, card.public_key, Purpose.QUERY)


def consent(session: PivSession, policy: Policy, at_ms: int, pin: bytearray, *, last_try: bool = False) -> Authorise:
    """The holder wants this: VERIFY, and 9C signs right after it. `pin` is wiped, also when something fails before.

    The PIN goes to the card only when `Authorise` is called, that is when everything else is ready: 9C wants it
    immediately before each signature.

    Raises: ForeignCard: the 9C certificate is not the city's. Later: PinRejected, PinBlocked, LastPinTry, PinFormat.
    """
    try:
        certificate = session.read_certificate(Slot.SIGNATURE)
        public_key = _verified(certificate, policy, at_ms, CertificatePurpose.CARD_SIGNATURE).public_key
    except BaseException:
        wipe(pin)
        raise
    sign = _signing(session, Slot.SIGNATURE, public_key, Purpose.CONSENT)

    def verify_and_sign(signed: bytes) -> Sequence[Authorisation]:
        session.verify_pin(pin, last_try=last_try)
        return sign(signed)

    return verify_and_sign


def wipe(secret: bytearray) -> None:
    secret[:] = bytes(len(secret))


def _verified(certificate: bytes, policy: Policy, at_ms: int, purpose: CertificatePurpose) -> VerifiedCertificate:
    authorities = [load_certificate(authority) for authority in policy.card_authorities]
    try:
        return verify_chain(
            load_certificate(certificate), authorities, datetime.fromtimestamp(at_ms / 1000, UTC), purpose
        )
    except (UntrustedCertificate, MalformedMessage) as error:
        raise ForeignCard(str(error)) from error


def _signing(session: PivSession, slot: Slot, public_key: EllipticCurvePublicKey, purpose: Purpose) -> Authorise:
    def sign(signed: bytes) -> Sequence[Authorisation]:
        signature = session.sign_digest(slot, card_digest(signed, purpose))
        try:
            return (authorisation_from_card(signed, purpose, public_key, signature),)
        except InvalidSignature as error:
            raise CardNotGenuine(f"that it holds the key of its {slot.title} certificate") from error

    return sign
