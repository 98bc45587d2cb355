"""Small secrets encrypted under a password: argon2id makes the key, AES-256-GCM uses it."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from cardsvc.settings import PasswordCost
from cardsvc.vault.names import RandomBytes, WrongPassphrase
from crypto import cbor
from crypto.errors import MalformedMessage

_KEY_BYTES, _SALT_BYTES, _NONCE_BYTES = 32, 16, 12
# A changed header must not cost us the machine's memory before it is found out.
_ITERATIONS_MAX, _MEMORY_KIB_MAX = 16, 1024 * 1024
_SEAL_VERSION = b"\x01"


def seal(password: str, secret: bytes, *, context: bytes, cost: PasswordCost, random_bytes: RandomBytes) -> bytes:
    """Encrypt a small secret so that only this password, in this context, opens it. The cost travels along."""
    header = _SEAL_VERSION + cbor.encode([cost.iterations, cost.memory_kib, cost.lanes, random_bytes(_SALT_BYTES)])
    nonce = random_bytes(_NONCE_BYTES)
    sealed = AESGCM(_password_key(password, header)).encrypt(nonce, secret, header + context)
    return cbor.encode([header, nonce, sealed])


def unseal(password: str, sealed: bytes, *, context: bytes) -> bytes:
    """The secret. Raises: WrongPassphrase, also when a byte or the context is another."""
    try:
        match cbor.decode(sealed):
            case [bytes(header), bytes(nonce), bytes(content)] if header[:1] == _SEAL_VERSION:
                return AESGCM(_password_key(password, header)).decrypt(nonce, content, header + context)
            case _:
                raise WrongPassphrase
    except (InvalidTag, MalformedMessage, ValueError) as error:
        raise WrongPassphrase from error


def _password_key(password: str, header: bytes) -> bytes:
    match cbor.decode(header[1:]):
        case [int(iterations), int(memory_kib), int(lanes), bytes(salt)] if (
            iterations <= _ITERATIONS_MAX and memory_kib <= _MEMORY_KIB_MAX
        ):
            return Argon2id(
                salt=salt, length=_KEY_BYTES, iterations=iterations, lanes=lanes, memory_cost=memory_kib
            ).derive(password.encode())
        case _:
            raise WrongPassphrase
