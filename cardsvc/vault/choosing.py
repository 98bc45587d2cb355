"""Which store keeps the keys is the operator's choice; this is where the settings decide it."""

from datetime import datetime
from typing import TYPE_CHECKING

from cardsvc.errors import CityError, ErrorKind
from cardsvc.settings import Settings
from cardsvc.vault.keeping import Vault
from cardsvc.vault.names import RandomBytes
from crypto.keys import P256Signer

if TYPE_CHECKING:
    from cardsvc.vault.modulestore import Module


class LibraryMissing(CityError):
    """The settings want a hardware module, and this installation cannot talk to one."""

    code = "vault_library_missing"
    kind = ErrorKind.UNAVAILABLE

    def __init__(self) -> None:
        super().__init__("CITY_VAULT_MODULE needs the library python-pkcs11. Install it beside the service.")


def open_by(settings: Settings) -> Vault:
    """The vault of this city.

    Raises: VaultMissing, WrongPassphrase, WrongStore, LibraryMissing, ModuleUnavailable, ModuleRefusesPin.
    """
    if settings.vault.module is None:
        return Vault.open(settings.vault_folder, settings.vault_passphrase)
    return Vault.open_in_module(settings.vault_folder, _module(settings))


def create_by(settings: Settings, *, at: datetime, random_bytes: RandomBytes, root: P256Signer | None = None) -> Vault:
    """Make the vault of this city; `root` is the root key where custodians keep it apart. Raises: VaultExists."""
    if settings.vault.module is None:
        return Vault.create(
            settings.vault_folder,
            settings.vault_passphrase,
            city_name=settings.city_name,
            log_origin=settings.log_origin,
            at=at,
            random_bytes=random_bytes,
            cost=settings.password_cost,
            root=root,
        )
    return Vault.create_in_module(
        settings.vault_folder,
        _module(settings),
        city_name=settings.city_name,
        log_origin=settings.log_origin,
        at=at,
        random_bytes=random_bytes,
        root=root,
    )


def _module(settings: Settings) -> "Module":
    try:
        from cardsvc.vault.modulestore import Module  # late: only who has a module needs its library
    except ModuleNotFoundError as error:
        raise LibraryMissing from error
    assert settings.vault.module is not None
    return Module(settings.vault.module, settings.vault.token, settings.vault.pin)
