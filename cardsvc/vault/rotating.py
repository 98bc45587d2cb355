"""Changing keys while the city runs: a new key is announced, later it signs, and what the old one signed still counts.

Between announcing and activating, whoever verifies learns the new key from the city's public keys and the policy.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from cardsvc.vault import making
from cardsvc.vault.generations import Generation, Register, Stage
from cardsvc.vault.keeping import Vault
from cardsvc.vault.names import (
    CertifiedName,
    KeyName,
    NothingAnnounced,
    RandomBytes,
    RootIsApart,
    TooEarly,
)
from crypto.keys import P256Signer

# A policy is good for four days: every terminal in use has read the announcement by then. A new policy key is learnt
# only from a policy that the old one signed, so a terminal may be switched off for a month meanwhile.
ANNOUNCED_MIN = timedelta(days=4, hours=1)
POLICY_ANNOUNCED_MIN = timedelta(days=31)

# With an authority, what it certified is made anew: nothing new shall stand on the old one.
_FOLLOWERS = {
    KeyName.ROOT: (KeyName.ROOT, KeyName.CARD_CA, KeyName.TERMINAL_CA, KeyName.CONTENT),
    KeyName.CARD_CA: (KeyName.CARD_CA, KeyName.CONTENT),
}


def with_followers(name: KeyName) -> tuple[KeyName, ...]:
    """The names whose keys change with this one's, itself first."""
    return _FOLLOWERS.get(name, (name,))


def announce(
    vault: Vault, name: KeyName, *, at: datetime, random_bytes: RandomBytes, root: P256Signer | None = None
) -> tuple[KeyName, ...]:
    """Make a new generation of the key, and of what stands on it, and publish it; the names that were announced.

    `root` is the root key where custodians keep it apart: the present one to certify an authority, the new one to
    change the root itself. Raises: AlreadyAnnounced, RootIsApart, IssuerEndsTooSoon.
    """
    names = with_followers(name)
    with _alone(vault) as found:
        register = found
        apart = register.current(KeyName.ROOT).apart
        if apart and root is None and {KeyName.ROOT, KeyName.CARD_CA, KeyName.TERMINAL_CA} & {*names}:
            raise RootIsApart
        numbers = {one: register.next_number(one) for one in names}

        def issuer(above: CertifiedName) -> making.Issuer:
            signer = root if above == "root" and root is not None else vault.signer(above)
            return making.Issuer(vault.certificate(above), signer)

        hashes = making.make(
            vault.folder,
            vault.store,
            register.city_name,
            numbers,
            root=root if KeyName.ROOT in names else None,
            issuer=issuer,
            at=at,
            random_bytes=random_bytes,
        )
        for one, number in numbers.items():
            made = Generation(
                number,
                Stage.ANNOUNCED,
                making.milliseconds(at),
                hashes.get(one, b""),
                apart=one is KeyName.ROOT and root is not None,
            )
            register = register.with_one(one, made)
        making.write_register(vault.folder, vault.store, register, random_bytes)
    return names


def ready_at(vault: Vault, name: KeyName) -> datetime:
    """When everybody who verifies knows the announced key. Raises: NothingAnnounced."""
    announced = vault.register.of(name, Stage.ANNOUNCED)
    if not announced:
        raise NothingAnnounced(name)
    wait = POLICY_ANNOUNCED_MIN if name is KeyName.POLICY else ANNOUNCED_MIN
    return datetime.fromtimestamp(announced[0].made_at_ms / 1000, UTC) + wait


def activate(
    vault: Vault, name: KeyName, *, at: datetime, random_bytes: RandomBytes, at_once: bool = False
) -> tuple[KeyName, ...]:
    """From now on the announced generation signs, of this key and of those announced with it; their names.

    Raises: NothingAnnounced; TooEarly unless `at_once`, which is for a key that somebody else may have.
    """
    with _alone(vault) as found:
        register = found
        ready = ready_at(vault, name)
        if at < ready and not at_once:
            raise TooEarly(name, ready)
        names = tuple(one for one in with_followers(name) if register.of(one, Stage.ANNOUNCED))
        for one in names:
            register = register.activated(one)
        making.write_register(vault.folder, vault.store, register, random_bytes)
    return names


def distrust(vault: Vault, name: KeyName, number: int, *, random_bytes: RandomBytes) -> None:
    """Publish this generation no more: nothing that it signed counts from now on, and for good.

    Raises: UnknownGeneration, StillInUse.
    """
    with _alone(vault) as register:
        making.write_register(vault.folder, vault.store, register.distrusted(name, number), random_bytes)


@contextmanager
def _alone(vault: Vault) -> Iterator[Register]:
    """One process at a time changes the register; it gets the newest."""
    folder = os.open(vault.folder, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield vault.register
    finally:
        os.close(folder)
