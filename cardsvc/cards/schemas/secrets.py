"""What a counter sends and gets where a secret of a card is in it."""

from typing import Any

from marshmallow import fields, validate

from cardsvc import web
from cardsvc.cards.actions import Instructions
from cardsvc.cards.rules import CHALLENGE_BYTES, DEFAULT_PRODUCT, SERIAL_LENGTH_MAX
from crypto.wire.personalisation import REQUEST_BYTES_MAX


class RequestSchema(web.ApiSchema):
    request = web.bytes_field(
        required=True,
        size_max=REQUEST_BYTES_MAX,
        metadata={"description": "the counter's request for the secret, signed by its terminal key (FORMATS.md 13)"},
    )


class BeginSchema(RequestSchema):
    product = fields.String(load_default=DEFAULT_PRODUCT, validate=validate.Length(max=40))
    algorithm = fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        validate=validate.Range(min=0, max=255),
        metadata={"description": "of the card's management key where it is not the product's: 3, 8, 10, 12"},
    )
    blank_serial = fields.String(
        load_default=None, allow_none=True, validate=validate.Length(min=1, max=SERIAL_LENGTH_MAX)
    )


class PrintedSchema(web.ApiSchema):
    name = fields.String(required=True)
    affiliation = fields.String(required=True)
    expires_on = fields.Date(required=True)
    serial = fields.String(required=True)
    issuer = fields.String(required=True)


class InstructionsSchema(web.ApiSchema):
    card_id = fields.UUID(required=True)
    attempt = fields.Integer(required=True)
    sealed_management_key = web.bytes_field(
        required=True,
        metadata={"description": "the card's own 9B key, sealed for the request; keep it nowhere (FORMATS.md 13)"},
    )
    algorithm = fields.Integer(required=True, metadata={"description": "of the management key, SP 800-78-5: 8, 10, 12"})
    challenge = web.bytes_field(required=True, size=CHALLENGE_BYTES)
    expires_on = fields.Date(required=True)
    name = fields.String(required=True, metadata={"description": "to print"})
    number = fields.String(required=True, metadata={"description": "to print"})
    printed = fields.Nested(
        PrintedSchema,
        required=True,
        allow_none=True,
        metadata={"description": "what the chip repeats of the print; null where the city does not write it"},
    )
    face = web.bytes_field(
        required=True, allow_none=True, metadata={"description": "the facial image object (CBEFF), to be written"}
    )


def shown_instructions(instructions: Instructions, sealed: bytes) -> dict[str, Any]:
    """The instructions as `InstructionsSchema` writes them: the management key only sealed."""
    names = [name for name in Instructions.__slots__ if name != "management_key"]
    return {**{name: getattr(instructions, name) for name in names}, "sealed_management_key": sealed}
