"""Who may talk to the agent: the browser on this machine, with the address that this boot printed.

Any web page can send requests to a loopback port, and a hostile name server can point its own name there. So the Host
must be ours (DNS rebinding), what changes something must come from our own page, and every address holds a token of
this boot.
"""

import hmac
from collections.abc import Callable
from typing import Any, Final

from flask import Flask, abort, request

LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_FORBIDDEN, _NOT_FOUND, _MISDIRECTED = 403, 404, 421


def protect(app: Flask, token: str, port: Callable[[], int | None]) -> None:
    """Refuse every request that is not the local page's. `port` is None where it is not known (a test client)."""

    @app.url_value_preprocessor
    def check_token(_endpoint: str | None, values: dict[str, Any] | None) -> None:
        given = (values or {}).pop("token", None)
        if given is not None and not hmac.compare_digest(str(given), token):
            abort(_NOT_FOUND)

    @app.url_defaults
    def add_token(endpoint: str, values: dict[str, Any]) -> None:
        if app.url_map.is_endpoint_expecting(endpoint, "token"):
            values.setdefault("token", token)

    @app.before_request
    def check_origin() -> None:
        if not _is_ours(request.host, port()):
            abort(_MISDIRECTED)
        if request.method not in _SAFE and not _from_our_page():
            abort(_FORBIDDEN)


def _is_ours(host: str, port: int | None) -> bool:
    name, _, number = host.rpartition(":") if not host.endswith("]") and ":" in host else (host, "", "")
    return name in LOOPBACK and (port is None or number == str(port))


def _from_our_page() -> bool:
    """By Sec-Fetch-Site, which no page can forge; by Origin in browsers without it. Programs send neither."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin")
    return origin is None or origin == f"{request.scheme}://{request.host}"
