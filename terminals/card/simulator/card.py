"""The card itself: power, applications, chaining both ways, and which command goes where."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

from terminals.card import tlv
from terminals.card.apdu import (
    AID_CARD_MANAGER,
    AID_PIV,
    AID_PIV_NO_VERSION,
    AID_PIV_RID,
    ALGORITHM_P256,
    CLA_CHAINED,
    CLA_PLAIN,
    INS_CHANGE_REFERENCE_DATA,
    INS_GENERAL_AUTHENTICATE,
    INS_GENERATE,
    INS_GET_DATA,
    INS_GET_METADATA,
    INS_GET_RESPONSE,
    INS_GET_SERIAL,
    INS_GET_VERSION,
    INS_PUT_DATA,
    INS_RESET_RETRY_COUNTER,
    INS_SELECT,
    INS_SET_MANAGEMENT_KEY,
    INS_VERIFY,
    P1_BY_NAME,
    P1_DATA_OBJECT,
    P2_DATA_OBJECT,
    P2_NONE,
    SHORT_LE_MAX,
    SW,
    TAG_ALGORITHMS,
    TAG_ALLOCATION_AUTHORITY,
    TAG_APPLICATION_ID,
    TAG_APPLICATION_LABEL,
    TAG_APPLICATION_TEMPLATE,
    TAG_DATA,
    TAG_DISCOVERY,
    TAG_MECHANISM,
    TAG_OBJECT_ID,
    TAG_TAG_LIST,
    CommandApdu,
    ResponseApdu,
)
from terminals.card.connection import Interface
from terminals.card.errors import MalformedResponse
from terminals.card.keys import ManagementAlgorithm
from terminals.card.objects import DataObject
from terminals.card.products import ATR_DEMO_CARD
from terminals.card.simulator.access import Access, Refused
from terminals.card.simulator.keys import Keys
from terminals.card.simulator.pins import Pins
from terminals.card.simulator.state import CardFile, CardSettings, CardState
from terminals.card.simulator.yubico import Yubico

_LABEL: Final = b"City card"
_CHAIN_LENGTH_MAX: Final = 16384
_Handler = Callable[[CommandApdu, Access], bytes]


class SimulatedCard:
    """A `CardInSlot`. `on_change` is called with the state whenever something durable changed, before the card answers.

    `random_bytes` is the card's only source of chance: with a repeatable one, keys, witnesses and signatures repeat.
    """

    def __init__(
        self,
        state: CardState,
        settings: CardSettings | None = None,
        *,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
        on_change: Callable[[CardState], None] | None = None,
    ) -> None:
        self.state = state
        self.settings = settings or CardSettings()
        self._on_change = on_change
        pins = Pins(state, self.settings, self._keep)
        keys = Keys(state, random_bytes, self._keep)
        yubico = Yubico(state, self.settings, self._keep)
        self._handlers: dict[int, _Handler] = {
            INS_VERIFY: pins.verify,
            INS_CHANGE_REFERENCE_DATA: pins.change,
            INS_RESET_RETRY_COUNTER: pins.reset,
            INS_GENERATE: keys.generate,
            INS_GENERAL_AUTHENTICATE: keys.authenticate,
            INS_GET_DATA: self._get_data,
            INS_PUT_DATA: self._put_data,
            INS_SET_MANAGEMENT_KEY: yubico.set_management_key,
            INS_GET_VERSION: yubico.version,
            INS_GET_SERIAL: yubico.serial,
            INS_GET_METADATA: yubico.metadata,
        }
        self.power_on(Interface.CONTACT)

    @classmethod
    def blank(
        cls,
        settings: CardSettings | None = None,
        *,
        algorithm: ManagementAlgorithm = ManagementAlgorithm.AES192,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> "SimulatedCard":
        """A card as the factory delivers it: well-known PIN 123456, PUK 12345678 and management key, nothing else."""
        settings = settings or CardSettings()
        return cls(CardState.blank(settings, algorithm), settings, random_bytes=random_bytes)

    @classmethod
    def from_file(
        cls,
        path: Path,
        settings: CardSettings | None = None,
        *,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> "SimulatedCard":
        """The card that lives in this file; a blank one is made when there is none. Raises: ValueError: not a card."""
        settings = settings or CardSettings()
        file = CardFile(path)
        state = file.load()
        if state is None:
            state = CardState.blank(settings)
            file.save(state)
        return cls(state, settings, random_bytes=random_bytes, on_change=file.save)

    @property
    def atr(self) -> bytes:
        return ATR_DEMO_CARD

    def power_on(self, interface: Interface) -> None:
        self._interface = interface
        self._deselect()
        self._chain: list[CommandApdu] = []
        self._waiting = b""

    def power_off(self) -> None:
        self.power_on(self._interface)

    def process(self, frame: bytes) -> bytes:
        """One command frame in, one answer frame out. Never raises: whatever is wrong has a status word."""
        try:
            return self._step(CommandApdu.decode(frame)).encode()
        except ValueError:
            return ResponseApdu(b"", SW.WRONG_LENGTH).encode()
        except Refused as refused:
            return ResponseApdu(b"", refused.sw).encode()

    def _step(self, command: CommandApdu) -> ResponseApdu:
        if command.cla not in (CLA_PLAIN, CLA_CHAINED):
            raise Refused(SW.UNKNOWN_CLASS)
        if command.ins == INS_GET_RESPONSE:
            self._chain = []
            if not self._waiting:
                raise Refused(SW.CONDITIONS_NOT_SATISFIED)
            return self._part(command.le)
        self._waiting = b""
        whole = self._join(command)
        if whole is None:
            return ResponseApdu(b"", SW.DONE)
        self._waiting = self._select(whole) if whole.ins == INS_SELECT else self._dispatch(whole)
        return self._part(whole.le)

    def _part(self, le: int | None) -> ResponseApdu:
        """As much of the answer as was asked for; 61xx when more waits (ISO 7816-4 5.3.4)."""
        length = SHORT_LE_MAX if le is None else le
        part, self._waiting = self._waiting[:length], self._waiting[length:]
        more = min(len(self._waiting), SHORT_LE_MAX) % SHORT_LE_MAX
        return ResponseApdu(part, SW.MORE_DATA | more if self._waiting else SW.DONE)

    def _join(self, command: CommandApdu) -> CommandApdu | None:
        """The whole command, or None while a chain goes on. A chain that another command interrupts leaves no trace."""
        if self._chain and (command.ins, command.p1, command.p2) != (
            self._chain[0].ins,
            self._chain[0].p1,
            self._chain[0].p2,
        ):
            self._chain = []
        self._chain.append(command)
        data = b"".join(block.data for block in self._chain)
        if len(data) > _CHAIN_LENGTH_MAX:
            self._chain = []
            raise Refused(SW.WRONG_LENGTH)
        if command.cla == CLA_CHAINED:
            return None
        self._chain = []
        return CommandApdu(command.cla, command.ins, command.p1, command.p2, data, command.le)

    def _select(self, command: CommandApdu) -> bytes:
        if command.p1 != P1_BY_NAME or command.p2 != P2_NONE:
            raise Refused(SW.BAD_PARAMETERS)
        if command.data in (AID_PIV, AID_PIV_NO_VERSION, AID_PIV_RID):
            # Selecting PIV again keeps the security status (Part 2, 3.1.1).
            self._selected = True
            return _APPLICATION_TEMPLATE
        if command.data == AID_CARD_MANAGER:
            self._deselect()
            return b""
        # An AID nobody knows changes nothing.
        raise Refused(SW.NOT_FOUND)

    def _dispatch(self, command: CommandApdu) -> bytes:
        handler = self._handlers.get(command.ins)
        if handler is None or not self._selected:
            raise Refused(SW.UNKNOWN_INSTRUCTION)
        if command.ins != INS_GENERAL_AUTHENTICATE:
            self._access.challenge = None
        return handler(command, self._access)

    def _deselect(self) -> None:
        self._selected = False
        self._access = Access(self._interface, self.settings.contactless_pin)

    def _get_data(self, command: CommandApdu, access: Access) -> bytes:
        tag = _items(command).get(TAG_TAG_LIST, b"")
        access.require_reading(tag)
        content = self.state.objects.get(tag)
        if content is None:
            raise Refused(SW.NOT_FOUND)
        return content if tag == DataObject.DISCOVERY.value else tlv.encode(TAG_DATA, content)

    def _put_data(self, command: CommandApdu, access: Access) -> bytes:
        access.require_management()
        items = _items(command)
        if items.keys() == {TAG_DISCOVERY}:
            tag, content = DataObject.DISCOVERY.value, bytes(command.data)
        elif items.keys() == {TAG_TAG_LIST, TAG_DATA} and len(items[TAG_TAG_LIST]) == _OBJECT_TAG_LENGTH:
            tag, content = items[TAG_TAG_LIST], items[TAG_DATA]
        else:
            raise Refused(SW.BAD_DATA)
        if len(content) > self.settings.object_length_max:
            raise Refused(SW.NO_MEMORY)
        self.state.objects[tag] = content
        if not content:
            del self.state.objects[tag]
        self._keep()
        return b""

    def _keep(self) -> None:
        if self._on_change is not None:
            self._on_change(self.state)


_OBJECT_TAG_LENGTH: Final = 3
_APPLICATION_TEMPLATE: Final = tlv.encode(
    TAG_APPLICATION_TEMPLATE,
    tlv.encode_all(
        [
            (TAG_APPLICATION_ID, AID_PIV[len(AID_PIV_RID) :]),
            (TAG_ALLOCATION_AUTHORITY, tlv.encode(TAG_APPLICATION_ID, AID_PIV_RID)),
            (TAG_APPLICATION_LABEL, _LABEL),
            (
                TAG_ALGORITHMS,
                tlv.encode_all(
                    [
                        *((TAG_MECHANISM, bytes((algorithm.identifier,))) for algorithm in ManagementAlgorithm),
                        (TAG_MECHANISM, bytes((ALGORITHM_P256,))),
                        (TAG_OBJECT_ID, b"\x00"),
                    ]
                ),
            ),
        ]
    ),
)


def _items(command: CommandApdu) -> dict[int, bytes]:
    if command.p1 != P1_DATA_OBJECT or command.p2 != P2_DATA_OBJECT:
        raise Refused(SW.BAD_PARAMETERS)
    try:
        return tlv.decode_unique(bytes(command.data))
    except MalformedResponse:
        raise Refused(SW.BAD_DATA) from None
