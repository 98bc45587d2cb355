"""What we took from others: complete, with its licence, without what is not ours to use."""

import re
from pathlib import Path

import govuk_frontend_jinja
import pytest

ROOT = Path(__file__).parent.parent.parent.parent
SERVICE = ROOT / "cardsvc" / "static"
TERMINALS = ROOT / "terminals" / "agent" / "static"
SHARED = ("govuk", "fonts", "city.css", "mark.svg", "page.js")


def files(folder: Path) -> list[Path]:
    return [
        path.relative_to(folder)
        for name in SHARED
        for path in [folder / name, *(folder / name).rglob("*")]
        if path.is_file()
    ]


def test_terminals_carry_the_same_look_as_the_service() -> None:
    assert files(TERMINALS) == files(SERVICE)
    differ = [str(path) for path in files(SERVICE) if (SERVICE / path).read_bytes() != (TERMINALS / path).read_bytes()]
    assert differ == []
    for shared in ("form.html", "mark.svg"):
        ours, theirs = ROOT / "cardsvc/templates" / shared, ROOT / "terminals/agent/templates" / shared
        assert ours.read_bytes() == theirs.read_bytes()


@pytest.mark.parametrize("word", ["GDS Transport", "crest", "/assets", "sourceMappingURL", "@font-face", "url("])
def test_the_vendored_style_holds_nothing_of_the_uk_governments_own(word: str) -> None:
    assert word not in (SERVICE / "govuk/govuk-frontend.css").read_text()


def test_our_pages_never_say_that_they_are_the_uk_governments() -> None:
    folders = [*(ROOT / "cardsvc").glob("**/templates"), ROOT / "terminals/agent/templates"]
    said = [
        path
        for folder in folders
        for path in folder.rglob("*.html")
        if re.search(r"gov\.uk|crown", path.read_text(), re.IGNORECASE)
    ]
    assert said == []


def test_the_versions_belong_together() -> None:
    assert '--govuk-frontend-version:"6.3.0"' in (SERVICE / "govuk/govuk-frontend.css").read_text()
    assert 'version="6.3.0"' in (SERVICE / "govuk/govuk-frontend.js").read_text()
    header = Path(govuk_frontend_jinja.__file__).parent / "templates/components/generic-header/macro.html"
    assert header.exists()  # the component came with the macros for 6.3


def test_every_licence_is_there() -> None:
    assert "The MIT License" in (SERVICE / "govuk/LICENSE.txt").read_text()
    assert "SIL OPEN FONT LICENSE" in (SERVICE / "fonts/LICENSE.txt").read_text()


def test_styles_and_scripts_ask_nobody_else() -> None:
    for folder in (SERVICE, TERMINALS):
        for path in [*folder.glob("*.css"), *folder.glob("*.js")]:
            assert not re.search(r"https?://|//[a-z]+\.", path.read_text()), path
