"""Keys in a PKCS#11 module: made there, used there, and never out of it, not even encrypted.

The folder of such a vault holds nothing secret: certificates, the register (encrypted under the module's master secret,
so that nobody exchanges it), and the id under which this vault's keys are found on the token.
"""

import contextlib
import hashlib
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

import pkcs11
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass
from pkcs11.exceptions import (
    NoSuchKey,
    NoSuchToken,
    PinExpired,
    PinIncorrect,
    PinInvalid,
    PinLenRange,
    PinLocked,
    PKCS11Error,
    UserAlreadyLoggedIn,
    UserPinNotInitialized,
)
from pkcs11.types import SignMixin

from cardsvc.vault import keystore
from cardsvc.vault.names import MODULE_ID, ModuleRefusesPin, ModuleUnavailable, RandomBytes, VaultChanged, VaultMissing
from crypto import keys
from crypto.keys import Algorithm

_ID_BYTES = 16
_MASTER = "master"
_MASTER_BITS = 256
_HASH_BYTES = 32
_PROBE_BITS = 64
# CKA_EC_PARAMS: P-256 by its OID (RFC 5480 2.1.1.1); Ed25519 by its name (PKCS#11 v3.0 2.3.5), as SoftHSM 2.6 knows it
_P256 = bytes.fromhex("06082a8648ce3d030107")
_ED25519 = b"\x13\x0cedwards25519"
# CKA_EC_POINT: the point inside an OCTET STRING (PKCS#11 v2.40 2.3.3); older modules give it bare
_P256_POINT_BYTES, _ED25519_POINT_BYTES = 65, 32
_OCTET_STRING = 0x04
_PIN_TROUBLES = (PinIncorrect, PinInvalid, PinLenRange, PinLocked, PinExpired, UserPinNotInitialized)

if TYPE_CHECKING:
    from pkcs11._pkcs11 import lib as Library  # noqa: N812 - a class, whatever its spelling

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Module:
    """Which module, which token in it, and the PIN that opens it."""

    library: Path
    token: str
    pin: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Session:
    """A session that is logged in, and the keys that were looked for in it: looking costs more than signing."""

    raw: pkcs11.Session
    found: dict[tuple[ObjectClass, bytes], pkcs11.Key]

    def key(self, kind: ObjectClass, key_id: bytes) -> pkcs11.Key:
        """Raises: NoSuchKey."""
        place = kind, key_id
        if place not in self.found:
            # the library complains on stderr when a search meets a session that was lost: let this call meet it
            self.raw.generate_random(_PROBE_BITS)
            self.found[place] = self.raw.get_key(object_class=kind, id=key_id)
        return self.found[place]


class _Door:
    """The one session of this process: calls go through it one after another, and it is opened anew when it was lost.

    A process that was forked starts over: its library must be initialised again, and the parent's session is not its
    own (PKCS#11 v2.40, 6.7.1 of the base specification).
    """

    def __init__(self, module: Module) -> None:
        self._module = module
        self._lock = threading.Lock()
        self._session: _Session | None = None
        self._process = os.getpid()
        self._refused = False
        os.register_at_fork(after_in_child=self._after_fork)

    def _after_fork(self) -> None:
        self._lock = threading.Lock()  # another thread of the parent may have held it

    def run(self, work: Callable[[_Session], _T]) -> _T:
        """What `work` returns; done twice where the session or the token was lost meanwhile, so it must be repeatable.

        Raises: ModuleUnavailable, ModuleRefusesPin; NoSuchKey.
        """
        with self._lock:
            try:
                return work(self._open())
            except ModuleRefusesPin:
                raise
            # Who was logged out finds no keys, and a token that came back is seen only by a library begun anew.
            except (PKCS11Error, ModuleUnavailable):
                self._session = None
            try:
                return work(self._open(anew=True))
            except NoSuchKey:
                raise
            except PKCS11Error as error:
                self._session = None
                raise ModuleUnavailable(self._module.library, _named(error)) from error

    def _open(self, *, anew: bool = False) -> _Session:
        forked = self._process != os.getpid()
        if self._session is None or forked:
            if self._refused:
                raise ModuleRefusesPin(self._module.token)  # each try could be the one that locks the token
            try:
                library = pkcs11.lib(str(self._module.library))
                if anew or forked:
                    _restart(library)
                token = library.get_token(token_label=self._module.token)
                self._session = _Session(self._log_in(token), {})
                self._process = os.getpid()
            except NoSuchToken as error:
                raise ModuleUnavailable(self._module.library, f"has no token {self._module.token!r}") from error
            except _PIN_TROUBLES as error:
                self._refused = True
                raise ModuleRefusesPin(self._module.token) from error
            except PKCS11Error as error:
                raise ModuleUnavailable(self._module.library, _named(error)) from error
        return self._session

    def _log_in(self, token: pkcs11.Token) -> pkcs11.Session:
        try:
            return token.open(rw=True, user_pin=self._module.pin)
        except UserAlreadyLoggedIn:  # by another vault of this process: a login is the process's, not the session's
            return token.open(rw=True)


class ModuleStore:
    """The keys of one vault on a token."""

    def __init__(self, module: Module, vault_id: bytes) -> None:
        self._module = module
        self._vault_id = vault_id
        self._door = _Door(module)

    @classmethod
    def create(cls, folder: Path, module: Module, *, random_bytes: RandomBytes) -> Self:
        """In an empty folder, with a master secret of its own on the token."""
        vault_id = random_bytes(_ID_BYTES)
        store = cls(module, vault_id)
        store._door.run(store._make_master)
        keystore.write(folder / MODULE_ID, vault_id)
        return store

    @classmethod
    def open(cls, folder: Path, module: Module) -> Self:
        """Raises: VaultMissing, ModuleUnavailable, ModuleRefusesPin; VaultChanged: the token is another vault's."""
        try:
            store = cls(module, (folder / MODULE_ID).read_bytes())
        except FileNotFoundError as error:
            raise VaultMissing(folder) from error
        store.expand(b"", 1)
        return store

    @property
    def place(self) -> str:
        return f"token {self._module.token!r} of {self._module.library}"

    def make(self, label: str, *, edwards: bool, random_bytes: RandomBytes) -> None:  # noqa: ARG002 - it draws its own
        """The module draws its own randomness."""

        def work(session: _Session) -> None:
            self._destroy_left_over(session, label)
            kind, parameters = (KeyType.EC_EDWARDS, _ED25519) if edwards else (KeyType.EC, _P256)
            domain = session.raw.create_domain_parameters(kind, {Attribute.EC_PARAMS: parameters}, local=True)
            domain.generate_keypair(
                id=self._id(label),
                label=label,
                store=True,
                capabilities=MechanismFlag.SIGN | MechanismFlag.VERIFY,
                mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN if edwards else Mechanism.EC_KEY_PAIR_GEN,
                private_template={
                    Attribute.PRIVATE: True,
                    Attribute.SENSITIVE: True,
                    Attribute.EXTRACTABLE: False,
                },
            )

        self._door.run(work)

    def p256(self, label: str) -> "ModuleP256Signer":
        point = self._point(label, _P256_POINT_BYTES)
        return ModuleP256Signer(self, label, keys.load_point(point))

    def edwards(self, label: str) -> "ModuleEdwardsSigner":
        point = self._point(label, _ED25519_POINT_BYTES)
        return ModuleEdwardsSigner(self, label, Ed25519PublicKey.from_public_bytes(point))

    def sign(self, label: str, data: bytes, mechanism: Mechanism) -> bytes:
        """Raises: VaultChanged when there is no such key; ModuleUnavailable."""

        def work(session: _Session) -> bytes:
            key = session.key(ObjectClass.PRIVATE_KEY, self._id(label))
            assert isinstance(key, SignMixin)
            return bytes(key.sign(data, mechanism=mechanism))

        return self._found(label, work)

    def expand(self, info: bytes, length: int) -> bytes:
        """HKDF-Expand (RFC 5869 2.3): each block is an HMAC that the module computes under its master secret."""

        def work(session: _Session) -> bytes:
            key = session.key(ObjectClass.SECRET_KEY, self._id(_MASTER))
            assert isinstance(key, SignMixin)
            blocks = [b""]
            while len(blocks) * _HASH_BYTES < length + _HASH_BYTES:
                message = blocks[-1] + info + bytes((len(blocks),))
                blocks.append(bytes(key.sign(message, mechanism=Mechanism.SHA256_HMAC)))
            return b"".join(blocks)[:length]

        return self._found(_MASTER, work)

    def _found(self, label: str, work: Callable[[_Session], _T]) -> _T:
        try:
            return self._door.run(work)
        except NoSuchKey as error:
            raise VaultChanged(f"{label} (on the token)") from error

    def _make_master(self, session: _Session) -> None:
        self._destroy_left_over(session, _MASTER)
        session.raw.generate_key(
            KeyType.GENERIC_SECRET,
            _MASTER_BITS,
            id=self._id(_MASTER),
            label=_MASTER,
            store=True,
            capabilities=MechanismFlag.SIGN,
            template={Attribute.PRIVATE: True, Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False},
        )

    def _destroy_left_over(self, session: _Session, label: str) -> None:
        for found in list(session.raw.get_objects({Attribute.ID: self._id(label)})):
            found.destroy()

    def _point(self, label: str, size: int) -> bytes:
        def work(session: _Session) -> bytes:
            key = session.key(ObjectClass.PUBLIC_KEY, self._id(label))
            return bytes(key[Attribute.EC_POINT])

        point = self._found(label, work)
        wrapped = len(point) == size + 2 and point[:2] == bytes((_OCTET_STRING, size))
        if not wrapped and len(point) != size:
            raise VaultChanged(f"{label} (on the token)")
        return point[-size:]

    def _id(self, label: str) -> bytes:
        """CKA_ID: several vaults may share a token, and tools pair the halves of a key by it."""
        return hashlib.sha256(self._vault_id + label.encode()).digest()[:_ID_BYTES]


@dataclass(frozen=True, slots=True)
class ModuleP256Signer:
    """A P-256 key of the module. Signatures are randomised: twice the same message gives two signatures."""

    store: ModuleStore
    label: str
    public_key: EllipticCurvePublicKey

    @property
    def algorithm(self) -> Algorithm:
        return Algorithm.ES256

    def sign(self, message: bytes) -> bytes:
        """The module gets the hash (CKM_ECDSA, r || s), which every module can; what it made is verified."""
        raw = self.store.sign(self.label, hashlib.sha256(message).digest(), Mechanism.ECDSA)
        signature = keys.normalise(raw)
        keys.verify(self.public_key, message, signature)
        return signature


@dataclass(frozen=True, slots=True)
class ModuleEdwardsSigner:
    """An Ed25519 key of the module."""

    store: ModuleStore
    label: str
    public_key: Ed25519PublicKey

    @property
    def algorithm(self) -> Algorithm:
        return Algorithm.EDDSA

    def sign(self, message: bytes) -> bytes:
        signature = self.store.sign(self.label, message, Mechanism.EDDSA)
        keys.verify(self.public_key, message, signature)
        return signature


def _restart(library: "Library") -> None:
    """As after a fork, or when all that the library knew of its token is gone."""
    with contextlib.suppress(PKCS11Error):
        library.finalize()
    library.initialize()


def _named(error: PKCS11Error) -> str:
    """The library's errors seldom carry a text; their class says it."""
    return f"answers {type(error).__name__}" + (f" ({error})" if str(error) else "")
