"""PIN and PUK on the card: VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER (SP 800-73-5 Part 2, 3.2.1 to 3.2.3)."""

import hmac
from collections.abc import Callable

from terminals.card.apdu import (
    KEY_PIN,
    KEY_PUK,
    P1_LOG_OUT,
    P1_NONE,
    PIN_FILL,
    REFERENCE_DATA_LENGTH,
    SW,
    CommandApdu,
)
from terminals.card.pins import PIN_LENGTH_MIN
from terminals.card.simulator.access import Access, Refused
from terminals.card.simulator.state import CardSettings, CardState


class Pins:
    """The reference data of one card. Every change is kept (`keep`) before the card answers."""

    def __init__(self, state: CardState, settings: CardSettings, keep: Callable[[], None]) -> None:
        self._state = state
        self._settings = settings
        self._keep = keep

    def verify(self, command: CommandApdu, access: Access) -> bytes:
        if command.p2 != KEY_PIN:
            raise Refused(SW.NO_SUCH_KEY)
        access.require_pin_interface()
        if command.p1 == P1_LOG_OUT and not command.data:
            access.pin_forgotten()
        elif command.p1 != P1_NONE:
            raise Refused(SW.BAD_PARAMETERS)
        elif command.data:
            self._verify_pin(bytes(command.data), access)
        elif not access.pin_verified:
            raise Refused(self._tries_left(self._state.pin_tries_left))
        return b""

    def change(self, command: CommandApdu, access: Access) -> bytes:
        old, new = self._two_parts(command)
        if command.p2 == KEY_PIN:
            access.require_pin_interface()
            self._require_pin_form(old, new)
            self._verify_pin(old, access)
            self._state.pin = new
            # The standard sets the status to TRUE; it speaks of no signature, so 9C still asks for a VERIFY.
            access.pin_fresh = False
        elif command.p2 == KEY_PUK:
            access.require_contact()
            self._check_puk(old)
            self._state.puk = new
        else:
            raise Refused(SW.NO_SUCH_KEY)
        self._keep()
        return b""

    def reset(self, command: CommandApdu, access: Access) -> bytes:
        if command.p2 != KEY_PIN:
            raise Refused(SW.NO_SUCH_KEY)
        access.require_contact()
        puk, new = self._two_parts(command)
        self._require_pin_form(new)
        try:
            self._check_puk(puk)
        except Refused:
            access.pin_forgotten()
            raise
        self._state.pin = new
        self._state.pin_tries_left = self._settings.pin_tries_max
        self._keep()
        return b""

    def _verify_pin(self, pin: bytes, access: Access) -> None:
        self._require_pin_form(pin)
        if self._state.pin_tries_left == 0:
            raise Refused(SW.BLOCKED)
        # Counted before it is compared: power taken away in between costs a try, never gives one.
        self._state.pin_tries_left -= 1
        self._keep()
        if not hmac.compare_digest(pin, self._state.pin):
            access.pin_forgotten()
            raise Refused(SW.TRIES_LEFT | self._state.pin_tries_left)
        self._state.pin_tries_left = self._settings.pin_tries_max
        self._keep()
        access.pin_accepted()

    def _check_puk(self, puk: bytes) -> None:
        if self._state.puk_tries_left == 0:
            raise Refused(SW.BLOCKED)
        self._state.puk_tries_left -= 1
        self._keep()
        if not hmac.compare_digest(puk, self._state.puk):
            raise Refused(SW.TRIES_LEFT | self._state.puk_tries_left)
        self._state.puk_tries_left = self._settings.puk_tries_max
        self._keep()

    @staticmethod
    def _tries_left(tries: int) -> int:
        return SW.TRIES_LEFT | tries if tries else SW.BLOCKED

    @staticmethod
    def _two_parts(command: CommandApdu) -> tuple[bytes, bytes]:
        if command.p1 != P1_NONE:
            raise Refused(SW.BAD_PARAMETERS)
        if len(command.data) != 2 * REFERENCE_DATA_LENGTH:
            raise Refused(SW.BAD_DATA)
        return bytes(command.data[:REFERENCE_DATA_LENGTH]), bytes(command.data[REFERENCE_DATA_LENGTH:])

    @staticmethod
    def _require_pin_form(*pins: bytes) -> None:
        """6 to 8 digits, filled with FF (Part 2, 2.4.3). A wrong form costs no try."""
        for pin in pins:
            digits = pin.rstrip(bytes((PIN_FILL,)))
            if len(pin) != REFERENCE_DATA_LENGTH or len(digits) < PIN_LENGTH_MIN or not digits.isdigit():
                raise Refused(SW.BAD_DATA)
