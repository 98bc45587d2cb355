"""The deny list this terminal holds: a whole list and at most one step from it, on disk as the city signed them."""

from dataclasses import dataclass
from pathlib import Path

from crypto import cbor
from crypto.errors import CryptoError, MalformedMessage
from crypto.wire.citykeys import CityKeys
from crypto.wire.denylist import DenyList, open_delta, open_list, unpack
from terminals.outbox import write_durably
from terminals.station.errors import DenyListRefused, MassDenial, NoDenyList

_FILE_BYTES_MAX = 16 * 1024 * 1024  # two messages of the greatest size and their keys
_HOUR_MS = 3600 * 1000
_Part = tuple[bytes, str]  # a signed message, and the text of the keys that verified it


@dataclass(frozen=True, slots=True)
class Breaker:
    """How many entries a list may add to the one here without two people: `hourly` for each hour, begun ones too, that
    lies between the two, or `percent` of the list here, whichever is more. The service has such a breaker; this one
    stands behind it, for the day on which the fault is there. Cards that owe a fare are not counted: there are many of
    them on any morning, and for their sake no list of lost cards is held back.
    """

    hourly: int = 100
    percent: int = 10

    def check(self, held: DenyList, fresh: DenyList) -> None:
        """Raises: MassDenial."""
        if fresh.action_id is not None:
            return
        before = frozenset(unpack(held.cards)).union(unpack(held.keys))
        added = sum(entry not in before for packed in (fresh.cards, fresh.keys) for entry in unpack(packed))
        hours = max(0, fresh.issued_at_ms - held.issued_at_ms) // _HOUR_MS + 1
        if added > max(self.hourly * hours, len(before) * self.percent // 100):
            raise MassDenial(added, fresh.number)


_BREAKER = Breaker()


class DenyKeeper:
    """One file, replaced whole. A list never gives way to an older one, nor to another one of its number, nor to one
    that blocks too many at once (`Breaker`) unless somebody takes its number by hand (`taken`). The first list is taken
    as it is.

    If we stop while a list is taken in, the file holds the old one or the new one; both are the city's.
    """

    def __init__(self, path: Path, breaker: Breaker = _BREAKER) -> None:
        self._path = path
        self._breaker = breaker
        self._seen: tuple[int, int] | None = None
        self._base_number = 0
        self._list: DenyList | None = None

    def current(self) -> DenyList | None:
        """The list here; None while there is none, or when its file cannot be read: then it is fetched again."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            self._seen, self._list, self._base_number = None, None, 0
            return None
        stamp = (found.st_mtime_ns, found.st_ino)
        if stamp != self._seen:
            self._load()
            self._seen = stamp
        return self._list

    def base_number(self) -> int:
        """The number of the whole list that steps begin at; 0 while there is none."""
        return self._base_number if self.current() else 0

    def covering(self, number: int) -> DenyList | None:
        """The list here, if it has this number or a higher one; for number 0 none is needed. Raises: NoDenyList."""
        held = self.current()
        if number and (held is None or held.number < number):
            raise NoDenyList(held.number if held else 0, number)
        return held

    def keep_list(self, signed: bytes, keys_text: str, *, taken: int = 0) -> DenyList:
        """Take a whole list in.

        Raises: DenyListRefused, MassDenial, InvalidSignature, MalformedMessage; the one here stays.
        """
        part = (signed, keys_text)
        return self._replace(_open_base(part), [part], taken)

    def keep_delta(self, signed: bytes, keys_text: str, *, taken: int = 0) -> DenyList:
        """Take in a step from the whole list here to a newer one.

        Raises: DeltaDoesNotFit, DenyListRefused, MassDenial, InvalidSignature, MalformedMessage; the list here stays.
        """
        if self.current() is None:
            raise DenyListRefused("there is no list here that a step could begin at")
        base, delta = self._read()[0], (signed, keys_text)
        return self._replace(_stepped(_open_base(base), delta), [base, delta], taken)

    def _replace(self, fresh: DenyList, parts: list[_Part], taken: int) -> DenyList:
        held = self.current()
        if held and fresh.number < held.number:
            raise DenyListRefused(f"it is number {fresh.number}, older than number {held.number} here")
        if held and fresh.number == held.number and fresh.hash() != held.hash():
            raise DenyListRefused(f"it is another list than the number {held.number} here")
        if held and fresh.number != taken:
            self._breaker.check(held, fresh)
        write_durably(self._path, cbor.encode([[signed, keys_text] for signed, keys_text in parts]))
        self.current()
        return fresh

    def _load(self) -> None:
        self._list, self._base_number = None, 0
        try:
            parts = self._read()
            base = _open_base(parts[0])
            self._list = _stepped(base, parts[1]) if len(parts) > 1 else base
            self._base_number = base.number
        except CryptoError:
            self._list = None

    def _read(self) -> list[_Part]:
        match cbor.decode(self._path.read_bytes(), size_max=_FILE_BYTES_MAX):
            case [[bytes(base), str(base_keys)]]:
                return [(base, base_keys)]
            case [[bytes(base), str(base_keys)], [bytes(delta), str(delta_keys)]]:
                return [(base, base_keys), (delta, delta_keys)]
        raise MalformedMessage("The deny list kept on this terminal cannot be read; fetch it again.")


def _open_base(part: _Part) -> DenyList:
    signed, keys_text = part
    return open_list(signed, CityKeys.parse(keys_text))


def _stepped(base: DenyList, part: _Part) -> DenyList:
    signed, keys_text = part
    return open_delta(signed, CityKeys.parse(keys_text)).apply(base)
