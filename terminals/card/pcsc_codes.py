"""The numbers of PC/SC (pcsc-lite, winscard.h and pcsclite.h) that we decide by, and a sentence for each."""

from typing import Final

from terminals.card.errors import CardRemoved, ReaderUnavailable, TransportError

BUSY: Final = 0x8010000B
TIMED_OUT: Final = 0x8010000A
NO_READERS: Final = 0x8010002E
NO_SERVICE: Final = 0x8010001D
SERVICE_STOPPED: Final = 0x8010001E
NO_ACCESS: Final = 0x8010006A
UNKNOWN_READER: Final = 0x80100009
READER_UNAVAILABLE: Final = 0x80100017
# The daemon was restarted or the context died with it: a new context mends these.
STALE_CONTEXT: Final = frozenset({NO_SERVICE, SERVICE_STOPPED, 0x80100013, 0x80100003})
NO_CARD: Final = frozenset({0x8010000C, 0x80100069})
# The card takes no power (67), answers the reset with nothing (66), or with what is no answer to reset (0F). PC/SC has
# no word of its own for two cards in the field: a reader says one of these.
UNRESPONSIVE: Final = frozenset({0x80100066, 0x80100067, 0x8010000F})
READER_GONE: Final = frozenset({UNKNOWN_READER, READER_UNAVAILABLE, NO_READERS})
PASSING: Final = NO_CARD | UNRESPONSIVE | {BUSY}  # worth another try: the card has just come, or somebody lets it go

# what the driver says of the reader: vendor's name, type, version, serial number (pcsc-lite reader.h, VENDOR_...)
DRIVER_ATTRIBUTES: Final = (0x00010100, 0x00010101, 0x00010102, 0x00010103)

HANGS: Final = "the PC/SC daemon hangs; restart it: `systemctl restart pcscd`"
_NO_DAEMON: Final = "the PC/SC daemon does not answer; install and start it: `apt-get install pcscd`"
_ADVICE: Final = {
    NO_SERVICE: _NO_DAEMON,
    SERVICE_STOPPED: _NO_DAEMON,
    NO_ACCESS: "this user may not use PC/SC; ask for a polkit rule for org.debian.pcsc-lite.access_pcsc",
    NO_READERS: "no reader is plugged in",
    UNKNOWN_READER: "the reader is gone; plug it in again",
    READER_UNAVAILABLE: "the reader is gone; plug it in again",
}


def unavailable(code: int) -> ReaderUnavailable:
    return ReaderUnavailable(_ADVICE.get(code, f"PC/SC answered {code:08X}; unplug the reader and plug it in again"))


def lost(code: int) -> TransportError:
    """The error for an answer that did not come: whether the card did the command is unknown."""
    if code in STALE_CONTEXT or code in READER_GONE:
        return unavailable(code)
    return CardRemoved()
