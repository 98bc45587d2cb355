"""What a ceremony does: make the root key and seal it for its custodians, make or change the city's keys with it."""

from dataclasses import dataclass
from pathlib import Path

from cardsvc import vault as vaults
from cardsvc.ceremony.rules import ListedKey, NotTheRoot, RootDoesNotOpen
from cardsvc.clock import Clock
from cardsvc.errors import CityError, ErrorKind
from cardsvc.settings import PasswordCost, Settings
from cardsvc.vault import KeyName, RandomBytes, Vault, WrongPassphrase
from crypto import cbor
from crypto.keys import P256Signer, SoftwareSigner

_CONTEXT = b"city.root.v1"
# 128 bits more than the key, so that reducing it modulo the group order leaves no bias (FIPS 186-5 A.2.1).
_SECRET_BYTES = 48


class RootFileExists(CityError):
    code = "ceremony_root_file_exists"
    kind = ErrorKind.CONFLICT

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is there already and may hold a root key. Take it away, or name another --root-file.")


class RootFileMissing(CityError):
    code = "ceremony_root_file_missing"
    kind = ErrorKind.NOT_FOUND

    def __init__(self, path: Path) -> None:
        super().__init__(f"There is no {path}. Bring the sealed root key, or name the file that it is in: --root-file.")


@dataclass(frozen=True, slots=True)
class Tools:
    """What making keys takes: the settings in force, the clock, and where randomness comes from. No database, and there
    may be no vault yet.
    """

    settings: Settings
    clock: Clock
    random_bytes: RandomBytes


@dataclass(frozen=True, slots=True)
class Custody:
    """The file with the sealed root key, and the two parts that open it."""

    path: Path
    parts: tuple[str, str]

    @property
    def password(self) -> str:
        """Both parts, so joined that no other two parts make the same."""
        return cbor.encode(list(self.parts)).hex()


def make_root(custody: Custody, *, cost: PasswordCost, random_bytes: RandomBytes) -> SoftwareSigner:
    """A new root key, sealed in its file before anything is certified with it. Raises: RootFileExists."""
    if custody.path.exists():
        raise RootFileExists(custody.path)
    signer = SoftwareSigner.from_secret(int.from_bytes(random_bytes(_SECRET_BYTES), "big"))
    sealed = vaults.seal(custody.password, signer.to_pem(), context=_CONTEXT, cost=cost, random_bytes=random_bytes)
    vaults.write_durably(custody.path, sealed)
    open_root(custody)  # what was written opens, before anybody relies on it
    return signer


def open_root(custody: Custody) -> SoftwareSigner:
    """The root key. Raises: RootFileMissing, RootDoesNotOpen."""
    try:
        sealed = custody.path.read_bytes()
    except FileNotFoundError as error:
        raise RootFileMissing(custody.path) from error
    try:
        return SoftwareSigner.from_pem(vaults.unseal(custody.password, sealed, context=_CONTEXT))
    except WrongPassphrase as error:
        raise RootDoesNotOpen from error


def current_root(vault: Vault, custody: Custody | None) -> P256Signer:
    """The root key of this vault: its custodians', or its own where nobody keeps it apart.

    Raises: RootFileMissing, RootDoesNotOpen, NotTheRoot.
    """
    if not vault.register.current(KeyName.ROOT).apart or custody is None:
        return vault.signer("root")
    signer = open_root(custody)
    if signer.public_key != vault.certificate("root").public_key():
        raise NotTheRoot
    return signer


def listed(vault: Vault) -> tuple[ListedKey, ...]:
    """Every key of the vault as a transcript names it; the public half of a root kept apart too."""
    return tuple(
        ListedKey.of(name.value, one.number, one.stage.value, *vault.public_half(name, one.number))
        for name in KeyName
        for one in sorted(vault.register.of(name), key=lambda one: one.number)
    )
