"""The PIV session: the verbs a terminal has for a card (SP 800-73-5 Part 2). It does not know what it signs."""

import secrets
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from terminals.card import challenge, tlv
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
    TAG_CHALLENGE,
    TAG_CONTROL_REFERENCE,
    TAG_DATA,
    TAG_DYNAMIC_AUTHENTICATION,
    TAG_EC_POINT,
    TAG_MECHANISM,
    TAG_PUBLIC_KEY,
    TAG_RESPONSE,
    TAG_TAG_LIST,
    Octets,
    ResponseApdu,
)
from terminals.card.application import Application, read_application
from terminals.card.channel import Channel
from terminals.card.connection import CardConnection, Interface
from terminals.card.errors import (
    CardError,
    CardNotGenuine,
    Condition,
    KeyMissing,
    LastPinTry,
    NoPin,
    NoPlace,
    NoRoom,
    NotAllowed,
    NotAPivCard,
    ObjectMissing,
    PinBlocked,
    PinRejected,
    WriteFailed,
)
from terminals.card.keys import DIGEST_LENGTH, ManagementAlgorithm, Slot, der_signature, read_point, read_signature
from terminals.card.management import Management
from terminals.card.objects import Chuid, DataObject, Discovery, decode_certificate
from terminals.card.pins import (
    PinStatus,
    checked_puk,
    counter_refusal,
    joined,
    new_pin_refusal,
    new_puk_refusal,
    padded_pin,
    pin_refusal,
    wiped,
)
from terminals.card.products import CardProduct

_AIDS: Final = (AID_PIV, AID_PIV_NO_VERSION, AID_PIV_RID)
_NO_PLACE: Final = {SW.NOT_FOUND, SW.NO_SUCH_KEY, SW.BAD_PARAMETERS, SW.OUT_OF_RANGE}
# Cards that do not know VERIFY without a PIN: how many tries are left is then nobody's knowledge.
_STATUS_UNKNOWN: Final = {
    SW.PAIRING_CODE_WRONG,
    SW.WRONG_LENGTH,
    SW.CONDITIONS_NOT_SATISFIED,
    SW.BAD_DATA,
    SW.BAD_PARAMETERS,
    SW.LENGTH_AND_PARAMETERS,
    SW.OUT_OF_RANGE,
}


class PivSession:
    """One connection to one card. `select` first; every transport error ends the session and closes the connection.

    The reason: after an error the same handle may already talk to the next card (measured), and nothing says so.
    """

    def __init__(
        self, connection: CardConnection, *, random_bytes: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        self._channel = Channel(connection)
        self._random_bytes = random_bytes
        self._management = Management(self._channel, random_bytes)
        self._label = ""
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
                application = read_application(aid, response.data)
                self._label = application.label
                return application
        raise NotAPivCard

    def get_data(self, item: DataObject) -> bytes:
        """The content of a data object (for the discovery object: all of it).

        Raises:
            ObjectMissing: the card has none. NotAllowed: it wants a PIN or a contact reader first.
        """
        response = self._channel.send(
            INS_GET_DATA, P1_DATA_OBJECT, P2_DATA_OBJECT, tlv.encode(TAG_TAG_LIST, item.value), le=SHORT_LE_MAX
        )
        if response.sw == SW.NOT_FOUND or (response.ok and not response.data):  # "no content" is said in both ways
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
            NotAllowed. NoPlace: the card knows no such object. NoRoom, WriteFailed: nothing, or not all, was written;
            take a fresh card.
        """
        # The discovery object is written as it is read: with its own tag, in no other (Part 2, 3.3.1).
        data = content if item is DataObject.DISCOVERY else _tagged(item, content)
        response = self._channel.send(INS_PUT_DATA, P1_DATA_OBJECT, P2_DATA_OBJECT, data)
        if response.sw == SW.NO_MEMORY:
            raise NoRoom(item.title)
        if response.sw == SW.MEMORY_FAILURE:
            raise WriteFailed(item.title)
        if response.sw in _NO_PLACE:
            raise NoPlace(item.title)
        if not response.ok:
            raise self._administration_refusal(f"writing the {item.title}", response)

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
        """Ask without a try. Raises: NotAllowed: PINs are not for this interface. NoPin."""
        response = self._channel.send(INS_VERIFY, P1_NONE, KEY_PIN)
        if response.ok:
            return PinStatus(verified=True, attempts_left=None)
        if response.sw == SW.BLOCKED:
            return PinStatus(verified=False, attempts_left=0)
        if response.tries_left is not None:
            return PinStatus(verified=False, attempts_left=response.tries_left)
        if response.sw in _STATUS_UNKNOWN:
            return PinStatus(verified=False, attempts_left=None)
        if response.sw == SW.NO_SUCH_KEY:
            raise NoPin
        raise self._channel.refusal("asking for the PIN's state", response, Condition.CONTACT)

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
            raise self._refused("the PIN", response, pin_refusal(response))
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
            raise self._refused("a new PIN", response, new_pin_refusal(response))

    def change_puk(self, old: bytearray, new: bytearray) -> None:
        """Replace the PUK, eight bytes each, both wiped. Raises: PukFormat, PukRejected, PukBlocked, NotAllowed."""
        with wiped(old, new):
            data = joined(checked_puk(old), checked_puk(new))
            with wiped(data):
                response = self._channel.send(INS_CHANGE_REFERENCE_DATA, P1_NONE, KEY_PUK, data)
        if not response.ok:
            raise self._refused("a new PUK", response, new_puk_refusal(response))

    def reset_retry_counter(self, puk: bytearray, new_pin: bytearray) -> None:
        """Set a new PIN with the PUK; the PIN is not verified by it. Both are wiped. Raises: as `change_puk`."""
        with wiped(puk, new_pin):
            data = joined(checked_puk(puk), padded_pin(new_pin))
            with wiped(data):
                response = self._channel.send(INS_RESET_RETRY_COUNTER, P1_NONE, KEY_PIN, data)
        if not response.ok:
            raise self._refused("a new PIN by PUK", response, counter_refusal(response))

    # --- keys ---

    def authenticate_management(self, key: Octets, algorithm: ManagementAlgorithm) -> None:
        """Authenticate with 9B, mutually where the card lets us: it learns that we know the key, and we that it does.

        Raises:
            WrongManagementKey. CardNotGenuine: the card took our proof but could not give its own.
            NotAllowed: use a contact reader.
        """
        self._management.authenticate(key, algorithm)

    def stated_management_algorithm(self) -> ManagementAlgorithm | None:
        """What the card says of its management key, None when it says nothing. No try is counted by asking."""
        return self._management.stated_algorithm()

    def product(self) -> CardProduct:
        """Which product this is: by its ATR, what it calls itself, and its answers. `select` first."""
        return self._management.product(self._label)

    def set_management_key(self, product: CardProduct, key: Octets, algorithm: ManagementAlgorithm) -> None:
        """Replace 9B by the product's own command, then authenticate with the new key, so that it is known to work.

        Raises:
            ProductUnsupported: nothing was changed. NotAllowed: authenticate with the old key first.
        """
        self._management.replace(product, key, algorithm)

    def generate(self, slot: Slot) -> ec.EllipticCurvePublicKey:
        """Have the card make a new P-256 key in this slot; the old one is gone. The point is on the curve.

        Raises:
            NotAllowed: authenticate with the management key first. NoPlace, BadPublicKey.
        """
        template = tlv.encode(TAG_CONTROL_REFERENCE, tlv.encode(TAG_MECHANISM, bytes((ALGORITHM_P256,))))
        response = self._channel.send(INS_GENERATE, P1_NONE, slot, template, le=SHORT_LE_MAX)
        if response.sw in _NO_PLACE or response.sw == SW.BAD_DATA:
            raise NoPlace(f"P-256 key in slot {slot.title}")
        if not response.ok:
            raise self._administration_refusal(f"making a key in slot {slot.title}", response)
        items = tlv.decode_unique(tlv.decode_one(response.data, TAG_PUBLIC_KEY))
        return read_point(items.get(TAG_EC_POINT, b""))

    def sign_digest(self, slot: Slot, digest: bytes) -> bytes:
        """Sign a SHA-256 digest. Returns r||s, 64 bytes, low s. 9C wants a `verify_pin` before each signature.

        Raises:
            NotAllowed, KeyMissing, BadSignature.
        """
        if len(digest) != DIGEST_LENGTH:
            raise ValueError("a P-256 key signs 32 bytes")
        return read_signature(self._answered(slot, ALGORITHM_P256, digest))

    def prove_possession(self, slot: Slot, public_key: PublicKeyTypes) -> None:
        """Challenge the card: it must sign fresh random bytes with the key that belongs to `public_key`, EC or RSA.

        Raises:
            CardNotGenuine: it signed with another key. UnknownKeyKind. And what `sign_digest` raises.
        """
        kind = challenge.kind_of(public_key)
        digest = self._random_bytes(kind.digest_length)
        answer = self._answered(slot, kind.identifier, challenge.block_for(public_key, digest))
        if kind.identifier == ALGORITHM_P256:
            answer = der_signature(read_signature(answer))
        if not challenge.signed(public_key, digest, answer):
            raise CardNotGenuine(f"that it holds the key of its {slot.title} certificate")

    # --- below: shared steps ---

    def _spare_last_try(self, *, last_try: bool) -> None:
        status = self.pin_status()
        if status.blocked:
            raise PinBlocked
        if status.attempts_left == 1 and not last_try:
            raise LastPinTry

    def _refused(self, doing: str, response: ResponseApdu, meant: CardError | None) -> CardError:
        """What a refused PIN or PUK means. A card that says "wrong" without a number is asked for it: no try is lost
        silently.
        """
        if meant is None or (self.interface is Interface.CONTACTLESS and response.sw == SW.NOT_SUPPORTED):
            return self._channel.refusal(doing, response, Condition.CONTACT)
        if isinstance(meant, PinRejected) and meant.attempts_left is None:
            status = self.pin_status()
            return PinBlocked() if status.blocked else PinRejected(status.attempts_left)
        return meant

    def _administration_refusal(self, doing: str, response: ResponseApdu) -> CardError:
        """Refused although 9B is open: then it is the interface that the card minds (Part 1, Table 4a)."""
        if self._management.open and response.sw in (SW.NOT_ALLOWED_NOW, SW.NOT_SUPPORTED):
            return NotAllowed(doing, Condition.CONTACT)
        return self._channel.refusal(doing, response, Condition.MANAGEMENT_KEY)

    def _answered(self, slot: Slot, algorithm: int, block: bytes) -> bytes:
        """What the key in this slot makes of the block (GENERAL AUTHENTICATE, Part 2, 3.2.4)."""
        doing = f"a signature with {slot.title}"
        # Asked here too, because a card was met that signs twice with 9C on one PIN.
        if (slot is Slot.SIGNATURE and not self._pin_fresh) or (slot is Slot.AUTHENTICATION and not self._pin_verified):
            raise NotAllowed(doing, Condition.PIN)
        if slot is Slot.SIGNATURE:
            self._pin_fresh = False
        items = [(TAG_RESPONSE, b""), (TAG_CHALLENGE, block)]
        data = tlv.encode(TAG_DYNAMIC_AUTHENTICATION, tlv.encode_all(items))
        response = self._channel.send(INS_GENERAL_AUTHENTICATE, algorithm, slot, data, le=SHORT_LE_MAX)
        if response.sw in (SW.NO_SUCH_KEY, SW.BAD_PARAMETERS, SW.NOT_FOUND):
            raise KeyMissing(slot.title)
        if not response.ok:
            raise self._channel.refusal(doing, response, Condition.PIN)
        return tlv.decode_unique(tlv.decode_one(response.data, TAG_DYNAMIC_AUTHENTICATION)).get(TAG_RESPONSE, b"")


def _tagged(item: DataObject, content: bytes) -> bytes:
    return tlv.encode(TAG_TAG_LIST, item.value) + tlv.encode(TAG_DATA, content)
