"""The city's own keys: encrypted files, or a PKCS#11 module behind the same calls; generations of each, so that any key
can be changed while the city runs.
"""

from cardsvc.vault.choosing import LibraryMissing, create_by, open_by
from cardsvc.vault.generations import Generation, Register, Stage
from cardsvc.vault.keeping import Vault
from cardsvc.vault.names import (
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
from cardsvc.vault.rotating import activate, announce, distrust, ready_at
from cardsvc.vault.sealing import seal, unseal

__all__ = [
    "AlreadyAnnounced",
    "CertifiedName",
    "Generation",
    "IssuerEndsTooSoon",
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
    "create_by",
    "distrust",
    "open_by",
    "ready_at",
    "seal",
    "unseal",
]
