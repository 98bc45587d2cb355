"""Commands of one card product, no part of PIV: Yubico's. FF replaces 9B; FD, F8, F7 are for Yubico's tools."""

from collections.abc import Callable
from typing import Final

from terminals.card import tlv
from terminals.card.apdu import (
    ALGORITHM_FOR_PIN,
    ALGORITHM_P256,
    KEY_MANAGEMENT,
    KEY_PIN,
    KEY_PUK,
    P1_SET_KEY,
    P2_SET_KEY,
    SW,
    TAG_EC_POINT,
    TAG_META_ALGORITHM,
    TAG_META_DEFAULT,
    TAG_META_ORIGIN,
    TAG_META_POLICY,
    TAG_META_PUBLIC_KEY,
    TAG_META_RETRIES,
    CommandApdu,
)
from terminals.card.keys import ManagementAlgorithm, Slot
from terminals.card.simulator.access import Access, Refused
from terminals.card.simulator.keys import public_point
from terminals.card.simulator.state import FACTORY_PIN, FACTORY_PUK, CardSettings, CardState, factory_key

VERSION: Final = bytes((5, 4, 3))  # the first family that has metadata and AES management keys
_PIN_NEVER, _PIN_ONCE, _PIN_ALWAYS = 1, 2, 3
_TOUCH_NEVER: Final = 1
_GENERATED: Final = 1
_PIN_POLICY: Final = {
    Slot.AUTHENTICATION: _PIN_ONCE,
    Slot.SIGNATURE: _PIN_ALWAYS,
    Slot.CARD_AUTHENTICATION: _PIN_NEVER,
}


class Yubico:
    """The product's own commands of one card."""

    def __init__(self, state: CardState, settings: CardSettings, keep: Callable[[], None]) -> None:
        self._state = state
        self._settings = settings
        self._keep = keep

    def set_management_key(self, command: CommandApdu, access: Access) -> bytes:
        """Data: algorithm, key reference, length, key."""
        if not self._settings.set_management_key:
            raise Refused(SW.UNKNOWN_INSTRUCTION)
        access.require_management()
        data = bytes(command.data)
        if (command.p1, command.p2) != (P1_SET_KEY, P2_SET_KEY):
            raise Refused(SW.BAD_PARAMETERS)
        try:
            identifier, reference, length, *key = data
            algorithm = ManagementAlgorithm.of(identifier)
        except ValueError:
            raise Refused(SW.BAD_DATA) from None
        if reference != KEY_MANAGEMENT or length != len(key) or length != algorithm.key_length:
            raise Refused(SW.BAD_DATA)
        self._state.management_algorithm, self._state.management_key = algorithm, bytes(key)
        self._keep()
        return b""

    def version(self, _command: CommandApdu, _access: Access) -> bytes:
        self._require_extensions()
        return VERSION

    def serial(self, _command: CommandApdu, _access: Access) -> bytes:
        self._require_extensions()
        return self._state.serial.to_bytes(4)

    def metadata(self, command: CommandApdu, _access: Access) -> bytes:
        self._require_extensions()
        state, settings = self._state, self._settings
        if command.p2 == KEY_MANAGEMENT:
            default = state.management_key == factory_key(state.management_algorithm)
            return _metadata(state.management_algorithm.identifier, bytes((0, _TOUCH_NEVER)), default)
        if command.p2 == KEY_PIN:
            return _retries(state.pin == FACTORY_PIN, settings.pin_tries_max, state.pin_tries_left)
        if command.p2 == KEY_PUK:
            return _retries(state.puk == FACTORY_PUK, settings.puk_tries_max, state.puk_tries_left)
        scalar = state.keys.get(command.p2)
        if scalar is None:
            raise Refused(SW.NO_SUCH_KEY)
        policy = bytes((_PIN_POLICY[Slot(command.p2)], _TOUCH_NEVER))
        return tlv.encode_all(
            [
                (TAG_META_ALGORITHM, bytes((ALGORITHM_P256,))),
                (TAG_META_POLICY, policy),
                (TAG_META_ORIGIN, bytes((_GENERATED,))),
                (TAG_META_PUBLIC_KEY, tlv.encode(TAG_EC_POINT, public_point(scalar))),
            ]
        )

    def _require_extensions(self) -> None:
        if not self._settings.yubikey_extensions:
            raise Refused(SW.UNKNOWN_INSTRUCTION)


def _metadata(algorithm: int, policy: bytes, default: bool) -> bytes:
    return tlv.encode_all(
        [
            (TAG_META_ALGORITHM, bytes((algorithm,))),
            (TAG_META_POLICY, policy),
            (TAG_META_DEFAULT, bytes((default,))),
        ]
    )


def _retries(default: bool, tries_max: int, tries_left: int) -> bytes:
    return tlv.encode_all(
        [
            (TAG_META_ALGORITHM, bytes((ALGORITHM_FOR_PIN,))),
            (TAG_META_DEFAULT, bytes((default,))),
            (TAG_META_RETRIES, bytes((tries_max, tries_left))),
        ]
    )
