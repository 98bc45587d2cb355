"""Where private keys are kept: what every store promises, and what stands on any of them.

A store keeps keys under labels and one master secret. Two stores exist: encrypted files (`filestore`) and a PKCS#11
module (`modulestore`), out of which no key ever comes.
"""

import os
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cardsvc.vault.names import RandomBytes, VaultChanged
from crypto import cbor
from crypto.keys import EdwardsSigner, P256Signer

FILE_KEY_BYTES, NONCE_BYTES = 32, 12


class KeyStore(Protocol):
    """Keys by label. What `make` made is durable when it returns. Any thread may call, and any process that opened the
    store, or was forked from one that did.
    """

    @property
    def place(self) -> str:
        """Where the keys are, for an operator to read."""

    def make(self, label: str, *, edwards: bool, random_bytes: RandomBytes) -> None:
        """A new key under a label that nobody relies on yet: what an interrupted making left there gives way."""

    def p256(self, label: str) -> P256Signer:
        """Raises: VaultChanged when there is no such key."""

    def edwards(self, label: str) -> EdwardsSigner:
        """Raises: VaultChanged when there is no such key."""

    def expand(self, info: bytes, length: int) -> bytes:
        """HKDF-Expand with SHA-256 (RFC 5869 2.3) under the master secret."""


def derive(store: KeyStore, label: str, context: bytes, length: int) -> bytes:
    """`length` secret bytes that this store alone can compute, other ones for each label and context."""
    return store.expand(cbor.encode(["city.derive.v1", label, context]), length)


def encrypt_file(store: KeyStore, path: Path, name: str, content: bytes, random_bytes: RandomBytes) -> None:
    """Write `path` so that this store alone reads it, and only as the file of this name."""
    nonce = random_bytes(NONCE_BYTES)
    write(path, nonce + _file_key(store, name).encrypt(nonce, content, name.encode()))


def decrypt_file(store: KeyStore, path: Path, name: str) -> bytes:
    """Raises: VaultChanged."""
    try:
        data = path.read_bytes()
        return _file_key(store, name).decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], name.encode())
    except (FileNotFoundError, InvalidTag, ValueError) as error:
        raise VaultChanged(path.name) from error


def _file_key(store: KeyStore, name: str) -> AESGCM:
    return AESGCM(derive(store, "vault.file", name.encode(), FILE_KEY_BYTES))


def write(path: Path, data: bytes) -> None:
    """A file that only its owner reads, whole and on the disk before we return; the one before it gives way at once.

    If we stop before the renaming, `path` is what it was.
    """
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)
    flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """What was renamed in it stays renamed when the power goes."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
