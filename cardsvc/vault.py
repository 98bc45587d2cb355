"""The city's own keys. A folder of encrypted files here; in production a hardware module stands behind the same calls.

One passphrase opens one master secret (argon2id, then AES-256-GCM); every other file is encrypted under a key derived
from the master. Losing the folder or the passphrase loses the city's keys for good: keep copies of both, apart.
"""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, Literal, Self, overload

from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cardsvc.errors import CityError, ErrorKind
from cardsvc.settings import STRONG, PasswordCost
from crypto import cbor, pki
from crypto.errors import MalformedMessage
from crypto.keys import Ed25519Signer, SoftwareSigner
from crypto.tlog import NoteSigner
from crypto.wire.citykeys import CityKeys

RandomBytes = Callable[[int], bytes]

_KEY_BYTES, _SALT_BYTES, _NONCE_BYTES = 32, 16, 12
# A changed header must not cost us the machine's memory before it is found out.
_ITERATIONS_MAX, _MEMORY_KIB_MAX = 16, 1024 * 1024
_SEAL_VERSION = b"\x01"
_MASTER = "master"
# 128 bits more than the key, so that reducing it modulo the group order leaves no bias (FIPS 186-5 A.2.1).
_SECRET_BYTES = 48
# Each outlives by years what it certifies: a card lives ten years at most, and its content must verify to its last day.
_ROOT_VALIDITY = timedelta(days=30 * 365)
_AUTHORITY_VALIDITY = timedelta(days=25 * 365)
_CONTENT_VALIDITY = timedelta(days=20 * 365)


class WrongPassphrase(CityError):
    """The sealed bytes do not open: another passphrase made them, or they were changed."""

    code = "wrong_passphrase"
    kind = ErrorKind.UNAVAILABLE

    def __init__(self) -> None:
        super().__init__("The vault does not open. Check CITY_VAULT_PASSPHRASE; if it is right, a file was changed.")


class VaultMissing(CityError):
    code = "vault_missing"
    kind = ErrorKind.UNAVAILABLE

    def __init__(self, folder: Path) -> None:
        super().__init__(f"There is no vault in {folder}. Run ./city init, or set CITY_HOME to where the city lives.")


class VaultExists(CityError):
    code = "vault_exists"
    kind = ErrorKind.CONFLICT

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} holds a vault already; its keys are never overwritten.")


class KeyName(StrEnum):
    """What each key is for; a key does one thing only."""

    ROOT = "root"  # certifies the authorities
    CARD_CA = "card-ca"  # certifies cards
    TERMINAL_CA = "terminal-ca"  # certifies terminals
    CONTENT = "content"  # signs what is stored on cards (CHUID)
    RECEIPT = "receipt"
    POLICY = "policy"  # what terminals download
    SERVICE = "service"  # records that a rule computed, and the service's own portal
    LOG = "log"  # checkpoints; the only Ed25519 key


P256Name = Literal["root", "card-ca", "terminal-ca", "content", "receipt", "policy", "service"]


# ---------------------------------------------------------------------------------------------- Sealing by a password


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


# ----------------------------------------------------------------------------------------------------------- The vault


@dataclass(frozen=True, slots=True)
class _Identity:
    """What the master file holds beside the master secret; fixed when the vault is made."""

    master: bytes
    city_name: str
    log_origin: str

    def encode(self) -> bytes:
        return cbor.encode([1, self.master, self.city_name, self.log_origin])

    @classmethod
    def decode(cls, data: bytes) -> Self:
        match cbor.decode(data):
            case [1, bytes(master), str(city_name), str(log_origin)]:
                return cls(master, city_name, log_origin)
            case _:
                raise WrongPassphrase


class Vault:
    """An open vault. Keys are read when first asked for and kept in memory while the process lives."""

    _context: ClassVar[bytes] = b"city.vault.v1"

    def __init__(self, folder: Path, identity: _Identity) -> None:
        self._folder = folder
        self._identity = identity
        self._p256: dict[KeyName, SoftwareSigner] = {}
        self._log: Ed25519Signer | None = None

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
    ) -> Self:
        """Make all keys and their certificates, valid from `at`. Raises: VaultExists.

        The folder appears under its name whole or not at all: if we stop before that, the next try starts over.
        """
        if folder.exists():
            raise VaultExists(folder)
        unfinished = folder.with_name(f"{folder.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True, mode=0o700)
        identity = _Identity(random_bytes(_KEY_BYTES), city_name, log_origin)
        _write(
            unfinished / _MASTER,
            seal(passphrase, identity.encode(), context=cls._context, cost=cost, random_bytes=random_bytes),
        )
        vault = cls(unfinished, identity)
        for name in KeyName:
            vault._store_key(name, random_bytes)
        vault._make_certificates(at, random_bytes)
        _flush_folder(unfinished)
        unfinished.rename(folder)
        _flush_folder(folder.parent)
        return cls(folder, identity)

    @classmethod
    def open(cls, folder: Path, passphrase: str) -> Self:
        """Raises: VaultMissing, WrongPassphrase."""
        try:
            sealed = (folder / _MASTER).read_bytes()
        except FileNotFoundError as error:
            raise VaultMissing(folder) from error
        return cls(folder, _Identity.decode(unseal(passphrase, sealed, context=cls._context)))

    @property
    def city_name(self) -> str:
        """As it stands on the certificates."""
        return self._identity.city_name

    @property
    def log_origin(self) -> str:
        """The name of the log on its checkpoints, for as long as the log lives."""
        return self._identity.log_origin

    @overload
    def signer(self, name: Literal["log"]) -> Ed25519Signer: ...
    @overload
    def signer(self, name: P256Name) -> SoftwareSigner: ...
    def signer(self, name: str) -> SoftwareSigner | Ed25519Signer:
        """The key of that name (see KeyName). Raises: WrongPassphrase when its file was changed."""
        if name != KeyName.LOG:
            return self._p256_signer(KeyName(name))
        if self._log is None:
            self._log = Ed25519Signer.from_pem(self._read_key(KeyName.LOG))
        return self._log

    def note_signer(self) -> NoteSigner:
        """Who signs the log's checkpoints, under the log's origin."""
        return NoteSigner(self.log_origin, self.signer("log"))

    def certificate(self, name: Literal["root", "card-ca", "terminal-ca", "content"]) -> x509.Certificate:
        """The certificate of that key. Raises: WrongPassphrase when it is another key's: the file was exchanged."""
        found = pki.load_certificate((self._folder / f"{name}.cer").read_bytes())
        if found.public_key() != self.signer(name).public_key:
            raise WrongPassphrase
        return found

    def derive(self, label: str, context: bytes, length: int) -> bytes:
        """`length` secret bytes that this vault alone can compute, other ones for each label and context (RFC 5869)."""
        info = cbor.encode(["city.derive.v1", label, context])
        return HKDF(SHA256(), length, salt=None, info=info).derive(self._identity.master)

    def city_keys(self) -> CityKeys:
        """The public keys that anybody needs to verify what the city signs."""
        return CityKeys(
            receipt=(self.signer("receipt").public_key,),
            logs=(self.note_signer().verifier,),
            policy=(self.signer("policy").public_key,),
        )

    # ---------------------------------------------------------------------------------------------------------- files

    def _store_key(self, name: KeyName, random_bytes: RandomBytes) -> None:
        secret = int.from_bytes(random_bytes(_SECRET_BYTES), "big")
        made = Ed25519Signer.from_secret(secret) if name is KeyName.LOG else SoftwareSigner.from_secret(secret)
        nonce = random_bytes(_NONCE_BYTES)
        _write(self._folder / f"{name}.key", nonce + self._file_key(name).encrypt(nonce, made.to_pem(), name.encode()))

    def _p256_signer(self, name: KeyName) -> SoftwareSigner:
        if name not in self._p256:
            self._p256[name] = SoftwareSigner.from_pem(self._read_key(name))
        return self._p256[name]

    def _read_key(self, name: KeyName) -> bytes:
        data = (self._folder / f"{name}.key").read_bytes()
        try:
            return self._file_key(name).decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], name.encode())
        except InvalidTag as error:
            raise WrongPassphrase from error

    def _file_key(self, name: str) -> AESGCM:
        return AESGCM(self.derive("vault.file", name.encode(), _KEY_BYTES))

    def _make_certificates(self, at: datetime, random_bytes: RandomBytes) -> None:
        """The root certifies the two authorities; the card authority also whoever signs what lies on cards."""
        city, root_signer, card_signer = self.city_name, self.signer("root"), self.signer("card-ca")

        root = pki.create_root(
            f"{city} Root", root_signer, serial=_serial(random_bytes), not_before=at, not_after=at + _ROOT_VALIDITY
        )
        card_ca, terminal_ca = (
            pki.create_authority(
                f"{city} {title}",
                signer.public_key,
                issuer=root,
                signer=root_signer,
                serial=_serial(random_bytes),
                not_before=at,
                not_after=at + _AUTHORITY_VALIDITY,
            )
            for title, signer in (("Cards", card_signer), ("Terminals", self.signer("terminal-ca")))
        )
        content = pki.create_content_signer(
            f"{city} Card Content",
            self.signer("content").public_key,
            issuer=card_ca,
            signer=card_signer,
            serial=_serial(random_bytes),
            not_before=at,
            not_after=at + _CONTENT_VALIDITY,
        )
        self._store_certificate(KeyName.ROOT, root)
        self._store_certificate(KeyName.CARD_CA, card_ca)
        self._store_certificate(KeyName.TERMINAL_CA, terminal_ca)
        self._store_certificate(KeyName.CONTENT, content)

    def _store_certificate(self, name: KeyName, certificate: x509.Certificate) -> None:
        _write(self._folder / f"{name}.cer", pki.to_der(certificate))


def _write(path: Path, data: bytes) -> None:
    """A file that only its owner reads, on the disk before we return."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _serial(random_bytes: RandomBytes) -> int:
    """A positive serial number of 127 random bits (RFC 5280 4.1.2.2: never the same twice, at most 20 octets)."""
    return int.from_bytes(random_bytes(16), "big") >> 1 | 1
