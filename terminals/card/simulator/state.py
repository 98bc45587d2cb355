"""What a virtual card keeps without power, what it is set to, and the file it may live in.

The file holds private keys, PIN and PUK in clear. It is a demo card; whoever reads the file has the card.
"""

import json
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from terminals.card.apdu import AID_PIV
from terminals.card.keys import ManagementAlgorithm
from terminals.card.objects import PIN_POLICY_CONTACT, PIN_POLICY_CONTACTLESS, DataObject, Discovery

FACTORY_PIN: Final = b"123456\xff\xff"
FACTORY_PUK: Final = b"12345678"
_FACTORY_KEY_PATTERN: Final = bytes(range(1, 9)) * 4
_FORMAT: Final = "city virtual card 1"


@dataclass(frozen=True, slots=True)
class CardSettings:
    """How this card product behaves.

    `contactless_pin`: the applet takes the PIN over the contactless interface, as some do; the standard wants a virtual
    contact interface first. `yubikey_extensions`: answer Yubico's version, serial and metadata commands, for tests with
    Yubico's tools only. `set_management_key`: the product knows a command to replace 9B (Yubico's INS FF).
    """

    pin_tries_max: int = 5
    puk_tries_max: int = 5
    contactless_pin: bool = False
    yubikey_extensions: bool = False
    set_management_key: bool = True
    object_length_max: int = 4096


def factory_key(algorithm: ManagementAlgorithm) -> bytes:
    """The well-known key a blank card leaves the factory with."""
    return _FACTORY_KEY_PATTERN[: algorithm.key_length]


@dataclass(slots=True)
class CardState:
    """What survives without power. `keys` maps a slot to its private scalar, `objects` a tag to its content."""

    pin_tries_left: int
    puk_tries_left: int
    management_algorithm: ManagementAlgorithm
    management_key: bytes = field(repr=False)
    pin: bytes = field(default=FACTORY_PIN, repr=False)
    puk: bytes = field(default=FACTORY_PUK, repr=False)
    keys: dict[int, int] = field(default_factory=dict, repr=False)
    objects: dict[bytes, bytes] = field(default_factory=dict, repr=False)
    serial: int = 1

    @classmethod
    def blank(cls, settings: CardSettings, algorithm: ManagementAlgorithm = ManagementAlgorithm.AES192) -> "CardState":
        """A card as it comes from the factory: no keys, no objects but discovery, well-known PIN, PUK and 9B."""
        policy = PIN_POLICY_CONTACTLESS if settings.contactless_pin else PIN_POLICY_CONTACT
        return cls(
            pin_tries_left=settings.pin_tries_max,
            puk_tries_left=settings.puk_tries_max,
            management_algorithm=algorithm,
            management_key=factory_key(algorithm),
            objects={DataObject.DISCOVERY.value: Discovery(AID_PIV, policy).encode()},
        )

    def copy(self) -> "CardState":
        return replace(self, keys=dict(self.keys), objects=dict(self.objects))

    def to_json(self) -> str:
        document = {
            "format": _FORMAT,
            "pin": self.pin.hex(),
            "puk": self.puk.hex(),
            "pin_tries_left": self.pin_tries_left,
            "puk_tries_left": self.puk_tries_left,
            "management_algorithm": self.management_algorithm.name,
            "management_key": self.management_key.hex(),
            "keys": {f"{slot:02X}": f"{scalar:064x}" for slot, scalar in self.keys.items()},
            "objects": {tag.hex(): content.hex() for tag, content in self.objects.items()},
            "serial": self.serial,
        }
        return json.dumps(document, indent=1)

    @classmethod
    def from_json(cls, text: str) -> "CardState":
        """Raises: ValueError: not a card file of this version."""
        try:
            document: dict[str, Any] = json.loads(text)
            return {_FORMAT: cls._read}[document["format"]](document)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"this is not a virtual card file ({error}); delete it to start a blank card") from None

    @classmethod
    def _read(cls, document: dict[str, Any]) -> "CardState":
        return cls(
            pin=bytes.fromhex(document["pin"]),
            puk=bytes.fromhex(document["puk"]),
            pin_tries_left=int(document["pin_tries_left"]),
            puk_tries_left=int(document["puk_tries_left"]),
            management_algorithm=ManagementAlgorithm[document["management_algorithm"]],
            management_key=bytes.fromhex(document["management_key"]),
            keys={int(slot, 16): int(scalar, 16) for slot, scalar in document["keys"].items()},
            objects={bytes.fromhex(tag): bytes.fromhex(content) for tag, content in document["objects"].items()},
            serial=int(document["serial"]),
        )


class CardFile:
    """A card state on disk. `save` is atomic and durable: after it returns, a power cut leaves the new state."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> CardState | None:
        """The saved state, None when there is no file. Raises: ValueError: the file is no card."""
        try:
            text = self.path.read_text("utf-8")
        except FileNotFoundError:
            return None
        return CardState.from_json(text)

    def save(self, state: CardState) -> None:
        # If we stop before the rename, the old card is still whole; the part file is overwritten next time.
        part = self.path.with_name(self.path.name + ".part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(state.to_json())
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.path)
