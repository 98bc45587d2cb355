"""What the API takes and answers about rides and rights."""

from marshmallow import fields, validate

from cardsvc import web
from cardsvc.transit.rules import entitling
from cardsvc.transit.schemas import StepSchema

_REASON = validate.Length(entitling.REASON_MIN, entitling.REASON_MAX)


class RidesQuery(web.ApiSchema):
    before = fields.AwareDateTime(
        load_default=None, metadata={"description": "rides that began before it: `next` of the page before"}
    )


class ResidentRidesQuery(RidesQuery):
    resident_id = fields.UUID(required=True)


class RideSchema(web.ApiSchema):
    ride_id = fields.UUID(metadata={"description": "its first tap"})
    fare_day = fields.Date()
    network = fields.String()
    ending = fields.String(metadata={"description": "flat, tapped, completed, no_exit, no_entry, same_stop"})
    from_stop = fields.String(metadata={"description": "empty: no entry was seen"})
    to_stop = fields.String(metadata={"description": "empty: no exit was seen"})
    began_at = fields.AwareDateTime()
    fare_cents = web.cents_field(metadata={"description": "what it costs the rider as it stands"})
    subsidy_cents = web.cents_field()
    paid_by = fields.String(metadata={"description": "the programme that pays the subsidy to the operator"})
    tariff_version = fields.Integer()
    steps = fields.List(fields.Nested(StepSchema))


class RidesSchema(web.ApiSchema):
    rides = fields.List(fields.Nested(RideSchema))
    next = fields.AwareDateTime(allow_none=True)


class RightsQuery(web.ApiSchema):
    resident_id = fields.UUID(required=True)


class RightSchema(web.ApiSchema):
    right_id = fields.UUID()
    resident_id = fields.UUID()
    category = fields.String()
    valid_from = fields.Date()
    valid_to = fields.Date(metadata={"description": "the last fare day; before valid_from: taken back whole"})
    reason = fields.String()
    given_by = fields.UUID()
    given_at = fields.AwareDateTime()


class RightsSchema(web.ApiSchema):
    rights = fields.List(fields.Nested(RightSchema))


class GivenRightSchema(web.ApiSchema):
    resident_id = fields.UUID(required=True)
    category = fields.String(required=True, validate=validate.Length(1, 64))
    valid_from = fields.Date(required=True)
    valid_to = fields.Date(required=True)
    reason = fields.String(required=True, validate=_REASON)


class EndedRightSchema(web.ApiSchema):
    resident_id = fields.UUID(required=True)
    valid_to = fields.Date(required=True)
    reason = fields.String(required=True, validate=_REASON)
