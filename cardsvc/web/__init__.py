"""The one place that knows HTTP: what a request is given, how failures answer, what every page and answer carries.

Rooms write `from cardsvc import web` and use what is listed here. `app.py` calls `init` once, then `register` for
each room's blueprint.
"""

from flask import Blueprint, Flask

from cardsvc.web import api_spec, forms, headers, health, languages, logs, look, problems, unit
from cardsvc.web.api_spec import ApiBlueprint, document
from cardsvc.web.content import body
from cardsvc.web.fields import ApiSchema, Bytes, Cents, Currency, Flag, bytes_field, cents_field, money_field
from cardsvc.web.forms import Field, PageBlueprint
from cardsvc.web.headers import content_security_policy, request_id
from cardsvc.web.health import Gauge, measure
from cardsvc.web.idempotency import IdempotencyKeyMalformed, IdempotencyKeyMissing, idempotency_key
from cardsvc.web.logs import configure_logs
from cardsvc.web.look import Visitor, visitor, welcome
from cardsvc.web.parts import City, city, now, public
from cardsvc.web.problems import STATUS_OF_KIND, Problem
from cardsvc.web.unit import session

__all__ = [
    "STATUS_OF_KIND",
    "ApiBlueprint",
    "ApiSchema",
    "Bytes",
    "Cents",
    "City",
    "Currency",
    "Field",
    "Flag",
    "Gauge",
    "IdempotencyKeyMalformed",
    "IdempotencyKeyMissing",
    "PageBlueprint",
    "Problem",
    "Visitor",
    "body",
    "bytes_field",
    "cents_field",
    "city",
    "configure_logs",
    "content_security_policy",
    "document",
    "idempotency_key",
    "init",
    "measure",
    "money_field",
    "now",
    "public",
    "register",
    "request_id",
    "session",
    "visitor",
    "welcome",
]


def init(app: Flask, city_parts: City) -> None:
    """Make `app` the city's: services, languages, headers, errors, API document, health routes. Call it once."""
    app.extensions["city"] = city_parts
    headers.trust_proxies(app, city_parts)
    headers.init(app, city_parts)  # first, so that it runs last over every answer, errors included
    unit.init(app)
    languages.init(app)
    forms.init(app, city_parts)
    look.init(app, city_parts)
    problems.init(app)
    api_spec.init(app)
    health.init(app)
    logs.init(app)


def register(app: Flask, *blueprints: Blueprint) -> None:
    """Put rooms' blueprints on the app; those of the API also enter the OpenAPI document."""
    for blueprint in blueprints:
        if isinstance(blueprint, ApiBlueprint):
            api_spec.api_of(app).register_blueprint(blueprint)
        else:
            app.register_blueprint(blueprint)
