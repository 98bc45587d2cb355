"""What the city's keys are called and what each is for; what can go wrong with the place that keeps them."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Literal

from cardsvc.errors import CityError, ErrorKind

RandomBytes = Callable[[int], bytes]


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
CertifiedName = Literal["root", "card-ca", "terminal-ca", "content"]
CERTIFIED: tuple[CertifiedName, ...] = ("root", "card-ca", "terminal-ca", "content")


MODULE_ID = "module"  # the file that a vault whose keys are in a PKCS#11 module has


def label(name: str, number: int) -> str:
    """What a generation of a key is called where it is kept; the first has no number, as in vaults of old."""
    return name if number == 1 else f"{name}.{number}"


class WrongPassphrase(CityError):
    """The sealed bytes do not open: another passphrase made them, or they were changed."""

    code = "wrong_passphrase"
    kind = ErrorKind.UNAVAILABLE

    def __init__(
        self, message: str = "The vault does not open. Check CITY_VAULT_PASSPHRASE; if it is right, a file was changed."
    ) -> None:
        super().__init__(message)


class VaultChanged(WrongPassphrase):
    """The vault is open, and one of its files is not what this vault wrote."""

    code = "vault_changed"

    def __init__(self, file: str) -> None:
        super().__init__(f"The file {file} of the vault is missing, was changed, or is another vault's. Restore it.")


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


class WrongStore(CityError):
    """The settings name another kind of store than the one that keeps this vault's keys."""

    code = "vault_wrong_store"
    kind = ErrorKind.UNAVAILABLE

    def __init__(self, folder: Path, *, in_module: bool) -> None:
        where = "in a PKCS#11 module: set CITY_VAULT_MODULE" if in_module else "in files: unset CITY_VAULT_MODULE"
        super().__init__(f"The keys of the vault in {folder} are {where}.")


class ModuleUnavailable(CityError):
    """The PKCS#11 module, or its token, does not do what it is asked; nothing was signed."""

    code = "vault_module_unavailable"
    kind = ErrorKind.UNAVAILABLE

    def __init__(self, library: Path, trouble: str) -> None:
        super().__init__(
            f"The PKCS#11 module {library} {trouble}. Check CITY_VAULT_MODULE and CITY_VAULT_TOKEN, and that the"
            " device is there; then try again."
        )


class ModuleRefusesPin(CityError):
    """The token's PIN is wrong, or locked. This process does not try it again: tokens lock after a few tries."""

    code = "vault_module_refuses_pin"
    kind = ErrorKind.UNAVAILABLE

    def __init__(self, token: str) -> None:
        super().__init__(f"The token {token!r} refuses the PIN. Mend CITY_VAULT_PIN_FILE, then start again.")


class RootIsApart(CityError):
    """The root key is not in this vault: custodians keep it."""

    code = "root_is_apart"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("Custodians keep the root key apart. Call them together for ./city ceremony --rotate.")


class UnknownGeneration(CityError):
    code = "unknown_generation"
    kind = ErrorKind.NOT_FOUND

    def __init__(self, name: str, number: int) -> None:
        super().__init__(f"There is no generation {number} of {name}. Look at ./city vault show.")


class AlreadyAnnounced(CityError):
    code = "already_announced"
    kind = ErrorKind.CONFLICT

    def __init__(self, name: str) -> None:
        super().__init__(f"A new {name} is announced already. Activate it first: ./city vault activate {name}.")


class NothingAnnounced(CityError):
    code = "nothing_announced"
    kind = ErrorKind.CONFLICT

    def __init__(self, name: str) -> None:
        super().__init__(f"No new {name} is announced. Announce one first: ./city vault rotate {name}.")


class TooEarly(CityError):
    """Whoever verifies has had no time to learn the new key."""

    code = "too_early_to_activate"
    kind = ErrorKind.CONFLICT

    def __init__(self, name: str, ready_at: datetime) -> None:
        super().__init__(
            f"Not every terminal knows the new {name} before {ready_at:%Y-%m-%d %H:%M} UTC. Wait, or say --at-once."
        )


class StillInUse(CityError):
    code = "key_still_in_use"
    kind = ErrorKind.CONFLICT

    def __init__(self, name: str, number: int) -> None:
        super().__init__(f"Generation {number} of {name} signs now. Rotate {name} first, then distrust the old one.")


class IssuerEndsTooSoon(CityError):
    """Nothing outlives its issuer, so what is made now would end before what stands on it."""

    code = "issuer_ends_too_soon"
    kind = ErrorKind.CONFLICT

    def __init__(self, name: str, issuer: str, ends_at: datetime) -> None:
        super().__init__(f"A new {name} would end on {ends_at:%Y-%m-%d} with the {issuer}: rotate {issuer} instead.")
