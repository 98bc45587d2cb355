"""What the API of bank transfers reads and answers."""

from typing import Final

from marshmallow import fields, validate

from cardsvc import transactions, web
from cardsvc.finance.queries import AT_ONCE_MAX

_REFERENCE: Final = {"description": "as the line carries it; null where it carries none"}


class OwnReferenceSchema(web.ApiSchema):
    """What a resident writes into a bank transfer to the city."""

    reference = fields.String(metadata={"description": "ISO 11649, without spaces"})
    printed = fields.String(metadata={"description": "the same in groups of four"})


class TransferLinesSchema(transactions.PasswordSchema):
    line_ids = fields.List(
        fields.UUID(),
        load_default=None,
        validate=validate.Length(1, AT_ONCE_MAX),
        metadata={
            "description": "lines with money that came in; left out: the oldest open ones that carry a reference"
        },
    )


class TransferTakenSchema(transactions.ActedSchema):
    line_id = fields.UUID()
    amount_cents = web.cents_field()
    reference = fields.String(allow_none=True, metadata=_REFERENCE)
    wallet_id = fields.UUID(allow_none=True, metadata={"description": "null where the money waits for staff"})


class TransfersTakenSchema(web.ApiSchema):
    results = fields.List(fields.Nested(TransferTakenSchema), metadata={"description": "one for each line"})
    left = fields.Integer(metadata={"description": "open lines with a reference that are still to be signed in"})


class IncomingTransferSchema(web.ApiSchema):
    line_id = fields.UUID()
    booked_on = fields.Date()
    amount_cents = web.cents_field()
    text = fields.String()
    reference = fields.String(allow_none=True, metadata=_REFERENCE)
    wallet_id = fields.UUID(allow_none=True, metadata={"description": "whose it is; null: it would wait"})
    why = fields.String(metadata={"description": "why it would wait; empty where it would not"})


class WaitingTransferSchema(web.ApiSchema):
    transfer_id = fields.UUID()
    booked_on = fields.Date()
    amount_cents = web.cents_field()
    reference = fields.String(allow_none=True, metadata=_REFERENCE)
    text = fields.String()
    why = fields.String()
    taken_by = fields.UUID()
    taken_at = fields.AwareDateTime()


class TransfersSchema(web.ApiSchema):
    incoming = fields.List(
        fields.Nested(IncomingTransferSchema), metadata={"description": "to be signed in; at most 500"}
    )
    waiting = fields.List(
        fields.Nested(WaitingTransferSchema), metadata={"description": "in nobody's wallet; at most 500"}
    )


class TransferAssignmentSchema(transactions.PasswordSchema):
    wallet_id = fields.UUID(required=True)
    reason = fields.String(
        required=True, validate=validate.Length(min=3, max=200), metadata={"description": "how staff know whose it is"}
    )
