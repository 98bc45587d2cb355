"""What the API answers about batches and queries."""

from marshmallow import fields

from cardsvc import web


class ItemResultSchema(web.ApiSchema):
    record_id = fields.UUID(allow_none=True, metadata={"description": "null where the item could not be read"})
    outcome = fields.String(metadata={"enum": ["accepted", "rejected"]})
    reason = fields.String(allow_none=True, metadata={"description": "a code of crypto/FORMATS.md, null if accepted"})
    detail = fields.String(allow_none=True, metadata={"description": "one sentence for the person at the terminal"})
    replayed = fields.Boolean(metadata={"description": "true where this was known before; the first answer again"})
    receipt = web.bytes_field(allow_none=True, metadata={"description": "null where no key stands behind the item"})


class BatchAnswerSchema(web.ApiSchema):
    batch_id = fields.UUID()
    results = fields.List(fields.Nested(ItemResultSchema), metadata={"description": "one for each item, in order"})


class QueryAnswerSchema(web.ApiSchema):
    sections = fields.Dict(keys=fields.String(), metadata={"description": "each room's part, by name"})
