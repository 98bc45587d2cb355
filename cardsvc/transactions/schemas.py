"""What the API answers about batches and queries."""

from marshmallow import fields, validate

from cardsvc import web


class ItemResultSchema(web.ApiSchema):
    record_id = fields.UUID(allow_none=True, metadata={"description": "null where the item could not be read"})
    outcome = fields.String(metadata={"enum": ["accepted", "rejected"]})
    reason = fields.String(allow_none=True, metadata={"description": "a code of crypto/FORMATS.md, null if accepted"})
    detail = fields.String(allow_none=True, metadata={"description": "one sentence for the person at the terminal"})
    replayed = fields.Boolean(metadata={"description": "true where this was known before; the first answer again"})
    receipt = web.bytes_field(
        allow_none=True, metadata={"description": "null where no key stands behind the item, or its salt was erased"}
    )


class BatchAnswerSchema(web.ApiSchema):
    batch_id = fields.UUID()
    results = fields.List(fields.Nested(ItemResultSchema), metadata={"description": "one for each item, in order"})


class QueryAnswerSchema(web.ApiSchema):
    sections = fields.Dict(keys=fields.String(), metadata={"description": "each room's part, by name"})


class PasswordSchema(web.ApiSchema):
    password = fields.String(
        required=True,
        load_only=True,
        validate=validate.Length(min=1, max=1000),
        metadata={"description": "opens the signer's key for this one signature"},
    )


class ActedSchema(web.ApiSchema):
    """What became of a staff member's record; its receipt is at /v1/receipts/<record_id>."""

    record_id = fields.UUID()
    outcome = fields.String(metadata={"enum": ["accepted", "rejected"]})
    reason = fields.String(allow_none=True, metadata={"description": "a code of crypto/FORMATS.md"})
    detail = fields.String(allow_none=True)
    replayed = fields.Boolean(metadata={"description": "true where this Idempotency-Key was answered before"})
