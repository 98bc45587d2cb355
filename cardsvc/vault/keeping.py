"""The open vault: which keys there are, and what is signed and derived with them.

The register of generations is read again whenever its file changed, so that every process of the city uses a new key
from the moment it is activated; nothing is restarted.
"""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self, TypeVar, overload

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from cardsvc.settings import STRONG, PasswordCost
from cardsvc.vault import keystore, making
from cardsvc.vault.filestore import FileStore
from cardsvc.vault.generations import REGISTER, Generation, Register, Stage
from cardsvc.vault.keystore import KeyStore
from cardsvc.vault.names import (
    CERTIFIED,
    MODULE_ID,
    CertifiedName,
    KeyName,
    P256Name,
    RandomBytes,
    RootIsApart,
    VaultChanged,
    VaultExists,
    WrongStore,
    label,
)
from crypto import pki
from crypto.errors import MalformedMessage
from crypto.keys import EdwardsSigner, P256Signer, PublicKey
from crypto.tlog import NoteSigner, NoteVerifier
from crypto.wire.citykeys import CityKeys

if TYPE_CHECKING:
    from cardsvc.vault.modulestore import Module

_Stamp = tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class _Held:
    """The register as it was when its file had this stamp; None: there is no file."""

    register: Register
    stamp: _Stamp


@dataclass(frozen=True, slots=True)
class _Taken:
    """What was taken out of the store, by label; a label never means another key."""

    p256: dict[str, P256Signer]
    edwards: dict[str, EdwardsSigner]
    certificates: dict[str, x509.Certificate]


class Vault:
    """An open vault. Keys are taken out when first asked for and stay while the process lives."""

    def __init__(
        self, folder: Path, store: KeyStore, *, taken: _Taken | None = None, frozen: _Held | None = None
    ) -> None:
        """Raises: VaultChanged when the register is not this store's."""
        self.folder = folder
        self.store = store
        self._taken = taken or _Taken({}, {}, {})
        self._frozen = frozen
        self._held = frozen or self._read()

    @classmethod
    def create(
        cls,
        folder: Path,
        passphrase: str,
        *,
        city_name: str,
        log_origin: str,
        at: datetime,
        random_bytes: RandomBytes,
        cost: PasswordCost = STRONG,
        root: P256Signer | None = None,
    ) -> Self:
        """Make all keys, in encrypted files, and their certificates, valid from `at`. Raises: VaultExists.

        With `root` the root key is that one, and stays apart: this vault certifies with it once and does not keep it.
        """
        register = Register.first(city_name, log_origin, making.milliseconds(at))
        with _whole_or_not_at_all(folder) as unfinished:
            store = FileStore.create(unfinished, passphrase, cost=cost, random_bytes=random_bytes)
            making.first_generation(unfinished, store, register, root=root, at=at, random_bytes=random_bytes)
        return cls(folder, store.moved(folder))

    @classmethod
    def create_in_module(
        cls,
        folder: Path,
        module: "Module",
        *,
        city_name: str,
        log_origin: str,
        at: datetime,
        random_bytes: RandomBytes,
        root: P256Signer | None = None,
    ) -> Self:
        """The same with all keys in a PKCS#11 module. Raises: VaultExists, ModuleUnavailable, ModuleRefusesPin.

        If we stop midway, keys stay on the token that nothing names.
        """
        from cardsvc.vault.modulestore import ModuleStore  # late: only who has a module needs its library

        register = Register.first(city_name, log_origin, making.milliseconds(at))
        with _whole_or_not_at_all(folder) as unfinished:
            store = ModuleStore.create(unfinished, module, random_bytes=random_bytes)
            making.first_generation(unfinished, store, register, root=root, at=at, random_bytes=random_bytes)
        return cls(folder, store)

    @classmethod
    def open(cls, folder: Path, passphrase: str) -> Self:
        """Raises: VaultMissing, WrongPassphrase, WrongStore."""
        if (folder / MODULE_ID).exists():
            raise WrongStore(folder, in_module=True)
        return cls(folder, FileStore.open(folder, passphrase))

    @classmethod
    def open_in_module(cls, folder: Path, module: "Module") -> Self:
        """Raises: VaultMissing, WrongStore, ModuleUnavailable, ModuleRefusesPin."""
        from cardsvc.vault.modulestore import ModuleStore  # late: only who has a module needs its library

        if FileStore.is_in(folder):
            raise WrongStore(folder, in_module=False)
        return cls(folder, ModuleStore.open(folder, module))

    def snapshot(self) -> Self:
        """The vault as it is now, for work that needs a key and its certificate to belong together to the end."""
        return type(self)(self.folder, self.store, taken=self._taken, frozen=self._now())

    # ------------------------------------------------------------------------------------------------- the generations

    @property
    def register(self) -> Register:
        """All generations as they are now. Raises: VaultChanged."""
        return self._now().register

    @property
    def city_name(self) -> str:
        """As it stands on the certificates."""
        return self.register.city_name

    @property
    def log_origin(self) -> str:
        """The name of the log on its checkpoints, for as long as the log lives."""
        return self.register.log_origin

    def _now(self) -> _Held:
        if self._frozen is None and _stamp(self.folder / REGISTER) != self._held.stamp:
            self._held = self._read()
        return self._held

    def _read(self) -> _Held:
        path = self.folder / REGISTER
        stamp = _stamp(path)
        if stamp is not None:
            return _Held(Register.decode(keystore.decrypt_file(self.store, path, REGISTER)), stamp)
        first_form = getattr(self.store, "first_form", None)
        if first_form is None or any(self.folder.glob("*.2.key")):
            raise VaultChanged(REGISTER)
        return _Held(Register.first(first_form.city_name, first_form.log_origin), stamp)

    def _generation(self, name: KeyName, number: int | None) -> Generation:
        register = self.register
        return register.current(name) if number is None else register.find(name, number)

    # --------------------------------------------------------------------------------------------------------- signing

    @overload
    def signer(self, name: Literal["log"], number: int | None = None) -> EdwardsSigner: ...
    @overload
    def signer(self, name: P256Name, number: int | None = None) -> P256Signer: ...
    def signer(self, name: str, number: int | None = None) -> P256Signer | EdwardsSigner:
        """The key of that name (see KeyName) that signs now, or the one of that generation.

        Raises: VaultChanged when it is not what this vault keeps; RootIsApart; UnknownGeneration.
        """
        return self._signer(KeyName(name), self._generation(KeyName(name), number))

    def any_signer(self, name: KeyName, number: int) -> P256Signer | EdwardsSigner:
        """The same for a name that is known only at run time."""
        return self._signer(name, self._generation(name, number))

    def _signer(self, name: KeyName, one: Generation) -> P256Signer | EdwardsSigner:
        if one.apart:
            raise RootIsApart
        wanted = label(name, one.number)
        try:
            if name is KeyName.LOG:
                return _once(self._taken.edwards, wanted, self.store.edwards)
            return _once(self._taken.p256, wanted, self.store.p256)
        except MalformedMessage as error:
            raise VaultChanged(wanted) from error

    def note_signer(self) -> NoteSigner:
        """Who signs the log's checkpoints, under the log's origin."""
        return self.note_signers()[0]

    def note_signers(self) -> tuple[NoteSigner, ...]:
        """All who sign a checkpoint now: while a new key of the log is announced, it signs beside the current one."""
        register = self.register
        signing = register.of(KeyName.LOG, Stage.CURRENT, Stage.ANNOUNCED)
        return tuple(NoteSigner(register.log_origin, self.signer("log", one.number)) for one in signing)

    def derive(self, label: str, context: bytes, length: int) -> bytes:
        """`length` secret bytes that this vault alone can compute, other ones for each label and context (RFC 5869).

        They stay the same for the vault's life: the master secret has no generations.
        """
        return keystore.derive(self.store, label, context, length)

    # ------------------------------------------------------------------------------------------------------- verifying

    def public_keys(self, name: P256Name) -> tuple[EllipticCurvePublicKey, ...]:
        """Every key under which a signature of that name counts; the current one first."""
        return tuple(self._public_key(name, one) for one in self.register.of(KeyName(name)))

    def certificate(self, name: CertifiedName, number: int | None = None) -> x509.Certificate:
        """The certificate of the key that signs now, or of that generation.

        Raises: VaultChanged when it is not the one that was made: the file was exchanged.
        """
        return self._certificate(name, self._generation(KeyName(name), number))

    def certificates(self, name: CertifiedName) -> tuple[x509.Certificate, ...]:
        """Those of every generation that counts; the current one first."""
        return tuple(self._certificate(name, one) for one in self.register.of(KeyName(name)))

    def city_keys(self) -> CityKeys:
        """The public keys that anybody needs to verify what the city signs, and signed before."""
        register = self.register
        logs = (self.signer("log", one.number).public_key for one in register.of(KeyName.LOG))
        return CityKeys(
            receipt=self.public_keys("receipt"),
            logs=tuple(NoteVerifier(register.log_origin, key) for key in logs),
            policy=self.public_keys("policy"),
        )

    def public_half(self, name: KeyName, number: int) -> tuple[PublicKey, x509.Certificate | None]:
        """The public key of any generation, and its certificate where it has one; of a root kept apart too."""
        if name is KeyName.LOG:
            return self.signer("log", number).public_key, None
        one = self.register.find(name, number)
        for certified in CERTIFIED:
            if name.value == certified:
                return self._public_key(certified, one), self._certificate(certified, one)
        return self._signer(name, one).public_key, None

    def _public_key(self, name: P256Name, one: Generation) -> EllipticCurvePublicKey:
        if one.apart and name == "root":
            key = self._certificate(name, one).public_key()
            assert isinstance(key, EllipticCurvePublicKey)
            return key
        return self.signer(name, one.number).public_key

    def _certificate(self, name: CertifiedName, one: Generation) -> x509.Certificate:
        return _once(self._taken.certificates, label(name, one.number), lambda wanted: self._load(wanted, name, one))

    def _load(self, wanted: str, name: CertifiedName, one: Generation) -> x509.Certificate:
        path = self.folder / f"{wanted}.cer"
        try:
            data = path.read_bytes()
            found = pki.load_certificate(data)
        except (FileNotFoundError, MalformedMessage) as error:
            raise VaultChanged(path.name) from error
        if one.certificate_hash:
            is_ours = hashlib.sha256(data).digest() == one.certificate_hash
        else:  # a vault of the first form wrote no hash down: there the key must be the right one
            is_ours = found.public_key() == self.signer(name, one.number).public_key
        if not is_ours:
            raise VaultChanged(path.name)
        return found


_T = TypeVar("_T")


def _once(taken: dict[str, _T], wanted: str, take: Callable[[str], _T]) -> _T:
    """What was taken before, or is taken now; two threads at one moment take the same."""
    found = taken.get(wanted)
    return taken.setdefault(wanted, take(wanted)) if found is None else found


@contextmanager
def _whole_or_not_at_all(folder: Path) -> Iterator[Path]:
    """Where to make it: it appears under its name complete. If we stop before that, the next try starts over."""
    if folder.exists():
        raise VaultExists(folder)
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True, mode=0o700)
    yield unfinished
    keystore.flush_folder(unfinished)
    unfinished.rename(folder)
    keystore.flush_folder(folder.parent)


def _stamp(path: Path) -> _Stamp:
    """Changes whenever another register takes the place of this one."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
