"""What a resident sees of the own card."""

from marshmallow import fields, validate

from cardsvc import web
from cardsvc.cards.rules import HELD

NOTE_LENGTH_MAX = 120


class OwnCardSchema(web.ApiSchema):
    id = fields.UUID(required=True)
    state = fields.String(required=True, metadata={"enum": sorted(state.value for state in HELD)})
    expires_on = fields.Date(required=True)
    blocked_at = fields.AwareDateTime(required=True, allow_none=True)


class OwnSuspensionSchema(web.ApiSchema):
    note = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=NOTE_LENGTH_MAX))
