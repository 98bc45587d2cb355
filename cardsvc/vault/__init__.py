"""The city's own keys: encrypted files, or a PKCS#11 module behind the same calls; generations of each, so that any key
can be changed while the city runs.
"""

from cardsvc.vault.checking import CertificateDoesNotFit, KeyDoesNotWork, check
from cardsvc.vault.choosing import LibraryMissing, create_by, open_by
from cardsvc.vault.generations import Generation, Register, Stage
from cardsvc.vault.keeping import Vault
from cardsvc.vault.keystore import write as write_durably
from cardsvc.vault.names import (
    CERTIFIED,
    AlreadyAnnounced,
    CertifiedName,
    IssuerEndsTooSoon,
    KeyName,
    NothingAnnounced,
    P256Name,
    RandomBytes,
    RootIsApart,
    StillInUse,
    TooEarly,
    UnknownGeneration,
    VaultChanged,
    VaultExists,
    VaultMissing,
    WrongPassphrase,
    WrongStore,
)
from cardsvc.vault.rotating import activate, announce, distrust, ready_at, with_followers
from cardsvc.vault.sealing import seal, unseal

__all__ = [
    "CERTIFIED",
    "AlreadyAnnounced",
    "CertificateDoesNotFit",
    "CertifiedName",
    "Generation",
    "IssuerEndsTooSoon",
    "KeyDoesNotWork",
    "KeyName",
    "LibraryMissing",
    "NothingAnnounced",
    "P256Name",
    "RandomBytes",
    "Register",
    "RootIsApart",
    "Stage",
    "StillInUse",
    "TooEarly",
    "UnknownGeneration",
    "Vault",
    "VaultChanged",
    "VaultExists",
    "VaultMissing",
    "WrongPassphrase",
    "WrongStore",
    "activate",
    "announce",
    "check",
    "create_by",
    "distrust",
    "open_by",
    "ready_at",
    "seal",
    "unseal",
    "with_followers",
    "write_durably",
]
