"""The API document: OpenAPI 3.1 from the rooms' blueprints and schemas, failures described as what they are."""

from typing import Any, cast

from flask import Flask, Response
from flask_smorest import Api, Blueprint
from marshmallow import Schema, fields
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from cardsvc.web import operations, problems
from cardsvc.web.parts import public
from cardsvc.web.reading import ArgumentsParser

PROBLEM_TYPE = "application/problem+json"


class ProblemSchema(Schema):
    """A problem document (RFC 9457) with our additions `code`, `errors` and `trace_id`."""

    type = fields.String(required=True, metadata={"description": "about:blank, or urn:city:problem:<code>"})
    title = fields.String(required=True, metadata={"description": "a few words, in the language asked for"})
    status = fields.Integer(required=True)
    detail = fields.String(required=True, metadata={"description": "what happened and what to do next"})
    instance = fields.String(required=True)
    code = fields.String(required=True, metadata={"description": "stable; programs decide by this alone"})
    trace_id = fields.String(required=True, metadata={"description": "the X-Request-Id of this answer"})
    errors = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        metadata={"description": "a field's dotted path to sentences about it"},
    )


class CityApi(Api):  # type: ignore[misc]  # flask-smorest has no types
    """flask-smorest's Api with our failures."""

    ERROR_SCHEMA = ProblemSchema
    DEFAULT_ERROR_RESPONSE_NAME = None  # `operations` names each

    def _register_responses(self) -> None:
        # What is registered here are failures alone, and those have a content type of their own.
        self.DEFAULT_RESPONSE_CONTENT_TYPE = PROBLEM_TYPE
        super()._register_responses()
        del self.DEFAULT_RESPONSE_CONTENT_TYPE

    @public
    def _openapi_json(self) -> Response:
        made: Response = super()._openapi_json()
        return made

    def handle_http_exception(self, error: HTTPException) -> BaseResponse:
        """HTTP's own errors, on the API and on pages alike."""
        return problems.answer_http(error)


class ApiBlueprint(Blueprint):  # type: ignore[misc]  # flask-smorest has no types
    """Routes of one room's API. The problem answers of every route are documented by themselves."""

    ARGUMENTS_PARSER = ArgumentsParser()
    fails = staticmethod(operations.fails)
    keyed = staticmethod(operations.keyed)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._prepare_doc_cbks.append(operations.describe)

    def add_url_rule(
        self, rule: str, endpoint: str | None = None, view_func: Any = None, *arguments: Any, **options: Any
    ) -> None:
        """Add a route, and note for its description what is seen of it."""
        super().add_url_rule(rule, endpoint, view_func, *arguments, **options)
        for method, said in self._docs[self._endpoints[-1]].items():
            if method != "parameters":
                said.update(operations.seen(rule, getattr(view_func, method, view_func)))


def init(app: Flask) -> None:
    """Serve the document at /v1/openapi.json."""
    parts = app.extensions["city"]
    app.config.update(
        API_TITLE=f"{parts.settings.city_name} citizen card and wallet",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/v1",
        OPENAPI_JSON_PATH="openapi.json",
        API_SPEC_OPTIONS={
            "info": {
                "description": "Amounts are whole centavos with an ISO 4217 currency; times are RFC 3339 in UTC; bytes "
                "are base64url without padding. Failures are problem documents (RFC 9457)."
            },
            "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        },
    )
    app.extensions["city_api"] = CityApi(app)


def api_of(app: Flask) -> CityApi:
    """The app's API document."""
    return cast("CityApi", app.extensions["city_api"])


def document(app: Flask) -> dict[str, Any]:
    """The API document as /v1/openapi.json gives it."""
    made: dict[str, Any] = api_of(app).spec.to_dict()
    return made
