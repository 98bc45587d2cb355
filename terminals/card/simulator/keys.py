"""Keys on the card: GENERATE and GENERAL AUTHENTICATE (SP 800-73-5 Part 2, 3.2.4 and 3.3.2).

Asymmetric keys are P-256 only, the city's profile: another mechanism is refused with 6A80.
"""

import hmac
from collections.abc import Callable

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from terminals.card import tlv
from terminals.card.apdu import (
    ALGORITHM_P256,
    KEY_MANAGEMENT,
    SW,
    TAG_CHALLENGE,
    TAG_CONTROL_REFERENCE,
    TAG_DYNAMIC_AUTHENTICATION,
    TAG_EC_POINT,
    TAG_MECHANISM,
    TAG_PUBLIC_KEY,
    TAG_RESPONSE,
    TAG_WITNESS,
    CommandApdu,
)
from terminals.card.errors import MalformedResponse
from terminals.card.keys import DIGEST_LENGTH, P256_ORDER, SCALAR_LENGTH, ManagementCipher, Slot
from terminals.card.simulator.access import Access, Refused
from terminals.card.simulator.state import CardState

_DIGEST = utils.Prehashed(hashes.SHA256())


def public_point(scalar: int) -> bytes:
    public_key = ec.derive_private_key(scalar, ec.SECP256R1()).public_key()
    return public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


class Keys:
    """The keys of one card. A new key is kept (`keep`) before the card answers with its public half."""

    def __init__(self, state: CardState, random_bytes: Callable[[int], bytes], keep: Callable[[], None]) -> None:
        self._state = state
        self._random_bytes = random_bytes
        self._keep = keep

    def generate(self, command: CommandApdu, access: Access) -> bytes:
        access.require_management()
        slot = _slot(command.p2)
        mechanism = _read(_read_one(bytes(command.data), TAG_CONTROL_REFERENCE)).get(TAG_MECHANISM)
        if mechanism != bytes((ALGORITHM_P256,)):
            raise Refused(SW.BAD_DATA)
        scalar = 0
        while not 0 < scalar < P256_ORDER:
            scalar = int.from_bytes(self._random_bytes(SCALAR_LENGTH))
        self._state.keys[slot] = scalar
        self._keep()
        return tlv.encode(TAG_PUBLIC_KEY, tlv.encode(TAG_EC_POINT, public_point(scalar)))

    def authenticate(self, command: CommandApdu, access: Access) -> bytes:
        expected, access.challenge = access.challenge, None
        items = _read(_read_one(bytes(command.data), TAG_DYNAMIC_AUTHENTICATION))
        if command.p2 == KEY_MANAGEMENT:
            answer = self._authenticate_management(command.p1, items, access, expected)
        else:
            answer = self._sign(command, items, access)
        return tlv.encode(TAG_DYNAMIC_AUTHENTICATION, tlv.encode_all(answer)) if answer else b""

    def _sign(self, command: CommandApdu, items: dict[int, bytes], access: Access) -> list[tlv.Item]:
        slot = _slot(command.p2)
        if command.p1 != ALGORITHM_P256:
            raise Refused(SW.BAD_PARAMETERS)
        digest = items.get(TAG_CHALLENGE, b"")
        if items.keys() != {TAG_CHALLENGE, TAG_RESPONSE} or items[TAG_RESPONSE] or len(digest) != DIGEST_LENGTH:
            raise Refused(SW.BAD_DATA)
        access.require_signing(slot)
        scalar = self._state.keys.get(slot)
        if scalar is None:
            raise Refused(SW.NO_SUCH_KEY)
        if slot is Slot.SIGNATURE:
            access.pin_fresh = False
        # RFC 6979: no random number to get wrong, and a run can be repeated.
        algorithm = ec.ECDSA(_DIGEST, deterministic_signing=True)
        signature = ec.derive_private_key(scalar, ec.SECP256R1()).sign(digest, algorithm)
        return [(TAG_RESPONSE, signature)]

    def _authenticate_management(
        self, algorithm: int, items: dict[int, bytes], access: Access, expected: bytes | None
    ) -> list[tlv.Item]:
        """Mutual (witness) and external (challenge) authentication, Part 2 Appendix A.1. Never without contact."""
        if not access.contact:
            raise Refused(SW.NOT_ALLOWED_NOW)
        if algorithm != self._state.management_algorithm.identifier:
            raise Refused(SW.BAD_PARAMETERS)
        access.management = False
        block = self._state.management_algorithm.block_length
        cipher = ManagementCipher(self._state.management_algorithm, self._state.management_key)
        if items == {TAG_WITNESS: b""}:
            access.challenge = self._random_bytes(block)
            return [(TAG_WITNESS, cipher.encrypt(access.challenge))]
        if items == {TAG_CHALLENGE: b""}:
            challenge = self._random_bytes(block)
            access.challenge = cipher.encrypt(challenge)
            return [(TAG_CHALLENGE, challenge)]
        proof = items.get(TAG_WITNESS) or items.get(TAG_RESPONSE)
        challenge = items.get(TAG_CHALLENGE, b"")
        if expected is None or proof is None or (challenge and len(challenge) != block):
            raise Refused(SW.BAD_DATA)
        if not hmac.compare_digest(proof, expected):
            raise Refused(SW.NOT_ALLOWED_NOW)
        access.management = True
        return [(TAG_RESPONSE, cipher.encrypt(challenge))] if challenge else []


def _slot(reference: int) -> Slot:
    try:
        return Slot(reference)
    except ValueError:
        raise Refused(SW.BAD_PARAMETERS) from None


def _read_one(data: bytes, tag: int) -> bytes:
    try:
        return tlv.decode_one(data, tag)
    except MalformedResponse:
        raise Refused(SW.BAD_DATA) from None


def _read(data: bytes) -> dict[int, bytes]:
    try:
        return tlv.decode_unique(data)
    except MalformedResponse:
        raise Refused(SW.BAD_DATA) from None
