"""Keys as the card names them: slots, management keys, and what a card returns as point or signature, read strictly."""

from enum import Enum, IntEnum
from typing import Final

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from terminals.card.apdu import ALGORITHM_3DES, ALGORITHM_AES_128, ALGORITHM_AES_192, ALGORITHM_AES_256, Octets
from terminals.card.errors import BadPublicKey, BadSignature

P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # SP 800-186, 3.2.1.3
SCALAR_LENGTH: Final = 32
DIGEST_LENGTH: Final = 32


class Slot(IntEnum):
    """The asymmetric keys the city uses (SP 800-73-5 Part 1, Table 4a)."""

    AUTHENTICATION = 0x9A  # sign-in; PIN once
    SIGNATURE = 0x9C  # consent; PIN before every signature
    CARD_AUTHENTICATION = 0x9E  # presence; no PIN

    @property
    def title(self) -> str:
        return f"{self:02X}"


class ManagementAlgorithm(Enum):
    """Ciphers a card management key (9B) can have: algorithm id, key and block length in bytes (SP 800-78-5)."""

    TDES = (ALGORITHM_3DES, 24, 8)  # withdrawn, yet the factory key of many cards; accepted only to replace it
    AES128 = (ALGORITHM_AES_128, 16, 16)
    AES192 = (ALGORITHM_AES_192, 24, 16)
    AES256 = (ALGORITHM_AES_256, 32, 16)

    @property
    def identifier(self) -> int:
        return self.value[0]

    @property
    def key_length(self) -> int:
        return self.value[1]

    @property
    def block_length(self) -> int:
        return self.value[2]

    @property
    def title(self) -> str:
        """As people and options write it: 3des, aes128, aes192, aes256."""
        return "3des" if self is ManagementAlgorithm.TDES else self.name.lower()

    @classmethod
    def of(cls, identifier: int) -> "ManagementAlgorithm":
        """Raises: ValueError: no management key has this algorithm."""
        for algorithm in cls:
            if algorithm.identifier == identifier:
                return algorithm
        raise ValueError("no management key has this algorithm")


class ManagementCipher:
    """One block in, one block out: 9B authentication uses the bare block cipher (SP 800-73-5 Part 2, Appendix A.1)."""

    def __init__(self, algorithm: ManagementAlgorithm, key: Octets) -> None:
        if len(key) != algorithm.key_length:
            raise ValueError(f"a management key for {algorithm.name} has {algorithm.key_length} bytes")
        block = TripleDES(bytes(key)) if algorithm is ManagementAlgorithm.TDES else algorithms.AES(bytes(key))
        self._cipher = Cipher(block, modes.ECB())  # noqa: S305 - the standard asks for single random blocks

    def encrypt(self, block: bytes) -> bytes:
        return self._cipher.encryptor().update(block)

    def decrypt(self, block: bytes) -> bytes:
        return self._cipher.decryptor().update(block)


def read_point(point: bytes) -> ec.EllipticCurvePublicKey:
    """A public key as a card returns it: uncompressed, and on P-256.

    Raises:
        BadPublicKey: any other bytes, among them points that are not on the curve.
    """
    if len(point) != 1 + 2 * SCALAR_LENGTH:
        raise BadPublicKey
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        raise BadPublicKey from None


def read_signature(der: bytes) -> bytes:
    """A card's DER signature as r||s, 64 bytes, s in the lower half: the one form that is stored.

    Raises:
        BadSignature: not strict DER, or r or s out of range.
    """
    try:
        r, s = utils.decode_dss_signature(der)
        strict = 0 < r < P256_ORDER and 0 < s < P256_ORDER and utils.encode_dss_signature(r, s) == der
    except ValueError:
        strict = False
    if not strict:
        raise BadSignature
    return r.to_bytes(SCALAR_LENGTH) + min(s, P256_ORDER - s).to_bytes(SCALAR_LENGTH)


def der_signature(raw: bytes) -> bytes:
    """The DER form of r||s, as openssl and X.509 want it."""
    return utils.encode_dss_signature(int.from_bytes(raw[:SCALAR_LENGTH]), int.from_bytes(raw[SCALAR_LENGTH:]))
