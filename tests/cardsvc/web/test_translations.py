"""Filipino, for the service and for the terminals: whole where residents read, and built from what is written."""

import io
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).parent.parent.parent.parent
KEYWORDS: dict[str, Any] = {"_": None, "gettext": None, "ngettext": (1, 2), "lazy_gettext": None, "_say": None}
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
OPTIONS = {"**.html": {"trim_blocks": "true", "lstrip_blocks": "true"}}
# What residents read, and what staff meet beside a reader. Other staff pages may wait for their Filipino; they show
# English until then.
HELD = {
    "cardsvc": (
        "templates/error.html",
        "templates/form.html",
        "templates/layout.html",
        "templates/desk.html",
        "templates/words.html",
        "web/",
        "wallets/",
        "residents/templates/",
        "residents/pages/",
        "cards/templates/",
        "cards/pages/",
        "access/pages/",
        "access/templates/",
        "transactions/templates/receipts/",
        "transit/",
    ),
    "terminals/agent": (
        "templates/kiosk/",
        "templates/form.html",
        "templates/base.html",
        "templates/counter/pin.html",
        "templates/counter/change_pin.html",
        "templates/sign_in/",
        "templates/readers.html",
        "sign_in",
        "readers_page.py",
        "kiosk_",
    ),
}


def catalogue(part: str) -> Catalog:
    with (ROOT / part / "translations/fil/LC_MESSAGES/messages.po").open("rb") as file:
        return read_po(file, locale="fil")


@pytest.mark.parametrize("part", HELD)
def test_no_string_of_a_held_page_is_untranslated(part: str) -> None:
    known = catalogue(part)
    untranslated = set()
    pages = set()
    for path, _line, said, _comments, _context in extract_from_dir(
        str(ROOT / part), METHODS, OPTIONS, keywords=KEYWORDS
    ):
        pages.add(path)
        if path.startswith(HELD[part]):
            message = known.get(said if isinstance(said, str) else said[0])
            given = message.string if message else ""
            if message is None or message.fuzzy or not (given if isinstance(given, str) else all(given or ())):
                untranslated.add((path, said))
    assert any(path.endswith(".html") for path in pages), "no template was read: the patterns match nothing"
    assert untranslated == set(), "docs/cardsvc-web.md says how to add them"


@pytest.mark.parametrize("part", HELD)
def test_what_is_shown_is_built_from_what_is_written(part: str) -> None:
    built = io.BytesIO()
    write_mo(built, catalogue(part))
    shown = (ROOT / part / "translations/fil/LC_MESSAGES/messages.mo").read_bytes()
    assert shown == built.getvalue(), "run pybabel compile, as docs/cardsvc-web.md says"


@pytest.mark.parametrize("part", HELD)
def test_a_translation_keeps_every_place_holder(part: str) -> None:
    wrong = [message.id for message in catalogue(part) if message.string and message.check()]
    assert wrong == []
