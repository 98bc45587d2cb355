"""What a counter sends and gets for a holder who forgot the PIN."""

from marshmallow import fields, validate

from cardsvc import web
from cardsvc.cards.schemas.life import REASON_LENGTH_MAX
from cardsvc.cards.schemas.secrets import RequestSchema
from crypto.keys import SIGNATURE_BYTES


class PinResetSchema(RequestSchema):
    signature = web.bytes_field(
        required=True, size=SIGNATURE_BYTES, metadata={"description": "9E over city.pin-reset (FORMATS.md 13)"}
    )
    reason = fields.String(
        required=True,
        validate=validate.Length(min=1, max=REASON_LENGTH_MAX),
        metadata={"description": "how the person was identified, and why a new PIN"},
    )


class SealedPukSchema(web.ApiSchema):
    sealed_puk = web.bytes_field(
        required=True, metadata={"description": "the card's PUK, sealed for the request; keep it nowhere"}
    )
