"""The card management key, 9B: authenticating with it and replacing it, on cards that disagree about how.

A wrong algorithm is found out before anything is proven, so that no card can count it. A wrong key is one proof.
"""

import hmac
from collections.abc import Callable
from typing import Final

from terminals.card import tlv
from terminals.card.apdu import (
    INS_GENERAL_AUTHENTICATE,
    INS_GET_METADATA,
    INS_GET_VERSION,
    KEY_MANAGEMENT,
    P1_NONE,
    P2_NONE,
    SHORT_LE_MAX,
    SW,
    TAG_CHALLENGE,
    TAG_DYNAMIC_AUTHENTICATION,
    TAG_META_ALGORITHM,
    TAG_RESPONSE,
    TAG_WITNESS,
    Octets,
    ResponseApdu,
)
from terminals.card.channel import Channel
from terminals.card.errors import (
    CardError,
    CardNotGenuine,
    Condition,
    MalformedResponse,
    NotAllowed,
    ProductUnsupported,
    WrongManagementAlgorithm,
    WrongManagementKey,
)
from terminals.card.keys import ManagementAlgorithm, ManagementCipher
from terminals.card.products import CardProduct, product_of

# How cards refuse a question for an algorithm they have no 9B key of. All were seen, or are in the standard's tables.
_NOT_THIS_ALGORITHM: Final = {
    SW.WRONG_LENGTH,
    SW.CONDITIONS_NOT_SATISFIED,
    SW.SECURE_MESSAGING_WRONG,
    SW.BAD_DATA,
    SW.NOT_FOUND,
    SW.BAD_PARAMETERS,
    SW.NO_SUCH_KEY,
    SW.OUT_OF_RANGE,
    SW.REFERENCE_UNUSABLE,
}
# How they refuse the key because of the interface (SP 800-73-5 Part 1, Table 4a: 9B never without contact).
_WRONG_PLACE: Final = {SW.NOT_ALLOWED_NOW, SW.NOT_SUPPORTED}
# How they refuse a proof.
_WRONG_PROOF: Final = _NOT_THIS_ALGORITHM | {SW.NOT_ALLOWED_NOW, SW.BLOCKED, SW.PAIRING_CODE_WRONG}
_NO_SUCH_COMMAND: Final = {SW.UNKNOWN_INSTRUCTION, SW.UNKNOWN_CLASS, SW.NOT_SUPPORTED}
_VERSION_LENGTH: Final = 3


class Management:
    """9B of one card. `open` from the last good proof on, until the session ends."""

    def __init__(self, channel: Channel, random_bytes: Callable[[int], bytes]) -> None:
        self._channel = channel
        self._random_bytes = random_bytes
        self.open = False

    def authenticate(self, key: Octets, algorithm: ManagementAlgorithm) -> None:
        """Mutual authentication: the card proves itself too. Where it refuses that, external: only we prove ourselves.

        Raises:
            WrongManagementAlgorithm: nothing was tried. WrongManagementKey. CardNotGenuine: it took our proof but
            could not give its own. NotAllowed: use a contact reader.
        """
        self.open = False
        cipher = ManagementCipher(algorithm, key)
        witness = self._ask(algorithm, [(TAG_WITNESS, b"")])
        if witness.ok:
            self._mutual(algorithm, cipher, witness)
        else:
            challenge = self._ask(algorithm, [(TAG_CHALLENGE, b"")])
            if not challenge.ok:
                raise self._unavailable(witness, challenge)
            block = self._block(challenge, TAG_CHALLENGE, algorithm)
            self._proven(self._ask(algorithm, [(TAG_RESPONSE, cipher.encrypt(block))]))
        self.open = True

    def stated_algorithm(self) -> ManagementAlgorithm | None:
        """What the card says of its own key (Yubico's metadata, F7); None for the many that say nothing."""
        response = self._channel.send(INS_GET_METADATA, P1_NONE, KEY_MANAGEMENT, le=SHORT_LE_MAX)
        if not response.ok:
            return None
        try:
            return ManagementAlgorithm.of(tlv.decode_unique(response.data).get(TAG_META_ALGORITHM, b"\x00")[0])
        except (MalformedResponse, ValueError, IndexError):
            return None

    def product(self, label: str) -> CardProduct:
        """Which product this is, by its ATR, what it calls itself, and whether it answers Yubico's FD."""
        known = product_of(self._channel.connection.atr, label)
        if known.can_replace is not None:
            return known
        response = self._channel.send(INS_GET_VERSION, P1_NONE, P2_NONE, le=SHORT_LE_MAX)
        version = response.data if response.ok and len(response.data) == _VERSION_LENGTH else b""
        return product_of(self._channel.connection.atr, label, version)

    def replace(self, product: CardProduct, key: Octets, algorithm: ManagementAlgorithm) -> None:
        """Replace 9B by the product's own command, then authenticate with the new key, so that it is known to work.

        Raises:
            ProductUnsupported: nothing was changed. NotAllowed: authenticate with the old key first.
        """
        response = self._channel.exchange(product.set_management_key(algorithm, key))
        if response.sw in _NO_SUCH_COMMAND:
            raise ProductUnsupported(product.name)
        if response.sw in (SW.BAD_DATA, SW.WRONG_LENGTH, SW.CONDITIONS_NOT_SATISFIED):
            raise ProductUnsupported(product.name, f"an {algorithm.name} key")
        if not response.ok:
            raise self._channel.refusal("a new management key", response, Condition.MANAGEMENT_KEY)
        self.authenticate(key, algorithm)

    def _mutual(self, algorithm: ManagementAlgorithm, cipher: ManagementCipher, first: ResponseApdu) -> None:
        witness = self._block(first, TAG_WITNESS, algorithm)
        challenge = self._random_bytes(algorithm.block_length)
        proof = [(TAG_WITNESS, cipher.decrypt(witness)), (TAG_CHALLENGE, challenge)]
        response = self._ask(algorithm, proof)
        if response.sw == SW.BAD_DATA:
            # Some cards want to be asked for their response (82 00), others take that for another command. The
            # witness is spent, so everything is done once more; a card that counts wrong keys answers 63Cx instead.
            witness = self._block(self._ask(algorithm, [(TAG_WITNESS, b"")]), TAG_WITNESS, algorithm)
            proof = [(TAG_WITNESS, cipher.decrypt(witness)), (TAG_CHALLENGE, challenge), (TAG_RESPONSE, b"")]
            response = self._ask(algorithm, proof)
        self._proven(response)
        answer = _dynamic(response).get(TAG_RESPONSE, b"")
        if not hmac.compare_digest(answer, cipher.encrypt(challenge)):
            raise CardNotGenuine("that it knows its management key")

    def _proven(self, response: ResponseApdu) -> None:
        if response.tries_left is not None:
            raise WrongManagementKey(response.tries_left)
        if response.sw in _WRONG_PROOF:
            raise WrongManagementKey
        if not response.ok:
            raise self._channel.refusal("the management key", response, Condition.CONTACT)

    def _unavailable(self, witness: ResponseApdu, challenge: ResponseApdu) -> CardError:
        """Why both ways in were refused before anything was proven."""
        if witness.sw in _WRONG_PLACE and challenge.sw in _WRONG_PLACE | _NOT_THIS_ALGORITHM:
            return NotAllowed("the management key", Condition.CONTACT)
        if witness.sw in _NOT_THIS_ALGORITHM | _WRONG_PLACE:
            return WrongManagementAlgorithm()
        return self._channel.refusal("the management key", witness, Condition.CONTACT)

    def _block(self, response: ResponseApdu, tag: int, algorithm: ManagementAlgorithm) -> bytes:
        """A card's random block. Of another length than the cipher's, it belongs to a key of another algorithm."""
        if not response.ok:
            raise self._channel.refusal("the management key", response, Condition.CONTACT)
        block = _dynamic(response).get(tag, b"")
        if len(block) != algorithm.block_length:
            raise WrongManagementAlgorithm
        return block

    def _ask(self, algorithm: ManagementAlgorithm, items: list[tlv.Item]) -> ResponseApdu:
        data = tlv.encode(TAG_DYNAMIC_AUTHENTICATION, tlv.encode_all(items))
        return self._channel.send(INS_GENERAL_AUTHENTICATE, algorithm.identifier, KEY_MANAGEMENT, data, le=SHORT_LE_MAX)


def _dynamic(response: ResponseApdu) -> dict[int, bytes]:
    return tlv.decode_unique(tlv.decode_one(response.data, TAG_DYNAMIC_AUTHENTICATION))
