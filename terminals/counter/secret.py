"""The secrets of a card that is being made: none is stored, none is sent, all are wiped. And what factories leave."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from crypto.wire.pin_reset import digits
from terminals.card import ManagementAlgorithm

# What blank PIV cards leave the factory with (github Yubico/yubikey-manager, yubikit/piv.py; arekinath/PivApplet and
# many vendors follow it; the documents of makinako/OpenFIPS201 prepare test cards with the same PIN and PUK).
FACTORY_PIN: Final = b"123456"
FACTORY_PUK: Final = b"12345678"
FACTORY_ALGORITHMS: Final = (
    ManagementAlgorithm.AES192,
    ManagementAlgorithm.TDES,
    ManagementAlgorithm.AES128,
    ManagementAlgorithm.AES256,
)
_FACTORY_PATTERN: Final = bytes(range(1, 9)) * 4
# GlobalPlatform's test key (GP card specification, test cards of several makers).
_TEST_PATTERN: Final = bytes(range(0x40, 0x60))
_RANDOM_BYTES: Final = 16  # so many more than the digits need that no digit is likelier than another


@dataclass(frozen=True, slots=True)
class Intake:
    """What is known of the blank cards before one is in the reader.

    `management_key` is the batch's own, with its `algorithm` where one is named; None: the factories' are tried. Only
    with a key of their own, and never in `production`, may cards keep it that know no command to replace it.
    """

    management_key: bytes | None = field(default=None, repr=False)
    algorithm: ManagementAlgorithm | None = None
    puk: bytes = field(default=FACTORY_PUK, repr=False)
    pin: bytes = field(default=FACTORY_PIN, repr=False)
    production: bool = False

    @property
    def may_keep_key(self) -> bool:
        return self.management_key is not None and not self.production

    def keys(self, stated: ManagementAlgorithm | None) -> Iterator[tuple[bytes, ManagementAlgorithm]]:
        """The keys a blank card may answer to, the likeliest first; those of the algorithm the card states before."""
        order = sorted(FACTORY_ALGORITHMS, key=lambda algorithm: algorithm is not stated)
        if self.management_key is not None:
            for algorithm in order:
                if self.algorithm in (None, algorithm) and algorithm.key_length == len(self.management_key):
                    yield self.management_key, algorithm
            return
        for pattern in (_FACTORY_PATTERN, _TEST_PATTERN):
            for algorithm in order:
                yield pattern[: algorithm.key_length], algorithm


FACTORY: Final = Intake()


def factory_management_key(algorithm: ManagementAlgorithm) -> bytes:
    """The key a blank card answers to; accepted only to replace it."""
    return _FACTORY_PATTERN[: algorithm.key_length]


def transport_pin(random_bytes: Callable[[int], bytes]) -> bytearray:
    """A PIN for the time until the holder sets another one."""
    return digits(random_bytes(_RANDOM_BYTES))
