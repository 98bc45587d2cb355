"""What a staff member's card signs here: a sign-in, an action of two, its own binding. Never a digest from elsewhere.

The origin is the one that this agent was set up for: whatever page sends a browser here, what the card signs counts at
that origin alone.
"""

import base64
import json
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec

from crypto import keys, pki
from crypto.wire import action, login
from crypto.wire.login import CardBinding, Login
from terminals.card import CardNotGenuine, PivSession, Slot

VERSION = "city-agent/1"


def login_token(session: PivSession, origin: str, nonce: bytes, pin: bytearray, *, last_try: bool = False) -> str:
    """The token (JSON) that signs this card's holder in at the origin, once: VERIFY, then 9A signs.

    Raises: ObjectMissing, PinRejected, PinBlocked, LastPinTry, PinFormat, CardNotGenuine, MalformedMessage.
    """
    session.select()
    certificate = session.read_certificate(Slot.AUTHENTICATION)
    public_key = _key(certificate, Slot.AUTHENTICATION)
    wanted = Login.of(origin, nonce)
    session.verify_pin(pin, last_try=last_try)
    signature = session.sign_digest(Slot.AUTHENTICATION, login.card_digest(wanted))
    login.verify_login(wanted, signature, public_key)
    return json.dumps(
        {
            "format": login.FORMAT,
            "algorithm": "ES256",
            "unverifiedCertificate": base64.b64encode(certificate).decode(),
            "signature": base64.b64encode(signature).decode(),
            "appVersion": VERSION,
        }
    )


def action_signature(session: PivSession, action_bytes: bytes, pin: bytearray, *, last_try: bool = False) -> bytes:
    """The signature of this card's 9C over an action of two, which was shown before. VERIFY goes right before it.

    Raises: as `login_token`.
    """
    digest = action.card_digest(action_bytes)
    session.select()
    public_key = _key(session.read_certificate(Slot.SIGNATURE), Slot.SIGNATURE)
    session.verify_pin(pin, last_try=last_try)
    raw = session.sign_digest(Slot.SIGNATURE, digest)
    return action.signature_from_card(action_bytes, public_key, raw)


def binding_proof(session: PivSession, staff_id: UUID, nonce: bytes, pin: bytearray) -> dict[str, bytes]:
    """Both certificates, and both keys' signatures that this card stands for the staff member, under the names that the
    service takes them by. Raises: as `login_token`.
    """
    session.select()
    certificates = {slot: session.read_certificate(slot) for slot in (Slot.AUTHENTICATION, Slot.SIGNATURE)}
    points = [keys.point(_key(certificate, slot)) for slot, certificate in certificates.items()]
    chuid = session.read_chuid()
    digest = login.binding_digest(CardBinding(staff_id, chuid.guid, nonce, *points))
    again = bytearray(pin)  # a session wipes the PIN that it was given, and 9C wants it once more
    try:
        session.verify_pin(pin)
        sign_in = session.sign_digest(Slot.AUTHENTICATION, digest)
        session.verify_pin(again)
        signature = session.sign_digest(Slot.SIGNATURE, digest)
    finally:
        again[:] = bytes(len(again))
    return {
        "sign_in_certificate": certificates[Slot.AUTHENTICATION],
        "signature_certificate": certificates[Slot.SIGNATURE],
        "sign_in_proof": sign_in,
        "signature_proof": signature,
    }


def tries_left(session: PivSession) -> int | None:
    """How many PIN tries the card has left; None where it does not say."""
    session.select()
    return session.pin_status().attempts_left


def _key(certificate: bytes, slot: Slot) -> ec.EllipticCurvePublicKey:
    key = pki.load_certificate(certificate).public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise CardNotGenuine(f"that its {slot.title} key is one of this city")
    return key
