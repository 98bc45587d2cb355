"""What a terminal's screen shows of a receipt is what the city's page checks, and other programs read it."""

import io
import json
import re
import subprocess
from pathlib import Path

import segno

from crypto.wire import printed
from terminals.agent import receipt_code
from tests import judging

WIRE = json.loads((Path(__file__).parents[2] / "vectors" / "wire-v1.json").read_text())
(GOOD, *_) = [bytes.fromhex(c["hex"]) for c in WIRE["cases"] if c["message"] == "receipt" and c["error"] is None]


def test_the_code_opens_the_page_with_the_receipt_in_it() -> None:
    text = receipt_code.text(GOOD, "https://card.example.ph")
    assert text.startswith("https://card.example.ph/verify#")
    assert printed.from_text(text) == GOOD


def test_the_code_is_smaller_than_the_same_text_in_bytes_and_read_by_another_program(tmp_path: Path) -> None:
    reader = judging.require("zbarimg", "zbar-tools")
    text = receipt_code.text(GOOD, "https://card.example.ph")
    page, mark, letters = text.rpartition("#")
    parts = [(page + mark, segno.consts.MODE_BYTE), (letters, segno.consts.MODE_ALPHANUMERIC)]
    code = segno.make(parts, error="m", micro=False)  # type: ignore[arg-type]
    (width, _height) = code.symbol_size(border=4)
    size = re.search(r'viewBox="0 0 (\d+) ', receipt_code.drawn(text))
    assert size is not None
    assert int(size[1]) == width < segno.make(text, error="m", micro=False).symbol_size(border=4)[0]
    picture = io.BytesIO()
    code.save(picture, kind="png", scale=3)
    (tmp_path / "code.png").write_bytes(picture.getvalue())
    command = [reader, "-q", "--raw", "-Sdisable", "-Sqrcode.enable", str(tmp_path / "code.png")]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip() == text


def test_other_texts_are_drawn_too() -> None:
    assert "<svg" in receipt_code.drawn("MAHARLIKA-R7K2-9QXD")
