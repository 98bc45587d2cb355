"""The counter's pages for holders of cards, with sample data."""

from datetime import date
from typing import Final

from terminals.agent.look import Field
from tests.browser.samples import Sample, thing

STAFF: Final = {"staff": "Liza Magsaysay"}
CARD: Final = "0190f5d2-7a3b-4c1d-8e4f-0123456789ab"
# A grey square: one pixel of PNG.
PHOTO: Final = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGOoBwAAgQCAYVrvJAAAAABJRU5ErkJggg=="
)
BORN: Final = date(1961, 4, 9)
NAME: Final = "Maria Luisa Dimaculangan Santos"
SHOWN: Final = thing(number="MK-000123-4", name=NAME, birth_date=BORN, photo=PHOTO)
RESIDENT: Final = thing(number="MK-000123-4", name=NAME, birth_date=BORN, barangay="San Isidro")
MEANS: Final = (
    ("photo", "By the photo above"),
    ("both", "By the photo and a document"),
    ("document", "By a document with a photo"),
)
STAYS: Final = "Nothing changes: balance, purses, concessions and claims are the resident's and stay theirs."
FOLLOWS: Final = tuple(
    (name, thing(card=f"Denied everywhere from this moment. {more}", wallet=STAYS, order="A new card at once."), cents)
    for name, more, cents in (
        ("Lost", "If it is found it is cut up.", 100_00),
        ("Stolen", "Note the report.", 0),
        ("Damaged", "Cut up.", 1_050_00),
    )
)


def help_page(name: str, left: int | None, words: str, **more: object) -> Sample:
    card = thing(card_id=CARD, attempts_left=left)
    given = {**STAFF, "card": card, "left": words, "may": True, "done": "", "wrong": "", **more}
    return Sample(name, "counter/holder_pin.html", given)


PAGES: Final = (
    Sample(
        "counter-pin-help",
        "counter/holder_pin.html",
        {**STAFF, "card": None, "left": "", "may": True, "done": "", "wrong": ""},
    ),
    help_page("counter-pin-help-tries", 3, "3 tries left."),
    help_page("counter-pin-help-done", 5, "5 tries left.", done="The PIN was changed."),
    help_page("counter-pin-help-blocked", 0, "The PIN is blocked."),
    help_page("counter-pin-help-cashier", 1, "1 tries left.", may=False),
    Sample(
        "counter-identity",
        "counter/identity.html",
        {
            **STAFF,
            "person": SHOWN,
            "may": True,
            "refused": "Say how you identified the person.",
            "fields": (
                Field("means", "How did you identify the person?", "radios", choices=MEANS),
                Field("note", "Document and number, or what else you saw", hint="At most 100 letters."),
            ),
        },
    ),
    Sample("counter-change-pin", "counter/change_pin.html", {"error": "", "left": "3 tries left.", "last_try": False}),
    Sample(
        "counter-change-pin-last",
        "counter/change_pin.html",
        {
            "error": "Only one PIN try is left; confirm that you know the PIN.",
            "left": "1 tries left.",
            "last_try": True,
        },
    ),
    Sample("counter-reset-pin", "counter/reset_pin.html", {"error": "", "last_try": False}),
    Sample(
        "counter-replace",
        "counter/replace.html",
        {
            **STAFF,
            "resident": RESIDENT,
            "held": True,
            "expires_on": date(2031, 11, 22),
            "refused": "The card may be renewed from 2031-08-24 on. If it is lost or broken, replace it.",
            "follows": FOLLOWS,
            "renewal_cents": 50_00,
            "fields": (
                Field(
                    "reason",
                    "What happened to the card?",
                    "radios",
                    choices=(("lost", "Lost"), ("stolen", "Stolen"), ("damaged", "Damaged")),
                ),
                Field("note", "Note", hint="Such as the number of the police report."),
            ),
        },
    ),
    Sample(
        "counter-approve",
        "counter/approve.html",
        {
            **STAFF,
            "resident": RESIDENT,
            "refused": "",
            "fields": (
                Field("username", "User name of the second person", width=20),
                Field("password", "Their password", "password", width=20),
            ),
        },
    ),
)
