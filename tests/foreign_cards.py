"""PIV cards of other makers, modelled: our simulator with their habits, as their sources and the standard tell.

What each does otherwise was read in arekinath/PivApplet, makinako/OpenFIPS201, Yubico/yubikey-manager and in
SP 800-73-5; none of their code is here. They stand in for cards that a test machine cannot hold.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from terminals.card import CardSettings, CardState, DataObject, Interface, ManagementAlgorithm, SimulatedCard, tlv
from terminals.card.apdu import (
    AID_PIV,
    AID_PIV_RID,
    INS_CHANGE_REFERENCE_DATA,
    INS_GENERAL_AUTHENTICATE,
    INS_GENERATE,
    INS_GET_DATA,
    INS_GET_METADATA,
    INS_GET_RESPONSE,
    INS_GET_VERSION,
    INS_PUT_DATA,
    INS_RESET_RETRY_COUNTER,
    INS_SELECT,
    INS_SET_MANAGEMENT_KEY,
    INS_VERIFY,
    KEY_MANAGEMENT,
    KEY_PIN,
    KEY_PUK,
    SHORT_LE_MAX,
    SW,
    TAG_ALLOCATION_AUTHORITY,
    TAG_APPLICATION_ID,
    TAG_APPLICATION_LABEL,
    TAG_APPLICATION_TEMPLATE,
    TAG_CHALLENGE,
    TAG_DYNAMIC_AUTHENTICATION,
    TAG_RESPONSE,
    TAG_WITNESS,
    CommandApdu,
    ResponseApdu,
)
from terminals.card.errors import MalformedResponse

_STRANGER: Final = bytes.fromhex("3BDA18FF81B1FE751F030031F573C001600090001C")  # a Java Card's, of no product we know
_ADMINISTRATION: Final = {INS_PUT_DATA, INS_GENERATE, INS_RESET_RETRY_COUNTER}


@dataclass(frozen=True, slots=True)
class Habits:
    """How a card differs from ours. Status words are what it answers; None: as ours does."""

    label: bytes = b""
    atr: bytes = _STRANGER
    aids: tuple[bytes, ...] = (AID_PIV, AID_PIV[:9], AID_PIV_RID)
    version: bytes = b""  # to Yubico's FD
    key_command: bool = False  # knows FF
    key_algorithms: frozenset[ManagementAlgorithm] = frozenset(ManagementAlgorithm)  # FF takes
    piece: int = SHORT_LE_MAX  # bytes of an answer at a time
    exact_le: bool = False  # 6Cxx where more is asked than there is
    wrong_algorithm: int = SW.BAD_PARAMETERS
    wrong_proof: int = SW.NOT_ALLOWED_NOW
    mutual: int | None = None  # refuses the witness
    wants_empty_response: bool = False  # mutual: 80, 81 and an empty 82
    refuses_empty_response: bool = False  # takes that for a signature
    places: frozenset[bytes] | None = None  # the objects it was prepared for
    no_place: int = SW.NOT_FOUND
    discovery: bytes | None = None  # its own, that nobody writes
    puk_change: int | None = None
    puk_reset: int | None = None
    wrong_pin: int | None = None
    pin_state: int | None = None  # to VERIFY without a PIN
    fresh_9c: bool = False  # 9C only as the very next command
    digits_only: bool = False  # the PUK too
    repeats_max: int | None = None  # of one digit in a PIN
    put: int | None = None
    administration: int | None = None  # PUT, GENERATE, RESET over what it takes for contactless


class ForeignCard(SimulatedCard):
    """One of them. `sent` are the instructions it was given, `proofs` how often a 9B proof was shown."""

    def __init__(self, habits: Habits, state: CardState, settings: CardSettings) -> None:
        self.habits = habits
        self.sent: list[int] = []
        self.proofs = 0
        self._after_verify = False
        super().__init__(state, settings)

    @classmethod
    def fresh(
        cls, habits: Habits, algorithm: ManagementAlgorithm = ManagementAlgorithm.TDES, key: bytes | None = None
    ) -> "ForeignCard":
        settings = CardSettings(set_management_key=habits.key_command)
        state = CardState.blank(settings, algorithm)
        if key is not None:
            state.management_key = key
        state.objects.clear()
        if habits.discovery is not None:
            state.objects[DataObject.DISCOVERY.value] = habits.discovery
        return cls(habits, state, settings)

    @property
    def atr(self) -> bytes:
        return self.habits.atr

    def process(self, frame: bytes) -> bytes:
        command = CommandApdu.decode(frame)
        self.sent.append(command.ins)
        if len(frame) > 4 + 1 + 255 + 1:
            return ResponseApdu(b"", SW.WRONG_LENGTH).encode()
        fresh, self._after_verify = self._after_verify, False
        sw = self._refusal(command, fresh)
        if sw is not None:
            return ResponseApdu(b"", sw).encode()
        if command.ins == INS_SELECT and command.data in self.habits.aids:
            super().process(bytes(CommandApdu(0, INS_SELECT, 4, 0, AID_PIV, SHORT_LE_MAX).encode()))
            return ResponseApdu(_template(self.habits.label), SW.DONE).encode()
        if command.ins == INS_GET_VERSION and self.habits.version:
            return ResponseApdu(self.habits.version, SW.DONE).encode()
        answer = ResponseApdu.decode(super().process(bytes(self._shaped(command).encode())))
        return self._answered(command, answer).encode()

    def _shaped(self, command: CommandApdu) -> CommandApdu:
        """As our card wants it: no empty response asked for in mutual authentication, answers in small pieces."""
        data = bytes(command.data)
        if command.ins == INS_GENERAL_AUTHENTICATE and command.p2 == KEY_MANAGEMENT:
            items = _items(data)
            if items.get(TAG_WITNESS) and TAG_RESPONSE in items:
                kept = [(tag, value) for tag, value in items.items() if tag != TAG_RESPONSE]
                data = tlv.encode(TAG_DYNAMIC_AUTHENTICATION, tlv.encode_all(kept))
        le = command.le if command.le is None else min(command.le, self.habits.piece)
        if command.ins == INS_GET_RESPONSE:
            le = min(command.le or SHORT_LE_MAX, self.habits.piece)
        return replace(command, data=data, le=le)

    def _answered(self, command: CommandApdu, answer: ResponseApdu) -> ResponseApdu:
        habits = self.habits
        if command.ins == INS_VERIFY and command.data:
            self._after_verify = answer.ok
            if answer.tries_left is not None and habits.wrong_pin is not None:
                return ResponseApdu(b"", habits.wrong_pin)
        if command.ins == INS_GENERAL_AUTHENTICATE and command.p2 == KEY_MANAGEMENT:
            if answer.sw == SW.BAD_PARAMETERS:
                return ResponseApdu(b"", habits.wrong_algorithm)
            if answer.sw == SW.NOT_ALLOWED_NOW and self._interface is Interface.CONTACT:
                return ResponseApdu(b"", habits.wrong_proof)
        if habits.exact_le and answer.ok and command.ins == INS_GET_DATA and len(answer.data) != command.le:
            return ResponseApdu(b"", SW.WRONG_LE | len(answer.data))
        return answer

    def _refusal(self, command: CommandApdu, fresh: bool) -> int | None:
        checks: dict[int, Callable[[CommandApdu], int | None]] = {
            INS_SELECT: lambda one: None if one.data in self.habits.aids else SW.NOT_FOUND,
            INS_GET_VERSION: lambda _one: None if self.habits.version else SW.UNKNOWN_INSTRUCTION,
            INS_GET_METADATA: lambda _one: SW.UNKNOWN_INSTRUCTION,
            INS_SET_MANAGEMENT_KEY: self._key_refusal,
            INS_VERIFY: lambda one: self.habits.pin_state if not one.data and not one.p1 else None,
            INS_CHANGE_REFERENCE_DATA: self._change_refusal,
            INS_RESET_RETRY_COUNTER: self._reset_refusal,
            INS_PUT_DATA: self._put_refusal,
            INS_GENERAL_AUTHENTICATE: lambda one: self._authentication_refusal(one, fresh),
        }
        if command.ins in _ADMINISTRATION and self.habits.administration is not None:
            return self.habits.administration
        check = checks.get(command.ins)
        return check(command) if check else None

    def _key_refusal(self, command: CommandApdu) -> int | None:
        if not self.habits.key_command:
            return SW.UNKNOWN_INSTRUCTION
        wanted = ManagementAlgorithm.of(command.data[0])
        return None if wanted in self.habits.key_algorithms else SW.BAD_DATA

    def _change_refusal(self, command: CommandApdu) -> int | None:
        if command.p2 == KEY_PUK:
            if self.habits.digits_only and not bytes(command.data[8:]).isdigit():
                return SW.BAD_DATA
            return self.habits.puk_change
        return self._simple(bytes(command.data[8:])) if command.p2 == KEY_PIN else None

    def _reset_refusal(self, command: CommandApdu) -> int | None:
        return self.habits.puk_reset if self.habits.puk_reset is not None else self._simple(bytes(command.data[8:]))

    def _simple(self, pin: bytes) -> int | None:
        repeats = max(pin.count(digit) for digit in set(pin) - {0xFF})
        return SW.BAD_DATA if self.habits.repeats_max is not None and repeats > self.habits.repeats_max else None

    def _put_refusal(self, command: CommandApdu) -> int | None:
        if self.habits.put is not None:
            return self.habits.put
        if self._chain:  # the first block named the object
            return None
        data = bytes(command.data)
        if data[:1] == DataObject.DISCOVERY.value:
            return SW.BAD_DATA if self.habits.discovery is not None else None
        places = self.habits.places
        return self.habits.no_place if places is not None and data[2:5] not in places else None

    def _authentication_refusal(self, command: CommandApdu, fresh: bool) -> int | None:
        if command.p2 == 0x9C and self.habits.fresh_9c and not fresh:
            return SW.NOT_ALLOWED_NOW
        if command.p2 != KEY_MANAGEMENT:
            return None
        items = _items(bytes(command.data))
        if items == {TAG_WITNESS: b""} and self.habits.mutual is not None:
            return self.habits.mutual
        if items.get(TAG_WITNESS) or items.get(TAG_RESPONSE):
            self.proofs += 1
        if items.get(TAG_WITNESS) and items.get(TAG_CHALLENGE):
            if self.habits.wants_empty_response and TAG_RESPONSE not in items:
                return SW.BAD_DATA
            if self.habits.refuses_empty_response and TAG_RESPONSE in items:
                return SW.BAD_PARAMETERS
        return None


def _items(data: bytes) -> dict[int, bytes]:
    try:
        return tlv.decode_unique(tlv.decode_one(data, TAG_DYNAMIC_AUTHENTICATION))
    except MalformedResponse:
        return {}


def _template(label: bytes) -> bytes:
    named = [(TAG_APPLICATION_LABEL, label)] if label else []
    authority = (TAG_ALLOCATION_AUTHORITY, tlv.encode(TAG_APPLICATION_ID, AID_PIV_RID))
    return tlv.encode(TAG_APPLICATION_TEMPLATE, tlv.encode_all([(TAG_APPLICATION_ID, AID_PIV), authority, *named]))


_DISCOVERY_40: Final = bytes.fromhex("7E124F0BA0000003080000100001005F2F024000")
_CITY_OBJECTS: Final = frozenset(
    item.value
    for item in (
        DataObject.CERTIFICATE_CARD_AUTHENTICATION,
        DataObject.CERTIFICATE_AUTHENTICATION,
        DataObject.CERTIFICATE_SIGNATURE,
        DataObject.CHUID,
        DataObject.CAPABILITIES,
        DataObject.SECURITY,
        DataObject.PRINTED,
    )
)

PIV_APPLET: Final = Habits(
    label=b"PivApplet v0.9.0/REaD",
    version=bytes((5, 4, 0)),
    key_command=True,
    piece=255,
    wrong_proof=SW.BAD_DATA,
    fresh_9c=True,
    digits_only=True,
    discovery=_DISCOVERY_40,
    no_place=SW.NOT_SUPPORTED,
)
PIV_APPLET_3DES: Final = replace(
    PIV_APPLET, label=b"PivApplet v0.9.0/ED", key_algorithms=frozenset({ManagementAlgorithm.TDES})
)
OPEN_FIPS: Final = Habits(
    label=b"OpenFIPS201",
    mutual=SW.NOT_ALLOWED_NOW,
    refuses_empty_response=True,
    fresh_9c=True,
    places=_CITY_OBJECTS,
    discovery=bytes.fromhex("7E124F0BA0000003080000100001005F2F024010"),
    repeats_max=4,
)
OPEN_FIPS_NO_PUK: Final = replace(
    OPEN_FIPS, mutual=None, puk_change=SW.NO_SUCH_KEY, puk_reset=SW.NOT_ALLOWED_NOW, repeats_max=None
)
NIST_STRICT: Final = Habits(
    aids=(AID_PIV, AID_PIV[:9]),
    exact_le=True,
    wants_empty_response=True,
    wrong_proof=SW.BAD_DATA,
    puk_change=SW.NOT_SUPPORTED,
    fresh_9c=True,
    places=frozenset(_CITY_OBJECTS),
    discovery=_DISCOVERY_40,
)
FIVE_BYTE_AID: Final = Habits(
    aids=(AID_PIV_RID,), version=bytes((5, 4, 3)), wrong_pin=0x6300, pin_state=SW.WRONG_LENGTH
)
