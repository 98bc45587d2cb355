"""What the QR code of a receipt holds: the city's page that checks it, and the receipt behind the #, in few letters."""

import segno
from markupsafe import Markup
from segno import consts

from crypto.wire import printed

_MARK = "#"


def text(receipt: bytes, service_url: str) -> str:
    """Whoever scans it opens the page, which verifies without sending it anywhere. Raises: MalformedMessage."""
    return f"{service_url}/verify{_MARK}{printed.to_text(receipt)}"


def drawn(text: str) -> Markup:
    """The code as an inline SVG, without style attributes, which the policy would refuse."""
    page, mark, letters = text.rpartition(_MARK)
    # letters of the alphabet that QR codes pack densest (ISO/IEC 18004 7.4.4); the address is not of it
    parts = [(page + mark, consts.MODE_BYTE), (letters, consts.MODE_ALPHANUMERIC)]
    code = segno.make(parts if printed.is_printed(text) else text, error="m", micro=False)  # type: ignore[arg-type]
    return Markup(code.svg_inline(border=4, omitsize=True, svgclass="city-qr", lineclass=None))  # noqa: S704  (paths only)
