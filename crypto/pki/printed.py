"""The printed information object of a PIV card (SP 800-73-5 Part 1, Table 17): what stands on its face."""

from dataclasses import dataclass
from datetime import date

from crypto.errors import MalformedMessage
from crypto.pki import der

_NAME, _AFFILIATION, _EXPIRY, _SERIAL, _ISSUER = 0x01, 0x02, 0x04, 0x05, 0x06
_UNIT_1, _UNIT_2, _END = 0x07, 0x08, 0xFE
_LENGTHS_MAX = {_NAME: 125, _AFFILIATION: 20, _EXPIRY: 9, _SERIAL: 20, _ISSUER: 15, _UNIT_1: 20, _UNIT_2: 20, _END: 0}
_REQUIRED = frozenset({_NAME, _AFFILIATION, _EXPIRY, _SERIAL, _ISSUER})
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


@dataclass(frozen=True, slots=True)
class PrintedInformation:
    """What is printed. A text that is too long for its element is refused, never cut; lengths are of UTF-8 bytes."""

    name: str
    affiliation: str
    expires_on: date
    serial: str
    issuer: str


def printed_information(printed: PrintedInformation) -> bytes:
    """The content of 5FC109 (inside its tag 53). Raises: MalformedMessage for a text that does not fit."""
    texts = {
        _NAME: printed.name,
        _AFFILIATION: printed.affiliation,
        _EXPIRY: f"{printed.expires_on.year:04}{_MONTHS[printed.expires_on.month - 1]}{printed.expires_on.day:02}",
        _SERIAL: printed.serial,
        _ISSUER: printed.issuer,
    }
    for tag, text in texts.items():
        if not text or len(text.encode()) > _LENGTHS_MAX[tag]:
            raise MalformedMessage(f"“{text}” does not fit its element of the printed information.")
    return b"".join(der.encode(tag, text.encode()) for tag, text in texts.items()) + der.encode(_END)


def read_printed_information(data: bytes) -> PrintedInformation:
    """Take it apart; a foreign card's too. Raises: MalformedMessage."""
    elements = der.read_all(data)
    tags = [element.tag for element in elements]
    if tags != sorted(set(tags)) or not _REQUIRED <= set(tags) <= _LENGTHS_MAX.keys():
        raise MalformedMessage("The printed information lacks an element, or repeats or misplaces one.")
    if any(len(element.content) > _LENGTHS_MAX[element.tag] for element in elements):
        raise MalformedMessage("An element of the printed information is too long.")
    try:
        texts = {element.tag: element.content.decode() for element in elements}
    except UnicodeDecodeError as error:
        raise MalformedMessage("The printed information is not text.") from error
    expires_on = _read_date(texts[_EXPIRY])
    return PrintedInformation(texts[_NAME], texts[_AFFILIATION], expires_on, texts[_SERIAL], texts[_ISSUER])


def _read_date(text: str) -> date:
    year, month, day = text[:4], text[4:7].upper(), text[7:]
    fault = MalformedMessage("The printed expiry is not a date (YYYYMMMDD).")
    if (
        len(text) != _LENGTHS_MAX[_EXPIRY] or not (year + day).isdecimal() or month not in _MONTHS
    ):  # int() would take signs, blanks and underscores
        raise fault
    try:
        return date(int(year), _MONTHS.index(month) + 1, int(day))
    except ValueError as error:
        raise fault from error
