"""What the benefits API reads and answers."""

from marshmallow import fields, validate

from cardsvc import web


class ProgrammeSchema(web.ApiSchema):
    id = fields.UUID(dump_only=True)
    code = fields.String(required=True, validate=validate.Regexp(r"[A-Z0-9]{2,20}\Z"))
    name = fields.String(required=True, validate=validate.Length(min=1, max=120))


class CycleLineSchema(web.ApiSchema):
    resident_id = fields.UUID(required=True)
    amount_cents = web.money_field(required=True)


class CycleDraftSchema(web.ApiSchema):
    programme = fields.String(required=True, metadata={"description": "the programme's code"})
    label = fields.String(required=True, validate=validate.Length(min=1, max=60))
    claim_until = fields.Date(required=True, metadata={"description": "the last day to claim, in the city"})
    count = fields.Integer(strict=True, required=True, metadata={"description": "control: how many lines"})
    total_cents = web.money_field(required=True, metadata={"description": "control: what they sum to"})
    lines = fields.List(fields.Nested(CycleLineSchema), required=True, validate=validate.Length(min=1, max=100_000))


class CycleSchema(web.ApiSchema):
    id = fields.UUID()
    programme_code = fields.String()
    programme_name = fields.String()
    label = fields.String()
    state = fields.String(metadata={"enum": ["draft", "approved", "closed", "cancelled"]})
    line_count = fields.Integer()
    total_cents = web.cents_field()
    claimed_count = fields.Integer()
    claimed_cents = web.cents_field()
    list_hash = web.bytes_field()
    claim_until = fields.Date()
    drafted_by = fields.UUID()
    drafted_at = fields.AwareDateTime()
    approved_by = fields.UUID(allow_none=True)
    approved_at = fields.AwareDateTime(allow_none=True)
