"""Keys and signatures: P-256 with SHA-256 (cards, terminals, the service) and Ed25519 (the log).

A stored P-256 signature is 64 bytes, r || s, with low s. A card emits DER with either s: the terminal converts and
normalises it (`der_to_raw`, `normalise`), and every verifier refuses the other form, so a signature has one encoding.
"""

import hashlib
from enum import IntEnum
from typing import Protocol, Self, TypeAlias, TypeGuard

from cryptography.exceptions import InvalidSignature as LibraryInvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

from crypto.errors import InvalidSignature, MalformedMessage

PublicKey: TypeAlias = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

# SP 800-186 3.2.1.3: order of the P-256 group
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_HALF_ORDER = ORDER // 2
_SCALAR_BYTES = 32
_ZERO = bytes(_SCALAR_BYTES)
_ORDER_BYTES = ORDER.to_bytes(_SCALAR_BYTES, "big")
_HALF_BYTES = _HALF_ORDER.to_bytes(_SCALAR_BYTES, "big")
SIGNATURE_BYTES = 64
KEY_ID_BYTES = 16
_DER_HIGH_BIT = 0x80

_SHA256 = ec.ECDSA(hashes.SHA256())
_PREHASHED = ec.ECDSA(Prehashed(hashes.SHA256()))
_DETERMINISTIC = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)  # RFC 6979


class Algorithm(IntEnum):
    """COSE algorithm numbers (RFC 9053 2.1 and 2.2)."""

    ES256 = -7
    EDDSA = -8


class Signer(Protocol):
    """Something that holds a private key: software, a card, a hardware module. Two calls may give two signatures."""

    @property
    def public_key(self) -> PublicKey:
        """The key under which every signature of this signer verifies."""

    @property
    def algorithm(self) -> Algorithm: ...

    def sign(self, message: bytes) -> bytes:
        """Sign the message itself (the signer hashes it); 64 bytes in the stored form, ready for `verify`."""


class P256Signer(Signer, Protocol):
    """A signer whose key is on P-256: records, certificates, receipts and policies are signed by such."""

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey: ...


class EdwardsSigner(Signer, Protocol):
    """A signer whose key is an Ed25519 one: the log's."""

    @property
    def public_key(self) -> ed25519.Ed25519PublicKey: ...


class SoftwareSigner:
    """A P-256 key in memory. Signatures are RFC 6979: same key and message, same bytes."""

    def __init__(self, private_key: ec.EllipticCurvePrivateKey) -> None:
        if not isinstance(private_key.curve, ec.SECP256R1):
            raise MalformedMessage("The key is not on P-256.")
        self._private_key = private_key
        self._public_key = private_key.public_key()

    @classmethod
    def generate(cls) -> Self:
        """A new key from the operating system's randomness."""
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def from_secret(cls, secret: int) -> Self:
        """The key of a known secret: for seeded demos and tests. `secret` is reduced to 1..n-1."""
        return cls(ec.derive_private_key(secret % (ORDER - 1) + 1, ec.SECP256R1()))

    @classmethod
    def from_pem(cls, data: bytes, passphrase: bytes | None = None) -> Self:
        """Raises: MalformedMessage when it is no P-256 private key or the passphrase is wrong."""
        key = _load_pem(data, passphrase)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise MalformedMessage("The file does not hold a P-256 private key.")
        return cls(key)

    def to_pem(self, passphrase: bytes | None = None) -> bytes:
        """PKCS#8, encrypted where a passphrase is given."""
        return _to_pem(self._private_key, passphrase)

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        return self._public_key

    @property
    def algorithm(self) -> Algorithm:
        return Algorithm.ES256

    def sign(self, message: bytes) -> bytes:
        return normalise(der_to_raw(self._private_key.sign(message, _DETERMINISTIC)))


class Ed25519Signer:
    """An Ed25519 key in memory (RFC 8032); deterministic by nature."""

    def __init__(self, private_key: ed25519.Ed25519PrivateKey) -> None:
        self._private_key = private_key
        self._public_key = private_key.public_key()

    @classmethod
    def generate(cls) -> Self:
        """A new key from the operating system's randomness."""
        return cls(ed25519.Ed25519PrivateKey.generate())

    @classmethod
    def from_secret(cls, secret: int) -> Self:
        """The key of a known seed, an integer of up to 256 bits: for seeded demos and tests."""
        return cls(ed25519.Ed25519PrivateKey.from_private_bytes((secret % 2**256).to_bytes(32, "big")))

    @classmethod
    def from_pem(cls, data: bytes, passphrase: bytes | None = None) -> Self:
        """Raises: MalformedMessage when it is no Ed25519 private key or the passphrase is wrong."""
        key = _load_pem(data, passphrase)
        if not isinstance(key, ed25519.Ed25519PrivateKey):
            raise MalformedMessage("The file does not hold an Ed25519 private key.")
        return cls(key)

    def to_pem(self, passphrase: bytes | None = None) -> bytes:
        """PKCS#8, encrypted where a passphrase is given."""
        return _to_pem(self._private_key, passphrase)

    @property
    def public_key(self) -> ed25519.Ed25519PublicKey:
        return self._public_key

    @property
    def algorithm(self) -> Algorithm:
        return Algorithm.EDDSA

    def sign(self, message: bytes) -> bytes:
        return self._private_key.sign(message)


def verify(public_key: PublicKey, message: bytes, signature: bytes) -> bytes:
    """Return `message` when `signature`, in the stored form, is the key's over it.

    Raises: InvalidSignature, also for a P-256 signature with high s.
    """
    try:
        if isinstance(public_key, ed25519.Ed25519PublicKey):
            public_key.verify(signature, message)
        else:
            public_key.verify(_stored_to_der(signature), message, _SHA256)
    except LibraryInvalidSignature as error:
        raise InvalidSignature(_FOREIGN) from error
    return message


_FOREIGN = "The signature does not belong to this key and this message."


def refusal_of(public_key: PublicKey, signature: bytes) -> InvalidSignature:
    """What `verify` says of a signature that is known not to verify, without verifying it again."""
    try:
        if not isinstance(public_key, ed25519.Ed25519PublicKey):
            _stored_to_der(signature)
    except InvalidSignature as error:
        return error
    return InvalidSignature(_FOREIGN)


def verify_digest(public_key: ec.EllipticCurvePublicKey, digest: bytes, signature: bytes) -> bytes:
    """Return the SHA-256 `digest` when the stored-form `signature` is the key's over it. Raises: InvalidSignature."""
    if len(digest) != hashes.SHA256.digest_size:
        raise InvalidSignature("A card signs 32 bytes, the SHA-256 of the message.")
    try:
        public_key.verify(_stored_to_der(signature), digest, _PREHASHED)
    except LibraryInvalidSignature as error:
        raise InvalidSignature("The signature does not belong to this key and this digest.") from error
    return digest


def is_stored_form(signature: bytes) -> bool:
    """Whether these are 64 bytes of r and s in range, s low: all that can be said of a signature without its key."""
    # bytes of one length compare like the numbers that they write
    r, s = signature[:_SCALAR_BYTES], signature[_SCALAR_BYTES:]
    return len(signature) == SIGNATURE_BYTES and _ZERO < r < _ORDER_BYTES and _ZERO < s <= _HALF_BYTES


def _stored_to_der(signature: bytes) -> bytes:
    if is_stored_form(signature):
        r, s = signature[:_SCALAR_BYTES], signature[_SCALAR_BYTES:]
        # nearly all: two numbers of full length, of which s, being low, never needs a sign byte (X.690 8.3)
        if r[0] and s[0]:
            return (_BOTH_FULL if r[0] < _SIGN_BIT else _SIGNED_R) + r + _FULL_S + s
        return encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
    _scalars(signature)  # says what else is wrong
    raise InvalidSignature("The signature has a high s: normalise it where the card's answer is read.")


# what stands before r, before an r that needs a sign byte, and before s, where none has a leading byte of zeros
_BOTH_FULL, _SIGNED_R, _FULL_S = b"\x30\x44\x02\x20", b"\x30\x45\x02\x21\x00", b"\x02\x20"
_SIGN_BIT = 0x80


def _scalars(raw: bytes) -> tuple[int, int]:
    if len(raw) != SIGNATURE_BYTES:
        raise InvalidSignature(f"A stored signature has {SIGNATURE_BYTES} bytes, this one has {len(raw)}.")
    r, s = int.from_bytes(raw[:_SCALAR_BYTES], "big"), int.from_bytes(raw[_SCALAR_BYTES:], "big")
    if not (0 < r < ORDER and 0 < s < ORDER):  # FIPS 186-5 6.4.2, step 1
        raise InvalidSignature("The signature's numbers are out of range.")
    return r, s


def normalise(raw: bytes) -> bytes:
    """The same r || s signature with low s: what a terminal does to a card's answer before it is kept."""
    r, s = _scalars(raw)
    return _to_raw(r, min(s, ORDER - s))


def der_to_raw(der: bytes) -> bytes:
    """Convert a DER Ecdsa-Sig-Value (RFC 3279 2.2.3) to r || s, accepting its one encoding only; s may be high.

    Raises: InvalidSignature.
    """
    # two integers of at most 33 bytes: every length fits in one byte (X.690 8.1.3.4)
    if len(der) < 2 or der[0] != 0x30 or der[1] != len(der) - 2:  # noqa: PLR2004 - X.690 SEQUENCE, length
        raise InvalidSignature("The signature is not a DER sequence.")
    r, rest = _der_integer(der[2:])
    s, rest = _der_integer(rest)
    if rest:
        raise InvalidSignature("The DER signature has leftovers.")
    if not (0 < r < ORDER and 0 < s < ORDER):
        raise InvalidSignature("The signature's numbers are out of range.")
    return _to_raw(r, s)


def raw_to_der(raw: bytes) -> bytes:
    """Convert r || s to DER. Raises: InvalidSignature when r or s is out of range."""
    return encode_dss_signature(*_scalars(raw))


def _der_integer(data: bytes) -> tuple[int, bytes]:
    """Read one positive INTEGER (X.690 8.3) in its shortest form."""
    if len(data) < 3 or data[0] != 0x02 or not 1 <= data[1] <= 33 or len(data) < 2 + data[1]:  # noqa: PLR2004
        raise InvalidSignature("The DER signature holds no integer where one must be.")
    content, rest = data[2 : 2 + data[1]], data[2 + data[1] :]
    negative = content[0] & _DER_HIGH_BIT
    padded = content[0] == 0 and (len(content) == 1 or not content[1] & _DER_HIGH_BIT)
    if negative or padded:
        raise InvalidSignature("The DER signature holds an integer that is negative, zero or padded.")
    return int.from_bytes(content, "big"), rest


def _to_raw(r: int, s: int) -> bytes:
    return r.to_bytes(_SCALAR_BYTES, "big") + s.to_bytes(_SCALAR_BYTES, "big")


def spki(public_key: PublicKey) -> bytes:
    """SubjectPublicKeyInfo in DER (RFC 5280 4.1); a P-256 point is uncompressed."""
    return public_key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def point(public_key: PublicKey) -> bytes:
    """The uncompressed P-256 point, 65 bytes (SEC 1 2.3.3), or the 32 bytes of an Ed25519 key."""
    if isinstance(public_key, ed25519.Ed25519PublicKey):
        return public_key.public_bytes_raw()
    return public_key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def load_spki(data: bytes) -> PublicKey:
    """A P-256 or Ed25519 key from its one DER encoding. Raises: MalformedMessage."""
    try:
        key = serialization.load_der_public_key(data)
    except Exception as error:  # the library raises several kinds for bytes that are no key
        raise MalformedMessage("The bytes are not a public key.") from error
    if not is_accepted(key) or spki(key) != data:
        raise MalformedMessage("The public key is neither P-256 nor Ed25519 in its one encoding.")
    return key


def load_point(data: bytes) -> ec.EllipticCurvePublicKey:
    """A P-256 key from its uncompressed point, checked to be on the curve. Raises: MalformedMessage."""
    if len(data) != 1 + 2 * _SCALAR_BYTES or data[0] != 0x04:  # noqa: PLR2004 - SEC 1 2.3.3
        raise MalformedMessage("The public key is not an uncompressed P-256 point.")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), data)
    except ValueError as error:
        raise MalformedMessage("The public key is not a point of P-256.") from error


def key_id(public_key: PublicKey) -> bytes:
    """The key's name in a COSE header: the first 16 bytes of SHA-256 over its SPKI."""
    return hashlib.sha256(spki(public_key)).digest()[:KEY_ID_BYTES]


def is_accepted(key: object) -> TypeGuard[PublicKey]:
    """Whether the key is of a kind this project verifies with: P-256 or Ed25519."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return isinstance(key.curve, ec.SECP256R1)
    return isinstance(key, ed25519.Ed25519PublicKey)


def algorithm_of(public_key: PublicKey) -> Algorithm:
    """The one algorithm a key is used with."""
    return Algorithm.EDDSA if isinstance(public_key, ed25519.Ed25519PublicKey) else Algorithm.ES256


def _load_pem(data: bytes, passphrase: bytes | None) -> object:
    try:
        return serialization.load_pem_private_key(data, passphrase)
    except Exception as error:
        raise MalformedMessage("The private key cannot be read: wrong file or wrong passphrase.") from error


def _to_pem(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey, passphrase: bytes | None) -> bytes:
    encryption = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
