# flask-smorest has no types
# mypy: disable-error-code="untyped-decorator"
"""A small app on the city's parts, with one route of each kind, so that the web is judged without any room."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa
from flask import Flask, Response, render_template
from flask.testing import FlaskClient
from marshmallow import fields

from cardsvc import web
from cardsvc.errors import CityError, ErrorKind
from crypto.errors import InvalidSignature

NOTES = sa.Table("web_test_note", sa.MetaData(), sa.Column("text", sa.Text, nullable=False, unique=True))

Make = Callable[..., FlaskClient]


class LineSchema(web.ApiSchema):
    amount_cents = web.money_field(required=True)


class OrderSchema(web.ApiSchema):
    amount_cents = web.money_field(required=True)
    currency = web.Currency(load_default="PHP")
    key = web.bytes_field(size=3)
    lines = fields.List(fields.Nested(LineSchema))


class TooBold(CityError):
    code: ClassVar[str] = "too_bold"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("Ask again more humbly.", fields={"rows.3": ["This row."]})


def api() -> web.ApiBlueprint:
    blueprint = web.ApiBlueprint("orders", __name__, url_prefix="/v1/orders", description="Orders of the test.")

    @blueprint.post("")
    @blueprint.arguments(OrderSchema)
    @blueprint.response(200, OrderSchema)
    def order(given: dict[str, Any]) -> dict[str, Any]:
        web.idempotency_key()
        return given

    @blueprint.post("/notes/<text>")
    def note(text: str) -> tuple[str, int]:
        web.session().execute(NOTES.insert().values(text=text))
        if text == "raise":
            raise TooBold
        return text, {"refuse": 409}.get(text, 200)

    @blueprint.get("/notes/<text>")
    def write_on_get(text: str) -> str:
        web.session().execute(NOTES.insert().values(text=text))
        return text

    @blueprint.get("/broken/<how>")
    def broken(how: str) -> str:
        raise {"signature": InvalidSignature(), "bug": RuntimeError("secret words")}[how]

    return blueprint


def pages() -> web.PageBlueprint:
    blueprint = web.PageBlueprint("test_pages", __name__)

    @blueprint.get("/page")
    def page() -> str:
        web.welcome(web.Visitor("Maria Santos", "/wallet"))
        return render_template("error.html", problem=web.Problem(400, "x", "An explanation."), trace_id="t")

    @blueprint.post("/page")
    def post() -> Response:
        return Response("taken")

    @blueprint.get("/page/broken")
    def broken() -> str:
        raise RuntimeError("secret words")

    return blueprint


@pytest.fixture
def make_client(city: web.City) -> Make:
    """Make a client of an app whose settings differ as told."""
    NOTES.metadata.create_all(city.engine)

    def make(**settings: Any) -> FlaskClient:
        app = Flask("cardsvc")
        web.init(app, replace(city, settings=replace(city.settings, **settings)))
        web.register(app, api(), pages())
        return app.test_client()

    return make


@pytest.fixture
def client(make_client: Make) -> FlaskClient:
    return make_client()
