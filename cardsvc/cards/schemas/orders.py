"""The backlog of orders, and the history across cards."""

from marshmallow import fields, validate

from cardsvc import web
from cardsvc.cards.rules import STAGES, CardState
from cardsvc.cards.schemas.life import CardStepSchema


class AgeingSchema(web.ApiSchema):
    stage = fields.String(required=True, metadata={"enum": [stage.value for stage in STAGES]})
    count = fields.Integer(required=True)
    oldest_since = fields.AwareDateTime(required=True, allow_none=True)
    oldest_seconds = fields.Integer(required=True, allow_none=True)
    median_seconds = fields.Integer(required=True, allow_none=True)
    p90_seconds = fields.Integer(
        required=True, allow_none=True, metadata={"description": "nine of ten orders wait no longer"}
    )


class BacklogSchema(web.ApiSchema):
    at = fields.AwareDateTime(required=True)
    stages = fields.List(fields.Nested(AgeingSchema), required=True)


class DeedListSchema(web.ApiSchema):
    actor = fields.UUID(load_default=None)
    to_state = fields.Enum(CardState, by_value=True, load_default=None)
    since = fields.AwareDateTime(load_default=None)
    until = fields.AwareDateTime(load_default=None, metadata={"description": "excluded"})
    limit = fields.Integer(load_default=200, validate=validate.Range(min=1, max=1000))


class DeedSchema(CardStepSchema):
    card_id = fields.UUID(required=True)


class DeedsSchema(web.ApiSchema):
    steps = fields.List(fields.Nested(DeedSchema), required=True)
