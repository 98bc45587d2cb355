"""What the API of automatic top-ups reads and answers."""

from marshmallow import fields, validate

from cardsvc import web
from cardsvc.finance.rules.mandates import CENTS_MAX, DAY_MAX


class MandateTermsSchema(web.ApiSchema):
    """What a holder agrees to."""

    source = fields.String(
        required=True,
        validate=validate.Length(min=1, max=32),
        metadata={"description": "one of the wallet's purses, for anything and without an end"},
    )
    threshold_cents = web.cents_field(
        required=True, least=1, most=CENTS_MAX, metadata={"description": "money comes when the balance is below this"}
    )
    amount_cents = web.cents_field(required=True, least=1, most=CENTS_MAX)
    day_max = fields.Integer(
        load_default=1,
        strict=True,
        validate=validate.Range(1, DAY_MAX),
        metadata={"description": "times a day at most"},
    )


class ConsentedMandateSchema(MandateTermsSchema):
    """The same, given by staff for the holder."""

    consent = fields.String(
        required=True,
        validate=validate.Length(min=3, max=200),
        metadata={"description": "how staff know that the holder agrees"},
    )


class MandateSchema(web.ApiSchema):
    mandate_id = fields.UUID()
    wallet_id = fields.UUID()
    source = fields.String()
    threshold_cents = web.cents_field()
    amount_cents = web.cents_field()
    day_max = fields.Integer()
    given_at = fields.AwareDateTime()
