"""A receipt to show and print, and the page on which anybody checks one, without a network too."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

import segno
from flask import Response, make_response, render_template, send_from_directory
from markupsafe import Markup
from segno import consts

from cardsvc import audit, web
from cardsvc.access import guard
from cardsvc.db import from_ms
from cardsvc.transactions import queries
from crypto import keys
from crypto.wire import ids, printed
from crypto.wire.body import TIME_MS_MAX
from crypto.wire.kinds import Kind
from crypto.wire.receipt import peek_receipt

_ROOM = Path(__file__).parent.parent
_WORKER: Final = _ROOM.parent / "static" / "verify"
_COMFORTABLE = 22  # QR version: 105 modules; above it the weaker correction keeps them large enough for 58 mm paper

pages = web.PageBlueprint("receipt_pages", __name__, root_path=str(_ROOM))


@pages.get("/verify")
@guard.public
def verify() -> Response:
    """Checks a receipt in the browser; the receipt stands behind the # and never reaches the service."""
    known = audit.city_keys(web.session(), web.city().vault)
    answer = make_response(
        render_template(
            "receipts/verify.html",
            keys=known.format(),
            receipt_ids=[keys.key_id(key).hex() for key in known.receipt],
            log_names=list(dict.fromkeys(log.name for log in known.logs)),
            made_at=web.now(),
            kinds=[int(kind) for kind in Kind],
        )
    )
    answer.headers["Content-Security-Policy"] = web.content_security_policy("worker-src 'self'", "media-src 'self'")
    answer.headers["Permissions-Policy"] = "camera=(self), geolocation=(), microphone=(), payment=(), usb=()"
    return answer


@pages.get("/verify/worker.js")
@guard.public
def worker() -> Response:
    """What keeps the page above for when there is no network. Its own address decides which pages it may keep."""
    answer = send_from_directory(_WORKER, "worker.js", mimetype="text/javascript")
    answer.headers["Service-Worker-Allowed"] = "/verify"
    answer.headers["Cache-Control"] = "no-cache"
    # what a worker may fetch is said by its own policy, not by that of the page
    answer.headers["Content-Security-Policy"] = "default-src 'none'; connect-src 'self'"
    return answer


@pages.get("/receipts/<uuid:record_id>")
@guard.public
def show(record_id: UUID) -> str:
    """The receipt of a record, for whoever knows its id: it names nobody."""
    signed = queries.receipt(web.session(), web.city().vault, record_id)
    receipt = peek_receipt(signed)
    code, address = code_of(signed, web.city().settings.public_url)
    return render_template(
        "receipts/receipt.html",
        receipt=receipt,
        made_at=from_ms(min(ids.unix_ms(record_id), TIME_MS_MAX)),  # whoever makes an id writes what they like into it
        recorded_at=from_ms(receipt.recorded_at_ms),
        code=code,
        address=address,
    )


def code_of(signed: bytes, public_url: str) -> tuple[Markup, str]:
    """The QR code of a receipt as inline SVG, and the address that it says. Raises: MalformedMessage."""
    page, letters = f"{public_url}/verify#", printed.to_text(signed)
    # the letters are of the alphabet that QR codes pack densest (ISO/IEC 18004 7.4.4); the address is not
    parts = [(page, consts.MODE_BYTE), (letters, consts.MODE_ALPHANUMERIC)]
    drawn = _drawn(parts, "m")
    if isinstance(drawn.version, int) and drawn.version > _COMFORTABLE:
        drawn = _drawn(parts, "l")
    return Markup(drawn.svg_inline(border=4, omitsize=True, svgclass="city-qr", lineclass=None)), page + letters  # noqa: S704


def _drawn(parts: Sequence[tuple[str, int]], correction: str) -> segno.QRCode:
    # segno takes segments, and its types do not say so
    return segno.make(parts, error=correction, micro=False, boost_error=False)  # type: ignore[arg-type]
