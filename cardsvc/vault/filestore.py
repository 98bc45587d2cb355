"""Keys in encrypted files: one passphrase opens the master secret, which opens everything else.

Losing the folder or the passphrase loses the city's keys for good: keep copies of both, apart.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from cardsvc.settings import PasswordCost
from cardsvc.vault import keystore
from cardsvc.vault.names import RandomBytes, VaultMissing, WrongPassphrase
from cardsvc.vault.sealing import seal, unseal
from crypto import cbor
from crypto.keys import Ed25519Signer, SoftwareSigner

_MASTER = "master"
_CONTEXT = b"city.vault.v1"
_MASTER_BYTES = 32
# 128 bits more than the key, so that reducing it modulo the group order leaves no bias (FIPS 186-5 A.2.1).
_SECRET_BYTES = 48


@dataclass(frozen=True, slots=True)
class FirstForm:
    """What the master file of a vault of the first form says beside the secret; newer ones keep it in the register."""

    city_name: str
    log_origin: str


class FileStore:
    """An open folder of encrypted files. Keys are read when first asked for."""

    def __init__(self, folder: Path, master: bytes, first_form: FirstForm | None = None) -> None:
        self._folder = folder
        self.first_form = first_form
        extract = HMAC(bytes(SHA256.digest_size), SHA256())  # HKDF-Extract without a salt (RFC 5869 2.2)
        extract.update(master)
        self._pseudorandom_key = extract.finalize()

    @classmethod
    def create(cls, folder: Path, passphrase: str, *, cost: PasswordCost, random_bytes: RandomBytes) -> Self:
        """In an empty folder."""
        master = random_bytes(_MASTER_BYTES)
        content = cbor.encode([2, master])
        keystore.write(
            folder / _MASTER, seal(passphrase, content, context=_CONTEXT, cost=cost, random_bytes=random_bytes)
        )
        return cls(folder, master)

    @classmethod
    def open(cls, folder: Path, passphrase: str) -> Self:
        """Raises: VaultMissing, WrongPassphrase."""
        try:
            sealed = (folder / _MASTER).read_bytes()
        except FileNotFoundError as error:
            raise VaultMissing(folder) from error
        match cbor.decode(unseal(passphrase, sealed, context=_CONTEXT)):
            case [1, bytes(master), str(city_name), str(log_origin)]:
                return cls(folder, master, FirstForm(city_name, log_origin))
            case [2, bytes(master)]:
                return cls(folder, master)
            case _:
                raise WrongPassphrase

    @staticmethod
    def is_in(folder: Path) -> bool:
        return (folder / _MASTER).exists()

    @property
    def place(self) -> str:
        return f"encrypted files in {self._folder}"

    def moved(self, folder: Path) -> Self:
        """The same store after its folder was renamed."""
        self._folder = folder
        return self

    def make(self, label: str, *, edwards: bool, random_bytes: RandomBytes) -> None:
        secret = int.from_bytes(random_bytes(_SECRET_BYTES), "big")
        made = Ed25519Signer.from_secret(secret) if edwards else SoftwareSigner.from_secret(secret)
        keystore.encrypt_file(self, self._path(label), label, made.to_pem(), random_bytes)

    def p256(self, label: str) -> SoftwareSigner:
        return SoftwareSigner.from_pem(keystore.decrypt_file(self, self._path(label), label))

    def edwards(self, label: str) -> Ed25519Signer:
        return Ed25519Signer.from_pem(keystore.decrypt_file(self, self._path(label), label))

    def expand(self, info: bytes, length: int) -> bytes:
        return HKDFExpand(SHA256(), length, info).derive(self._pseudorandom_key)

    def _path(self, label: str) -> Path:
        return self._folder / f"{label}.key"
