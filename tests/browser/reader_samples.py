"""The terminals' page about their readers, with sample data."""

from terminals.card import Advice, Fault, Health, Interface, ReaderHealth, ReaderState, ReaderUnavailable
from tests.browser.samples import Sample

HEALTH = Health(
    (
        ReaderHealth(
            "ACS ACR1252 Dual Reader [ACR1252 Dual Reader PICC] 00 00",
            "ACS ACR1252U",
            Interface.CONTACTLESS,
            ReaderState.FAILING,
            card_present=False,
            driver="ACS ACR1252 Dual Reader",
            firmware="1.4.3",
            serial="RR554-000123",
            last_fault=Fault("reader_unavailable", str(ReaderUnavailable("the reader is gone; plug it in again")), 0),
            advice=(
                Advice("PC/SC does not reach it.", "Plug the reader out and in; then look here again."),
                Advice("It shows two readers; the second is its SAM slot.", "Nothing: the SAM slot is passed over."),
            ),
        ),
        ReaderHealth(
            "City Virtual Reader 00 00",
            "",
            Interface.CONTACT,
            ReaderState.CARD,
            card_present=True,
            driver="",
            firmware="",
            serial="",
            last_fault=None,
            advice=(),
        ),
    ),
    None,
)
STATES = {
    ReaderState.EMPTY: "Ready, empty",
    ReaderState.CARD: "A card is in it",
    ReaderState.IN_USE: "In use",
    ReaderState.FAILING: "Does not work",
}

READERS = (
    Sample("readers", "readers.html", {"health": HEALTH, "words": STATES}),
    Sample("readers-none", "readers.html", {"health": Health((), str(ReaderUnavailable("none"))), "words": STATES}),
)
