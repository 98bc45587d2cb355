"""The PIV session: the verbs a terminal has for a card (SP 800-73-5 Part 2). It does not know what it signs."""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from terminals.card import tlv
from terminals.card.apdu import (
    AID_PIV,
    AID_PIV_NO_VERSION,
    AID_PIV_RID,
    ALGORITHM_P256,
    INS_CHANGE_REFERENCE_DATA,
    INS_GENERAL_AUTHENTICATE,
    INS_GENERATE,
    INS_GET_DATA,
    INS_PUT_DATA,
    INS_RESET_RETRY_COUNTER,
    INS_SELECT,
    INS_VERIFY,
    KEY_MANAGEMENT,
    KEY_PIN,
    KEY_PUK,
    P1_BY_NAME,
    P1_DATA_OBJECT,
    P1_LOG_OUT,
    P1_NONE,
    P2_DATA_OBJECT,
    P2_NONE,
    SHORT_LE_MAX,
    SW,
    TAG_ALGORITHMS,
    TAG_APPLICATION_ID,
    TAG_APPLICATION_LABEL,
    TAG_APPLICATION_TEMPLATE,
    TAG_CHALLENGE,
    TAG_CONTROL_REFERENCE,
    TAG_DATA,
    TAG_DYNAMIC_AUTHENTICATION,
    TAG_EC_POINT,
    TAG_MECHANISM,
    TAG_PUBLIC_KEY,
    TAG_RESPONSE,
    TAG_TAG_LIST,
    TAG_WITNESS,
    Octets,
    ResponseApdu,
)
from terminals.card.channel import Channel
from terminals.card.connection import CardConnection, Interface
from terminals.card.errors import (
    CardNotGenuine,
    Condition,
    KeyMissing,
    LastPinTry,
    MalformedResponse,
    NoRoom,
    NotAllowed,
    NotAPivCard,
    ObjectMissing,
    PinBlocked,
    WrongManagementKey,
)
from terminals.card.keys import (
    DIGEST_LENGTH,
    ManagementAlgorithm,
    ManagementCipher,
    Slot,
    der_signature,
    read_point,
    read_signature,
)
from terminals.card.objects import Chuid, DataObject, Discovery, decode_certificate
from terminals.card.pins import PinStatus, checked_puk, joined, padded_pin, pin_refusal, puk_refusal, wiped
from terminals.card.products import CardProduct

_AIDS: Final = (AID_PIV, AID_PIV_NO_VERSION, AID_PIV_RID)
# Cards disagree about how they refuse a management key; all of these were seen or are in the standard's tables.
_KEY_REFUSALS: Final = {
    SW.NOT_ALLOWED_NOW,
    SW.PAIRING_CODE_WRONG,
    SW.SECURE_MESSAGING_WRONG,
    SW.CONDITIONS_NOT_SATISFIED,
    SW.BAD_DATA,
    SW.BAD_PARAMETERS,
    SW.NO_SUCH_KEY,
}


@dataclass(frozen=True, slots=True)
class Application:
    """What SELECT said. `aid` is the form the card accepted; `label` and `algorithms` are empty when it did not say."""

    aid: bytes
    label: str = ""
    algorithms: tuple[int, ...] = ()


class PivSession:
    """One connection to one card. `select` first; every transport error ends the session and closes the connection.

    The reason: after an error the same handle may already talk to the next card (measured), and nothing says so.
    """

    def __init__(
        self, connection: CardConnection, *, random_bytes: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        self._channel = Channel(connection)
        self._random_bytes = random_bytes
        self._pin_verified = False
        self._pin_fresh = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def interface(self) -> Interface:
        return self._channel.connection.interface

    @property
    def atr(self) -> bytes:
        return self._channel.connection.atr

    def close(self) -> None:
        """Take the power from the card. Whatever was verified is forgotten."""
        self._channel.close()

    # --- application and objects ---

    def select(self) -> Application:
        """Select PIV by its full AID, or, for cards that refuse that, by the shorter forms.

        Raises:
            NotAPivCard: the card knows none of them, or answers with something else than PIV's template.
        """
        for aid in _AIDS:
            response = self._channel.send(INS_SELECT, P1_BY_NAME, P2_NONE, aid, le=SHORT_LE_MAX)
            if response.ok:
                return _application(aid, response.data)
        raise NotAPivCard

    def get_data(self, item: DataObject) -> bytes:
        """The content of a data object (for the discovery object: all of it).

        Raises:
            ObjectMissing: the card has none. NotAllowed: it wants a PIN or a contact reader first.
        """
        response = self._channel.send(
            INS_GET_DATA, P1_DATA_OBJECT, P2_DATA_OBJECT, tlv.encode(TAG_TAG_LIST, item.value), le=SHORT_LE_MAX
        )
        if response.sw == SW.NOT_FOUND:
            raise ObjectMissing(item.title)
        if not response.ok:
            raise self._channel.refusal(f"reading the {item.title}", response, Condition.PIN)
        content = response.data if item is DataObject.DISCOVERY else tlv.decode_one(response.data, TAG_DATA)
        if not content:
            raise ObjectMissing(item.title)
        return content

    def put_data(self, item: DataObject, content: bytes) -> None:
        """Replace a data object whole. Needs the management key and the contact interface.

        Raises:
            NotAllowed. NoRoom: nothing, or not all, was written; take a fresh card.
        """
        data = tlv.encode(TAG_TAG_LIST, item.value) + tlv.encode(TAG_DATA, content)
        response = self._channel.send(INS_PUT_DATA, P1_DATA_OBJECT, P2_DATA_OBJECT, data)
        if response.sw == SW.NO_MEMORY:
            raise NoRoom(item.title)
        if not response.ok:
            raise self._channel.refusal(f"writing the {item.title}", response, Condition.MANAGEMENT_KEY)

    def read_certificate(self, slot: Slot) -> bytes:
        """The certificate of a key, DER as issued. Raises: ObjectMissing, NotAllowed, MalformedResponse."""
        return decode_certificate(self.get_data(DataObject.certificate(slot)))

    def read_chuid(self) -> Chuid:
        """Which card this says it is. Raises: ObjectMissing, MalformedResponse."""
        return Chuid.decode(self.get_data(DataObject.CHUID))

    def read_discovery(self) -> Discovery | None:
        """How the PIN may be used; None for a card without a discovery object."""
        try:
            return Discovery.decode(self.get_data(DataObject.DISCOVERY))
        except ObjectMissing:
            return None

    # --- PIN and PUK ---

    def pin_status(self) -> PinStatus:
        """Ask without a try. Raises: NotAllowed: PINs are not for this interface."""
        response = self._channel.send(INS_VERIFY, P1_NONE, KEY_PIN)
        if response.ok:
            return PinStatus(verified=True, attempts_left=None)
        if response.sw == SW.BLOCKED:
            return PinStatus(verified=False, attempts_left=0)
        if response.tries_left is None:
            raise self._channel.refusal("asking for the PIN's state", response, Condition.CONTACT)
        return PinStatus(verified=False, attempts_left=response.tries_left)

    def verify_pin(self, pin: bytearray, *, last_try: bool = False) -> None:
        """Verify the holder's PIN: opens 9A until the session ends, and 9C for one signature. `pin` is wiped.

        Raises:
            PinFormat, LastPinTry: nothing was sent. PinRejected, PinBlocked. NotAllowed: use a contact reader.
        """
        with wiped(pin):
            data = padded_pin(pin)
            with wiped(data):
                self._spare_last_try(last_try=last_try)
                self._pin_verified = self._pin_fresh = False
                response = self._channel.send(INS_VERIFY, P1_NONE, KEY_PIN, data)
        if not response.ok:
            raise pin_refusal(response) or self._channel.refusal("the PIN", response, Condition.CONTACT)
        self._pin_verified = self._pin_fresh = True

    def log_out(self) -> None:
        """Make the card forget that the PIN was verified; the retry counter stays."""
        self._pin_verified = self._pin_fresh = False
        response = self._channel.send(INS_VERIFY, P1_LOG_OUT, KEY_PIN)
        if not response.ok:
            raise self._channel.refusal("logging out", response, Condition.CONTACT)

    def change_pin(self, old: bytearray, new: bytearray, *, last_try: bool = False) -> None:
        """Replace the PIN. Both are wiped. Raises: as `verify_pin`."""
        with wiped(old, new):
            data = joined(padded_pin(old), padded_pin(new))
            with wiped(data):
                self._spare_last_try(last_try=last_try)
                response = self._channel.send(INS_CHANGE_REFERENCE_DATA, P1_NONE, KEY_PIN, data)
        if not response.ok:
            raise pin_refusal(response) or self._channel.refusal("a new PIN", response, Condition.CONTACT)

    def change_puk(self, old: bytearray, new: bytearray) -> None:
        """Replace the PUK, eight bytes each, both wiped. Raises: PukFormat, PukRejected, PukBlocked, NotAllowed."""
        with wiped(old, new):
            data = joined(checked_puk(old), checked_puk(new))
            with wiped(data):
                response = self._channel.send(INS_CHANGE_REFERENCE_DATA, P1_NONE, KEY_PUK, data)
        if not response.ok:
            raise puk_refusal(response) or self._channel.refusal("a new PUK", response, Condition.CONTACT)

    def reset_retry_counter(self, puk: bytearray, new_pin: bytearray) -> None:
        """Set a new PIN with the PUK; the PIN is not verified by it. Both are wiped. Raises: as `change_puk`."""
        with wiped(puk, new_pin):
            data = joined(checked_puk(puk), padded_pin(new_pin))
            with wiped(data):
                response = self._channel.send(INS_RESET_RETRY_COUNTER, P1_NONE, KEY_PIN, data)
        if not response.ok:
            raise puk_refusal(response) or self._channel.refusal("a new PIN by PUK", response, Condition.CONTACT)

    # --- keys ---

    def authenticate_management(self, key: Octets, algorithm: ManagementAlgorithm) -> None:
        """Mutual authentication with 9B: the card learns that we know the key, and we that the card does.

        Raises:
            WrongManagementKey. CardNotGenuine: the card took our proof but could not give its own.
            NotAllowed: use a contact reader.
        """
        cipher = ManagementCipher(algorithm, key)
        ask = [(TAG_WITNESS, b"")]
        witness = self._authenticate_9b(algorithm, ask).get(TAG_WITNESS, b"")
        if len(witness) != algorithm.block_length:
            raise MalformedResponse("a witness of another length than the cipher's block")
        challenge = self._random_bytes(algorithm.block_length)
        proof = [(TAG_WITNESS, cipher.decrypt(witness)), (TAG_CHALLENGE, challenge)]
        answer = self._authenticate_9b(algorithm, proof).get(TAG_RESPONSE, b"")
        if not hmac.compare_digest(answer, cipher.encrypt(challenge)):
            raise CardNotGenuine("that it knows its management key")

    def set_management_key(self, product: CardProduct, key: Octets, algorithm: ManagementAlgorithm) -> None:
        """Replace 9B by the product's own command, then authenticate with the new key, so that it is known to work.

        Raises:
            ProductUnsupported: nothing was sent. NotAllowed: authenticate with the old key first.
        """
        response = self._channel.exchange(product.set_management_key(algorithm, key))
        if not response.ok:
            raise self._channel.refusal("a new management key", response, Condition.MANAGEMENT_KEY)
        self.authenticate_management(key, algorithm)

    def generate(self, slot: Slot) -> ec.EllipticCurvePublicKey:
        """Have the card make a new P-256 key in this slot; the old one is gone. The point is on the curve.

        Raises:
            NotAllowed: authenticate with the management key first. BadPublicKey.
        """
        template = tlv.encode(TAG_CONTROL_REFERENCE, tlv.encode(TAG_MECHANISM, bytes((ALGORITHM_P256,))))
        response = self._channel.send(INS_GENERATE, P1_NONE, slot, template, le=SHORT_LE_MAX)
        if not response.ok:
            raise self._channel.refusal(f"making a key in slot {slot.title}", response, Condition.MANAGEMENT_KEY)
        items = tlv.decode_unique(tlv.decode_one(response.data, TAG_PUBLIC_KEY))
        return read_point(items.get(TAG_EC_POINT, b""))

    def sign_digest(self, slot: Slot, digest: bytes) -> bytes:
        """Sign a SHA-256 digest. Returns r||s, 64 bytes, low s. 9C wants a `verify_pin` before each signature.

        Raises:
            NotAllowed, KeyMissing, BadSignature.
        """
        if len(digest) != DIGEST_LENGTH:
            raise ValueError("a P-256 key signs 32 bytes")
        doing = f"a signature with {slot.title}"
        # Asked here too, because a card was met that signs twice with 9C on one PIN.
        if (slot is Slot.SIGNATURE and not self._pin_fresh) or (slot is Slot.AUTHENTICATION and not self._pin_verified):
            raise NotAllowed(doing, Condition.PIN)
        if slot is Slot.SIGNATURE:
            self._pin_fresh = False
        response = self._general_authenticate(ALGORITHM_P256, slot, [(TAG_RESPONSE, b""), (TAG_CHALLENGE, digest)])
        if response.sw in (SW.NO_SUCH_KEY, SW.BAD_PARAMETERS, SW.NOT_FOUND):
            raise KeyMissing(slot.title)
        if not response.ok:
            raise self._channel.refusal(doing, response, Condition.PIN)
        return read_signature(_dynamic(response).get(TAG_RESPONSE, b""))

    def prove_possession(self, slot: Slot, public_key: ec.EllipticCurvePublicKey) -> None:
        """Challenge the card: it must sign 32 fresh random bytes with the key that belongs to `public_key`.

        Raises:
            CardNotGenuine: it signed with another key. And what `sign_digest` raises.
        """
        challenge = self._random_bytes(DIGEST_LENGTH)
        signature = self.sign_digest(slot, challenge)
        try:
            public_key.verify(der_signature(signature), challenge, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
        except InvalidSignature:
            raise CardNotGenuine(f"that it holds the key of its {slot.title} certificate") from None

    # --- below: shared steps ---

    def _spare_last_try(self, *, last_try: bool) -> None:
        status = self.pin_status()
        if status.blocked:
            raise PinBlocked
        if status.attempts_left == 1 and not last_try:
            raise LastPinTry

    def _authenticate_9b(self, algorithm: ManagementAlgorithm, items: list[tlv.Item]) -> dict[int, bytes]:
        response = self._general_authenticate(algorithm.identifier, KEY_MANAGEMENT, items)
        if response.sw in _KEY_REFUSALS and self.interface is Interface.CONTACT:
            raise WrongManagementKey
        if not response.ok:
            raise self._channel.refusal("the management key", response, Condition.CONTACT)
        return _dynamic(response)

    def _general_authenticate(self, algorithm: int, key: int, items: list[tlv.Item]) -> ResponseApdu:
        data = tlv.encode(TAG_DYNAMIC_AUTHENTICATION, tlv.encode_all(items))
        return self._channel.send(INS_GENERAL_AUTHENTICATE, algorithm, key, data, le=SHORT_LE_MAX)


def _application(aid: bytes, data: bytes) -> Application:
    if not data:  # seen on a card that is PIV all the same
        return Application(aid)
    try:
        items = dict(tlv.decode_all(data))
        if TAG_APPLICATION_TEMPLATE in items:
            items = dict(tlv.decode_all(items[TAG_APPLICATION_TEMPLATE]))
        elif TAG_APPLICATION_ID not in items:  # some leave the template out, but its content is there
            raise NotAPivCard
        mechanisms = tlv.decode_all(items.get(TAG_ALGORITHMS, b""))
    except MalformedResponse:
        raise NotAPivCard from None
    algorithms = tuple(value[0] for tag, value in mechanisms if tag == TAG_MECHANISM and len(value) == 1)
    return Application(aid, items.get(TAG_APPLICATION_LABEL, b"").decode("utf-8", "replace"), algorithms)


def _dynamic(response: ResponseApdu) -> dict[int, bytes]:
    return tlv.decode_unique(tlv.decode_one(response.data, TAG_DYNAMIC_AUTHENTICATION))
