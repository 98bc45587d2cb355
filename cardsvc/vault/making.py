"""Making keys and their certificates: a city's first ones, and later generations."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from cryptography import x509

from cardsvc.vault import certifying, keystore
from cardsvc.vault.generations import REGISTER, Register
from cardsvc.vault.keystore import KeyStore
from cardsvc.vault.names import CERTIFIED, CertifiedName, KeyName, RandomBytes, label
from crypto import pki
from crypto.keys import P256Signer


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who certifies: a certificate and the key that belongs to it."""

    certificate: x509.Certificate
    signer: P256Signer


def make(
    folder: Path,
    store: KeyStore,
    city_name: str,
    numbers: Mapping[KeyName, int],
    *,
    root: P256Signer | None,
    issuer: Callable[[CertifiedName], Issuer],
    at: datetime,
    random_bytes: RandomBytes,
) -> dict[KeyName, bytes]:
    """Make the key of each name in the generation of that number, and the certificates; their hashes.

    `root` takes the place of a root key in the store. `issuer` answers who certifies where the issuer is not made here.
    If we stop midway, nothing names what was made, and the next try writes over it. Raises: IssuerEndsTooSoon.
    """
    for key, number in numbers.items():
        if key is not KeyName.ROOT or root is None:
            store.make(label(key, number), edwards=key is KeyName.LOG, random_bytes=random_bytes)
    hashes: dict[KeyName, bytes] = {}
    made: dict[CertifiedName, Issuer] = {}
    for name in CERTIFIED:
        number = numbers.get(KeyName(name), 0)
        if not number:
            continue
        if name == "root":
            signer = root or store.p256(label(name, number))
            found = certifying.root_certificate(city_name, number, signer, at=at, random_bytes=random_bytes)
        else:
            signer = store.p256(label(name, number))
            above = made.get(certifying.ISSUER_OF[name]) or issuer(certifying.ISSUER_OF[name])
            found = certifying.certificate(
                name,
                number,
                signer.public_key,
                city_name=city_name,
                issuer=above.certificate,
                signer=above.signer,
                at=at,
                random_bytes=random_bytes,
            )
        made[name] = Issuer(found, signer)
        hashes[KeyName(name)] = hashlib.sha256(pki.to_der(found)).digest()
        keystore.write(folder / f"{label(name, number)}.cer", pki.to_der(found))
    return hashes


def first_generation(
    folder: Path,
    store: KeyStore,
    register: Register,
    *,
    root: P256Signer | None,
    at: datetime,
    random_bytes: RandomBytes,
) -> None:
    """Everything that a new vault holds beside its master secret."""

    def no_issuer(name: CertifiedName) -> Issuer:
        raise AssertionError(name)  # all of them are made here

    numbers = dict.fromkeys(KeyName, 1)
    hashes = make(
        folder, store, register.city_name, numbers, root=root, issuer=no_issuer, at=at, random_bytes=random_bytes
    )
    for key, certificate_hash in hashes.items():
        apart = key is KeyName.ROOT and root is not None
        one = replace(register.current(key), certificate_hash=certificate_hash, apart=apart)
        register = register.with_one(key, one)
    write_register(folder, store, register, random_bytes)


def write_register(folder: Path, store: KeyStore, register: Register, random_bytes: RandomBytes) -> None:
    """From here on every process that has the vault open goes by this register."""
    keystore.encrypt_file(store, folder / REGISTER, REGISTER, register.encode(), random_bytes)


def milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)
