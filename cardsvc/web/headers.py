"""What every answer carries: a request id and the headers that keep a browser on our side."""

import base64
import re

from flask import Flask, Response, g, request
from werkzeug.middleware.proxy_fix import ProxyFix

from cardsvc.web.parts import City, city

BODY_MAX = 5 * 1024 * 1024  # a batch is at most 4 MB (crypto.wire.batch), statements and bills are smaller
FORM_PARTS_MAX = 200
FORM_MEMORY_MAX = 256 * 1024
REQUEST_ID = re.compile(r"[A-Za-z0-9_.-]{8,64}\Z")
HSTS = "max-age=31536000; includeSubDomains"
FIXED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Frame-Options": "DENY",
}


def request_id() -> str:
    """The id that joins an answer, a log line and a complaint; the caller's own when it is well formed."""
    if "city_request_id" not in g:
        given = request.headers.get("X-Request-Id", "")
        g.city_request_id = given if REQUEST_ID.match(given) else city().random_bytes(16).hex()
    return str(g.city_request_id)


def csp_nonce() -> str:
    """This answer's script nonce; templates put it on every script element."""
    if "city_nonce" not in g:
        g.city_nonce = base64.b64encode(city().random_bytes(18)).decode()
    return str(g.city_nonce)


def is_https(parts: City) -> bool:
    """Whether residents reach the city over TLS, by its public address."""
    return parts.settings.is_https


def trust_proxies(app: Flask, parts: City) -> None:
    """Take the caller's address from the proxies that stand in front, as many as CITY_PROXIES says and no more."""
    count = parts.settings.sign_in.proxies
    if count:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=0)  # type: ignore[method-assign]


def init(app: Flask, parts: City) -> None:
    """Limit what comes in, dress what goes out."""
    app.config.update(MAX_CONTENT_LENGTH=BODY_MAX, MAX_FORM_MEMORY_SIZE=FORM_MEMORY_MAX, MAX_FORM_PARTS=FORM_PARTS_MAX)
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 3600
    https = is_https(parts)

    @app.after_request
    def dress(response: Response) -> Response:
        for name, value in FIXED.items():
            response.headers.setdefault(name, value)
        response.headers["X-Request-Id"] = request_id()
        response.headers.setdefault("Content-Security-Policy", content_security_policy())
        # Whatever does not say otherwise may hold somebody's data: no cache keeps it.
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        if https:
            response.headers["Strict-Transport-Security"] = HSTS
        return response


def content_security_policy(*more: str) -> str:
    """The policy of a page; `more` are directives that one page needs beside them."""
    # A module script passes its nonce on to what it imports, so no host needs to be trusted for scripts.
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'nonce-{csp_nonce()}'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            *more,
        )
    )
