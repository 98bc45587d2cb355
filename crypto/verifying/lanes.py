"""Verifying in lanes: a library that takes several signatures at once, and the rule that keeps its verdicts honest."""

import hashlib
from collections.abc import Sequence
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from crypto import keys
from crypto.keys import PublicKey
from crypto.verifying.portable import is_good

LOT: Final = 256
"""How many lanes are handed over at once: enough that packing them costs little, few enough to stay in the caches."""
_KEYS_MAX = 50_000
_COORDINATE = 32


class LaneVerifier(Protocol):
    """Several P-256 verifications at once, for up to `LOT` lanes."""

    def accepted(self, digests: bytes, signatures: bytes, points: bytes, /) -> list[bool]:
        """One answer for each lane: 32 bytes of digest, 64 of r || s, 64 of the public point's x and y in little-endian
        order, lane behind lane. True only where the signature verifies; False may also mean "not here": an input that
        the library does not take. The points are on the curve.
        """


class Lanes:
    """A verifier on lanes. Whatever a lane refuses is verified again by `cryptography`, so that the verdicts are the
    portable ones, in degenerate cases too; who sends garbage gets the portable speed, no more.
    """

    def __init__(self, lanes: LaneVerifier) -> None:
        self._lanes = lanes
        self._points: dict[int, tuple[PublicKey, bytes]] = {}

    def verdicts(
        self, public_keys: Sequence[PublicKey], messages: Sequence[bytes], signatures: Sequence[bytes], /
    ) -> list[bool]:
        cases = list(zip(public_keys, messages, signatures, strict=True))
        fit = [
            place for place, (key, _, signature) in enumerate(cases) if keys.is_stored_form(signature) and _on_p256(key)
        ]
        accepted: set[int] = set()
        for start in range(0, len(fit), LOT):
            lot = fit[start : start + LOT]
            digests = b"".join([hashlib.sha256(cases[place][1]).digest() for place in lot])
            given = b"".join([cases[place][2] for place in lot])
            points = b"".join([self._point(cases[place][0]) for place in lot])
            answers = self._lanes.accepted(digests, given, points)
            accepted.update(place for place, answer in zip(lot, answers, strict=True) if answer)
        return [place in accepted or is_good(*case) for place, case in enumerate(cases)]

    def _point(self, key: PublicKey) -> bytes:
        """The key's point as lanes take it, worked out once for each key object; the object is held, so that its
        identity cannot pass to another.
        """
        held = self._points.get(id(key))
        if held is None:
            if len(self._points) >= _KEYS_MAX:
                self._points = {}
            held = self._points[id(key)] = key, packed_point(key)
        return held[1]


def packed_point(key: PublicKey) -> bytes:
    """A P-256 key's x and y, each the 32 bytes of its number in little-endian order."""
    point = keys.point(key)
    return point[_COORDINATE:0:-1] + point[:_COORDINATE:-1]


def _on_p256(key: PublicKey) -> bool:
    return isinstance(key, EllipticCurvePublicKey)
