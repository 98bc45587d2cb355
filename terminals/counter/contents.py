"""What goes onto a card beside its keys, in which order, and what may be missing where a card has no place for it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from crypto import keys
from crypto.pki import load_certificate
from terminals.card import (
    DataObject,
    NoPlace,
    NotAllowed,
    ObjectMissing,
    PivSession,
    Slot,
    UnexpectedStatus,
    encode_certificate,
)
from terminals.client import Instructions, Issued
from terminals.counter.errors import ReadbackDiffers, WrongCertificate

# The card capability container of a card without a data model of its own: every element empty but the one value that
# is needed, data model number 0x10 (SP 800-73-5 Part 1, Table 8).
CAPABILITIES: Final = bytes.fromhex("F000F100F200F300F400F50110F600F700FA00FB00FC00FD00FE00")

# A card may have no place for these: some makers prepare only the objects they know.
_OPTIONAL: Final = frozenset(
    {DataObject.CAPABILITIES, DataObject.PRINTED, DataObject.FACE, DataObject.DISCOVERY, DataObject.SECURITY}
)
_WANT_PIN: Final = frozenset({DataObject.PRINTED, DataObject.FACE})  # to be read, Part 1, Table 2


@dataclass(frozen=True, slots=True)
class Contents:
    """The objects of one card, in the order they are written: the security object, which vouches for others, last."""

    objects: Mapping[DataObject, bytes]

    @classmethod
    def of(
        cls, instructions: Instructions, issued: Issued, public_keys: Mapping[Slot, EllipticCurvePublicKey]
    ) -> "Contents":
        """Raises: WrongCertificate: one is missing, or not for the key that the card made."""
        by_slot = {item.slot: item.certificate for item in issued.certificates}
        objects: dict[DataObject, bytes] = {}
        for slot, public_key in public_keys.items():
            certificate = by_slot.get(slot.title)
            if certificate is None or keys.spki(certified_key(certificate)) != keys.spki(public_key):
                raise WrongCertificate(slot)
            objects[DataObject.certificate(slot)] = encode_certificate(certificate)
        objects[DataObject.CHUID] = issued.chuid
        objects[DataObject.CAPABILITIES] = issued.capabilities or CAPABILITIES
        optional = {
            DataObject.PRINTED: issued.printed_information,
            DataObject.FACE: instructions.face,
            DataObject.DISCOVERY: issued.discovery,
            DataObject.SECURITY: issued.security_object,
        }
        objects.update({item: content for item, content in optional.items() if content is not None})
        return cls(objects)

    @property
    def want_pin(self) -> bool:
        """Whether some of it can be read only after the PIN."""
        return not _WANT_PIN.isdisjoint(self.objects)

    def write(self, session: PivSession) -> "Contents":
        """Write all of it; the answer is what the card took. Where it has no place for something that the security
        object vouches for, it gets no security object either: a wrong one is worse than none.

        Raises: NotAllowed, NoRoom, WriteFailed; NoPlace for what a city card must have.
        """
        written: dict[DataObject, bytes] = {}
        for item, content in self.objects.items():
            if item is DataObject.SECURITY and len(written) < len(self.objects) - 1:
                # What an earlier attempt may have left there vouches for other objects.
                _clear(session, item)
                continue
            if _put(session, item, content):
                written[item] = content
        return Contents(written)

    def left_out(self, written: "Contents") -> tuple[DataObject, ...]:
        return tuple(item for item in self.objects if item not in written.objects)

    def check(self, session: PivSession) -> None:
        """Read everything back, byte for byte. Raises: ReadbackDiffers."""
        for item, content in self._items():
            if session.get_data(item) != content:
                raise ReadbackDiffers(item.title)

    def _items(self) -> Iterator[tuple[DataObject, bytes]]:
        yield from self.objects.items()


def certified_key(certificate: bytes) -> EllipticCurvePublicKey:
    """The key that the city certified: a point of P-256."""
    key = load_certificate(certificate).public_key()
    assert isinstance(key, EllipticCurvePublicKey)  # anything else is not what was asked to be certified
    return key


def _put(session: PivSession, item: DataObject, content: bytes) -> bool:
    """Whether the card has it now. Many cards make their own discovery object and let nobody write it."""
    if item is DataObject.DISCOVERY and _holds(session, item, content):
        return True
    try:
        session.put_data(item, content)
    except (NoPlace, NotAllowed, UnexpectedStatus):  # certificates come first: what refuses them is no missing place
        if item not in _OPTIONAL:
            raise
        return False
    return True


def _holds(session: PivSession, item: DataObject, content: bytes) -> bool:
    try:
        return session.get_data(item) == content
    except (ObjectMissing, NotAllowed, UnexpectedStatus):
        return False


def _clear(session: PivSession, item: DataObject) -> None:
    try:
        session.get_data(item)
    except (ObjectMissing, NotAllowed, UnexpectedStatus):
        return
    session.put_data(item, b"")
