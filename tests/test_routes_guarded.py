"""Every route says who may use it, and the ones that anybody may use are on this list."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

# Opening one more is a decision: say here why nobody need sign in.
PUBLIC = {
    "GET /": "sends on to one's own first page, or to sign-in",
    "GET /sign-in": "how one signs in",
    "POST /sign-in": "how one signs in",
    "POST /sign-out": "never fails, whoever presses it",
    "POST /v1/sign-in": "how a program signs in",
    "GET /sign-in/passkey": "how one signs in with a passkey",
    "POST /sign-in/passkey": "how one signs in with a passkey",
    "GET /sign-in/card": "how staff sign in with a card: on to the agent beside the reader",
    "POST /sign-in/card": "how staff sign in with a card: back from the agent",
    "POST /actions/<uuid:action_id>/card": "the card's signature is the sign-in",
    "POST /v1/sign-in/challenges": "a nonce, which opens nothing by itself",
    "POST /v1/sign-in/card": "how a program signs in with a card",
    "GET /livez": "says nothing but that it lives",
    "GET /readyz": "says nothing but whether it is ready",
    "GET /version": "which release runs",
    "GET /metrics": "answers this machine alone",
    "GET /v1/openapi.json": "the API's own description",
    "GET /static/<path:filename>": "styles and scripts",
    "POST /v1/transactions": "the terminal's signature is the sign-in",
    "POST /v1/queries": "a card's and a terminal's signature are the sign-in",
    "GET /v1/receipts/<uuid:record_id>": "a receipt names nobody and is meant to be shown",
    "GET /v1/transactions/<uuid:record_id>": "what became of a record, for whoever knows its id: it names nobody",
    "GET /receipts/<uuid:record_id>": "the same receipt to read and print",
    "GET /verify": "checks a receipt in the browser; nothing comes back to the service",
    "GET /verify/worker.js": "keeps that page for when there is no network",
    "GET /v1/keys": "the city's public keys",
    "GET /v1/policy": "signed; terminals check it, and it holds nothing secret",
    "GET /v1/deny-list": "signed; it names no person, and of cards no more than that they are stopped or owe a fare",
    "GET /v1/deny-list/deltas/<int:base_number>": "as the list",
    "POST /v1/devices/enrol": "a one-time code is the sign-in",
    "GET /v1/transit/tariff": "fares are public",
    "GET /v1/transit/quote": "what a ride costs is public too",
    "GET /v1/transit/passes": "and so is what a pass costs",
}
PUBLIC_PREFIXES = {
    "GET /log/": "the transparency log is for everybody",
    "GET /pki/": "certificates and revocation lists are for whoever checks a certificate",
}
# Routes of libraries: they carry no mark of ours, and are public by their place on the list.
UNMARKED = {"static", "api-docs.openapi_json"}


def routes(app: Flask) -> Iterator[tuple[str, str, object]]:
    """(method and path, endpoint, who may use it or None when it does not say)."""
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            handler = getattr(getattr(view, "view_class", None), method.lower(), view)
            yield f"{method} {rule.rule}", rule.endpoint, getattr(handler, "city_access", None)


def test_every_route_names_who_may_use_it(app: Flask) -> None:
    silent = [route for route, endpoint, access in routes(app) if access is None and endpoint not in UNMARKED]
    assert not silent, "put @guard.requires, resident_only, signed_in or public on: " + ", ".join(silent)


def test_what_is_public_is_on_the_list(app: Flask) -> None:
    opened = [
        route
        for route, endpoint, access in routes(app)
        if (access == "public" or endpoint in UNMARKED)
        and route not in PUBLIC
        and not route.startswith(tuple(PUBLIC_PREFIXES))
    ]
    assert not opened, "public, but not on the list of this test: " + ", ".join(opened)


def test_what_is_not_public_refuses_whoever_is_not_signed_in(app: Flask, client: FlaskClient) -> None:
    for rule in app.url_map.iter_rules():
        arguments = dict.fromkeys(rule.arguments, "018f0000-0000-7000-8000-000000000001")
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            route = f"{method} {rule.rule}"
            if route in PUBLIC or route.startswith(tuple(PUBLIC_PREFIXES)):
                continue
            if not _fits(rule.rule):
                continue
            path = app.url_map.bind("localhost").build(rule.endpoint, arguments, method)
            answer = client.open(path, method=method)
            # pages send on to sign-in; a page's POST is stopped even earlier, for want of its form's token
            assert answer.status_code in {302, 400, 401}, f"{route} answered {answer.status_code}"
            if answer.status_code == 302:
                assert answer.location.startswith("/sign-in")
            if answer.status_code == 400:
                assert not rule.rule.startswith("/v1"), f"{route} looked at the request before asking who sent it"


def _fits(rule: str) -> bool:
    """Whether an id can stand in every place of the path."""
    return "<int:" not in rule and "<date" not in rule


@pytest.mark.parametrize("route", sorted(PUBLIC))
def test_a_public_route_has_its_reason(route: str) -> None:
    assert PUBLIC[route]
