"""What the API takes and answers about claims."""

from marshmallow import fields, validate

from cardsvc import transactions, web
from cardsvc.transit.rules import claiming

_REASON_LETTERS = validate.Length(3, 200)
_PAGE_MAX = 200


class OpenedClaimSchema(web.ApiSchema):
    """A rider's claim about one of their rides."""

    ride_id = fields.UUID(required=True, metadata={"description": "the record of the ride's first tap"})
    reason = fields.Enum(claiming.ClaimReason, by_value=True, required=True)
    stop_id = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Length(1, 64),
        metadata={"description": "where the rider was; needed but for not_me"},
    )
    said = fields.String(load_default="", validate=validate.Length(max=claiming.SAID_MAX))


class ClaimSearchSchema(web.ApiSchema):
    state = fields.String(load_default=claiming.OPEN, validate=validate.OneOf(claiming.STATES))
    after = fields.UUID(load_default=None)
    limit = fields.Integer(load_default=100, validate=validate.Range(1, _PAGE_MAX))


class OwnClaimSearchSchema(web.ApiSchema):
    after = fields.UUID(load_default=None)


class RideCostSchema(web.ApiSchema):
    ride_id = fields.UUID()
    fare_day = fields.Date()
    network = fields.String()
    agency = fields.String()
    began_at = fields.AwareDateTime()
    from_stop = fields.String()
    fare_cents = fields.Integer(metadata={"description": "what the ride comes to now, refunds taken off"})
    subsidy_cents = fields.Integer()


class ClaimSchema(web.ApiSchema):
    id = fields.UUID()
    reason = fields.Enum(claiming.ClaimReason, by_value=True)
    stop_id = fields.String(allow_none=True)
    said = fields.String()
    fare_cents = fields.Integer(metadata={"description": "what the ride had cost when the claim was opened"})
    opened_at = fields.AwareDateTime()
    ride = fields.Nested(RideCostSchema)
    state = fields.String(metadata={"enum": [claiming.OPEN, claiming.REFUNDED, claiming.REFUSED]})
    why = fields.String(metadata={"description": "what staff answered; empty while it is open"})
    decided_at = fields.AwareDateTime(allow_none=True)
    record_id = fields.UUID(allow_none=True, metadata={"description": "the record that gave the money back"})
    refunded_cents = fields.Integer()


class StaffClaimSchema(ClaimSchema):
    wallet_id = fields.UUID()
    approved_action = fields.UUID(allow_none=True, metadata={"description": "what two people signed for the refund"})
    approved_cents = fields.Integer()
    decided_by = fields.UUID(allow_none=True)


class ClaimsSchema(web.ApiSchema):
    claims = fields.List(fields.Nested(ClaimSchema))
    next = fields.UUID(allow_none=True)


class StaffClaimsSchema(web.ApiSchema):
    claims = fields.List(fields.Nested(StaffClaimSchema))
    next = fields.UUID(allow_none=True)


class ClaimRefundSchema(transactions.PasswordSchema):
    fare_cents = fields.Integer(required=True, strict=True, validate=validate.Range(1, 10**12))
    reason = fields.String(required=True, validate=_REASON_LETTERS)


class ClaimRefusalSchema(web.ApiSchema):
    reason = fields.String(required=True, validate=_REASON_LETTERS)
