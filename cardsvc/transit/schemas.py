"""What the transit API answers."""

from marshmallow import fields, validate

from cardsvc import web

_ID = validate.Length(1, 64)


class FareSchema(web.ApiSchema):
    network_id = fields.String()
    rider_category = fields.String(metadata={"description": "empty for everybody"})
    product_id = fields.String()
    amount_cents = web.cents_field()
    currency = web.Currency()


class QuoteQuery(web.ApiSchema):
    from_stop = fields.String(data_key="from", required=True, validate=_ID)
    to_stop = fields.String(data_key="to", required=True, validate=_ID)
    at = fields.String(
        required=True,
        validate=validate.Length(10, 40),
        metadata={"description": "when the ride begins: 2027-03-02T07:45 by the agency's clock, or with an offset"},
    )
    arrive = fields.String(
        load_default="", validate=validate.Length(max=40), metadata={"description": "when it ends; without it, at once"}
    )
    network = fields.String(
        load_default="",
        validate=validate.Length(max=64),
        metadata={"description": "needed where several networks serve both stops"},
    )
    categories = fields.List(
        fields.String(validate=_ID),
        data_key="category",
        load_default=list,
        validate=validate.Length(max=10),
        metadata={"description": "categories of riders"},
    )
    medium = fields.String(
        load_default="", validate=validate.Length(max=64), metadata={"description": "without it, the transit card"}
    )


class StepSchema(web.ApiSchema):
    step = fields.String(metadata={"description": "base, concession, cap, rounding, floor"})
    rule = fields.String(metadata={"description": "the row that made it: file, row and id"})
    before = fields.String(metadata={"description": "exact minor units, as a fraction where they are not whole"})
    after = fields.String()


class QuoteLineSchema(web.ApiSchema):
    network = fields.String()
    amount_cents = web.cents_field()
    subsidy_cents = web.cents_field()
    paid_by = fields.String(metadata={"description": "the programme that pays the subsidy to the operator"})
    steps = fields.List(fields.Nested(StepSchema))


class QuoteSchema(web.ApiSchema):
    from_stop = fields.String(data_key="from")
    to_stop = fields.String(data_key="to")
    at = fields.String()
    network = fields.String()
    categories = fields.List(fields.String())
    medium = fields.String()
    tariff_version = fields.Integer()
    currency = web.Currency()
    known = fields.Boolean(metadata={"description": "false: the tariff has no fare for this ride, nothing is charged"})
    total_cents = web.cents_field(allow_none=True)
    total = fields.String(allow_none=True, metadata={"description": "the same in the decimals of the currency"})
    lines = fields.List(fields.Nested(QuoteLineSchema))


class TariffSchema(web.ApiSchema):
    version = fields.Integer()
    valid_from = fields.AwareDateTime()
    default_category = fields.String()
    fares = fields.List(fields.Nested(FareSchema))
