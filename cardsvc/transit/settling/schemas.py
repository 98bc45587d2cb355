"""What the API answers about settlements."""

from marshmallow import fields, validate

from cardsvc import web

_ID_MAX = 64


class AskedDaySchema(web.ApiSchema):
    agency = fields.String(required=True, validate=validate.Length(1, _ID_MAX), metadata={"description": "agency_id"})
    day = fields.Date(required=True, metadata={"description": "a day of the books, in the city"})


class AskedTableSchema(AskedDaySchema):
    format = fields.String(load_default="csv", validate=validate.OneOf(["csv", "json"]))


class OperatorSettlementLineSchema(web.ApiSchema):
    kind = fields.String(metadata={"enum": ["rides", "pass"], "description": "pass: sales of one pass"})
    network = fields.String(metadata={"description": "empty of a pass"})
    product = fields.String(
        metadata={"description": "that of the ride as it stands; empty: a pass, or an incomplete ride"}
    )
    pass_id = fields.String(metadata={"description": "the pass that paid these rides, or that was sold"})
    fare_day = fields.Date()
    late = fields.Boolean(metadata={"description": "the fare day is before the day of the settlement"})
    rides = fields.Integer()
    passes = fields.Integer(metadata={"description": "how many were sold or taken back"})
    charged_cents = web.cents_field()
    refunded_cents = web.cents_field()
    subsidy_cents = fields.Integer(metadata={"description": "centavos; less than zero: given back to the programme"})
    due_cents = fields.Integer(metadata={"description": "centavos; less than zero: the operator owes"})


class OtherMovementSchema(web.ApiSchema):
    entry_id = fields.UUID()
    kind = fields.Integer(metadata={"description": "of the record, as in crypto/FORMATS.md"})
    amount_cents = fields.Integer()


class OperatorSettlementSchema(web.ApiSchema):
    agency = fields.String()
    day = fields.Date()
    final = fields.Boolean(metadata={"description": "the day is over: this does not change any more"})
    currency = web.Currency()
    charged_cents = web.cents_field()
    refunded_cents = web.cents_field()
    subsidy_cents = fields.Integer()
    other_cents = fields.Integer(metadata={"description": "entries on the operator's revenue that are of no ride"})
    due_cents = fields.Integer(metadata={"description": "the operator's revenue of the day in the books"})
    lines = fields.List(fields.Nested(OperatorSettlementLineSchema))
    others = fields.List(fields.Nested(OtherMovementSchema))
