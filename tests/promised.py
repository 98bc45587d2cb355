"""The API document as a promise: an answer with a status that it does not name fails the test that got it."""

import re

from flask import Flask, Response, request

from cardsvc import web

_PLACE = re.compile(r"<(?:\w+:)?(\w+)>")


def hold_to_its_document(app: Flask) -> None:
    """From now on every answer of the API is compared with what /v1/openapi.json says of its operation."""
    document = web.document(app)
    promised = {
        (method, path): {int(status) for status in operation["responses"]}
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method != "parameters"
    }

    @app.after_request
    def compare(response: Response) -> Response:
        if request.url_rule is not None:
            asked = request.method.lower(), _PLACE.sub(r"{\1}", request.url_rule.rule)
            expected = promised.get(asked)
            assert expected is None or response.status_code in expected, (
                f"{asked} answered {response.status}: {expected}"
            )
        return response
