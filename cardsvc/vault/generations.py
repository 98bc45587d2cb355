"""Which generations of each key there are, and what each may still do. Pure: values in, values out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from cardsvc.vault.names import (
    AlreadyAnnounced,
    KeyName,
    NothingAnnounced,
    StillInUse,
    UnknownGeneration,
    VaultChanged,
)
from crypto import cbor
from crypto.errors import MalformedMessage

REGISTER = "generations"


class Stage(StrEnum):
    """A key is published before it signs, and verifies after it has signed."""

    ANNOUNCED = "announced"  # published; of the log's keys it signs too, beside the current one
    CURRENT = "current"
    RETIRED = "retired"  # signs no more; what it signed counts
    DISTRUSTED = "distrusted"  # published no more: what it signed counts no more


@dataclass(frozen=True, slots=True)
class Generation:
    """One key of a name. `made_at_ms` is 0 in a vault of the first form, `certificate_hash` (SHA-256) is empty there
    and where a key has no certificate. `apart`: the private key is not in this vault.
    """

    number: int
    stage: Stage
    made_at_ms: int
    certificate_hash: bytes = b""
    apart: bool = False


@dataclass(frozen=True, slots=True)
class Register:
    """All generations of all keys, the oldest first; `log_origin` names the log for as long as it lives."""

    city_name: str
    log_origin: str
    keys: Mapping[KeyName, tuple[Generation, ...]]

    @classmethod
    def first(cls, city_name: str, log_origin: str, made_at_ms: int = 0) -> Self:
        """One current generation of each key."""
        return cls(city_name, log_origin, {name: (Generation(1, Stage.CURRENT, made_at_ms),) for name in KeyName})

    def of(self, name: KeyName, *stages: Stage) -> tuple[Generation, ...]:
        """Those that are still published, or those in these stages; the newest first, the current before all."""
        wanted = stages or tuple(stage for stage in Stage if stage is not Stage.DISTRUSTED)
        found = [one for one in reversed(self.keys[name]) if one.stage in wanted]
        return tuple(sorted(found, key=lambda one: one.stage is not Stage.CURRENT))

    def current(self, name: KeyName) -> Generation:
        return self.of(name, Stage.CURRENT)[0]

    def find(self, name: KeyName, number: int) -> Generation:
        """Raises: UnknownGeneration."""
        for one in self.keys[name]:
            if one.number == number:
                return one
        raise UnknownGeneration(name, number)

    def next_number(self, name: KeyName) -> int:
        """Raises: AlreadyAnnounced."""
        if self.of(name, Stage.ANNOUNCED):
            raise AlreadyAnnounced(name)
        return self.keys[name][-1].number + 1

    def with_one(self, name: KeyName, generation: Generation) -> Self:
        """This generation in its place: behind the others, or instead of the one that has its number."""
        others = [one for one in self.keys[name] if one.number != generation.number]
        changed = sorted([*others, generation], key=lambda one: one.number)
        return replace(self, keys={**self.keys, name: tuple(changed)})

    def activated(self, name: KeyName) -> Self:
        """The announced generation is the current one, the current one retired. Raises: NothingAnnounced."""
        announced = self.of(name, Stage.ANNOUNCED)
        if not announced:
            raise NothingAnnounced(name)
        retired = self.with_one(name, replace(self.current(name), stage=Stage.RETIRED))
        return retired.with_one(name, replace(announced[0], stage=Stage.CURRENT))

    def distrusted(self, name: KeyName, number: int) -> Self:
        """Raises: UnknownGeneration, StillInUse."""
        found = self.find(name, number)
        if found.stage is Stage.CURRENT:
            raise StillInUse(name, number)
        return self.with_one(name, replace(found, stage=Stage.DISTRUSTED))

    def encode(self) -> bytes:
        rows: list[cbor.Value] = [[name.value, *(_row(one) for one in self.keys[name])] for name in KeyName]
        return cbor.encode([1, self.city_name, self.log_origin, rows])

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Raises: VaultChanged, which means that a newer release wrote it: it was authenticated before."""
        try:
            match cbor.decode(data):
                case [1, str(city_name), str(log_origin), list(rows)]:
                    return cls(city_name, log_origin, dict(_keys(rows)))
        except (MalformedMessage, ValueError) as error:
            raise VaultChanged(REGISTER) from error
        raise VaultChanged(REGISTER)


def _row(one: Generation) -> list[cbor.Value]:
    return [one.number, one.stage.value, one.made_at_ms, one.certificate_hash, one.apart]


def _keys(rows: list[cbor.Value]) -> Iterator[tuple[KeyName, tuple[Generation, ...]]]:
    for row in rows:
        match row:
            case [str(name), *ones]:
                yield KeyName(name), tuple(map(_generation, ones))
            case _:
                raise ValueError(row)


def _generation(row: object) -> Generation:
    match row:
        case [int(number), str(stage), int(made_at_ms), bytes(certificate_hash), bool(apart)]:
            return Generation(number, Stage(stage), made_at_ms, certificate_hash, apart)
    raise ValueError(row)
