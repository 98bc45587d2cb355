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
METHODS = [("**.py", "python"), ("**templates/**.html", "jinja2")]
OPTIONS = {"**.html": {"trim_blocks": "true", "lstrip_blocks": "true"}}
# What residents read. Staff pages (finance, counter) may wait for their Filipino; they show English until then.
READ_BY_RESIDENTS = {
    "cardsvc": ("templates/", "web/", "wallets/", "residents/templates/", "access/pages/", "access/templates/"),
    "terminals/agent": (
        "templates/kiosk/",
        "templates/form.html",
        "templates/base.html",
        "templates/counter/pin.html",
        "kiosk_",
    ),
}


def catalogue(part: str) -> Catalog:
    with (ROOT / part / "translations/fil/LC_MESSAGES/messages.po").open("rb") as file:
        return read_po(file, locale="fil")


@pytest.mark.parametrize("part", READ_BY_RESIDENTS)
def test_no_string_that_residents_read_is_untranslated(part: str) -> None:
    known = catalogue(part)
    untranslated = set()
    for path, _line, said, _comments, _context in extract_from_dir(
        str(ROOT / part), METHODS, OPTIONS, keywords=KEYWORDS
    ):
        if path.startswith(READ_BY_RESIDENTS[part]):
            message = known.get(said if isinstance(said, str) else said[0])
            given = message.string if message else ""
            if message is None or message.fuzzy or not (given if isinstance(given, str) else all(given or ())):
                untranslated.add((path, said))
    assert untranslated == set(), "docs/cardsvc-web.md says how to add them"


@pytest.mark.parametrize("part", READ_BY_RESIDENTS)
def test_what_is_shown_is_built_from_what_is_written(part: str) -> None:
    built = io.BytesIO()
    write_mo(built, catalogue(part))
    shown = (ROOT / part / "translations/fil/LC_MESSAGES/messages.mo").read_bytes()
    assert shown == built.getvalue(), "run pybabel compile, as docs/cardsvc-web.md says"


@pytest.mark.parametrize("part", READ_BY_RESIDENTS)
def test_a_translation_keeps_every_place_holder(part: str) -> None:
    wrong = [message.id for message in catalogue(part) if message.string and message.check()]
    assert wrong == []
