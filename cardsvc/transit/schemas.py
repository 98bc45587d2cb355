"""What the transit API answers."""

from marshmallow import fields

from cardsvc import web


class FareSchema(web.ApiSchema):
    network_id = fields.String()
    rider_category = fields.String(metadata={"description": "empty for everybody"})
    product_id = fields.String()
    amount_cents = web.cents_field()
    currency = web.Currency()


class TariffSchema(web.ApiSchema):
    version = fields.Integer()
    valid_from = fields.AwareDateTime()
    default_category = fields.String()
    fares = fields.List(fields.Nested(FareSchema))
