"""What the API answers about passes."""

from marshmallow import fields

from cardsvc import web


class OfferSchema(web.ApiSchema):
    pass_id = fields.String()
    name = fields.String()
    networks = fields.List(fields.String(), metadata={"description": "where it is good; empty: on every network"})
    amount_cents = web.cents_field()
    days = fields.Integer(allow_none=True, metadata={"description": "fare days from its first one; null: no end"})
    rides = fields.Integer(allow_none=True, metadata={"description": "null: any number"})


class OnSaleSchema(web.ApiSchema):
    tariff_version = fields.Integer(allow_none=True, metadata={"description": "null: no tariff is in force"})
    currency = web.Currency()
    begins_first = fields.Date(allow_none=True, metadata={"description": "the fare day of now"})
    begins_last = fields.Date(allow_none=True, metadata={"description": "the last fare day on which one may begin"})
    passes = fields.List(fields.Nested(OfferSchema))


class HoldingSchema(web.ApiSchema):
    holding_id = fields.UUID(metadata={"description": "the record that bought it"})
    pass_id = fields.String()
    name = fields.String()
    networks = fields.List(fields.String())
    valid_from = fields.AwareDateTime()
    valid_to = fields.AwareDateTime(allow_none=True, metadata={"description": "excluded; null: it has no end"})
    rides = fields.Integer(allow_none=True)
    rides_left = fields.Integer(allow_none=True, metadata={"description": "null: any number"})
    amount_cents = web.cents_field()
    tariff_version = fields.Integer(metadata={"description": "that it was bought by"})


class HoldingsSchema(web.ApiSchema):
    passes = fields.List(fields.Nested(HoldingSchema))
