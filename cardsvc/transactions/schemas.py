"""What the API answers about batches and queries."""

from marshmallow import fields, validate

from cardsvc import web


class ItemResultSchema(web.ApiSchema):
    record_id = fields.UUID(allow_none=True, metadata={"description": "null where the item could not be read"})
    outcome = fields.String(metadata={"enum": ["accepted", "rejected"]})
    reason = fields.String(allow_none=True, metadata={"description": "a code of crypto/FORMATS.md, null if accepted"})
    detail = fields.String(allow_none=True, metadata={"description": "one sentence for the person at the terminal"})
    final = fields.Boolean(metadata={"description": "false where the same bytes may be taken later; true if accepted"})
    replayed = fields.Boolean(metadata={"description": "true where this was known before; the first answer again"})
    receipt = web.bytes_field(
        allow_none=True, metadata={"description": "null where no key stands behind the item, or its salt was erased"}
    )
    balance_cents = web.cents_field(
        allow_none=True,
        metadata={
            "description": "what the holder can pay a ride with at `answered_at`: for the accepted taps of a gate only"
        },
    )


class BatchAnswerSchema(web.ApiSchema):
    batch_id = fields.UUID()
    answered_at = fields.AwareDateTime(metadata={"description": "by the service's clock"})
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


class RecordStatusSchema(web.ApiSchema):
    """What became of a record, for whoever knows its id: it names nobody."""

    record_id = fields.UUID()
    outcome = fields.String(metadata={"enum": ["accepted", "rejected"], "description": "the first answer, for ever"})
    reason = fields.String(allow_none=True, metadata={"description": "a code of crypto/FORMATS.md, null if accepted"})
    recorded_at = fields.AwareDateTime()
    dispute = fields.String(
        allow_none=True, metadata={"enum": ["open", "settled", "refused"], "description": "null where nobody disputes"}
    )
    settled_by = fields.UUID(allow_none=True, metadata={"description": "the record under whose id it was posted"})


class DisputeSchema(web.ApiSchema):
    record_id = fields.UUID()
    terminal = fields.String()
    device_id = fields.UUID()
    kind = fields.Integer()
    reason = fields.String(metadata={"enum": ["too_old", "from_the_future"]})
    happened_at = fields.AwareDateTime(metadata={"description": "by the terminal's clock"})
    received_at = fields.AwareDateTime()
    believed_at = fields.AwareDateTime(metadata={"description": "when it would count as made"})
    offset_ms = fields.Integer(allow_none=True, metadata={"description": "how far the clock was thought to run ahead"})
    amount_cents = web.cents_field(allow_none=True, metadata={"description": "as far as the record says one"})
    currency = fields.String(allow_none=True)
    needs_two = fields.Boolean(metadata={"description": "two people settle it: propose the action dispute.decide"})
    twin_of = fields.UUID(
        allow_none=True, metadata={"description": "a record that counts already and seems to be the same thing"}
    )
    approved_action = fields.UUID(allow_none=True, metadata={"description": "what two people signed for settling it"})
    state = fields.String(metadata={"enum": ["open", "settled", "refused"]})
    why = fields.String(allow_none=True)
    decided_by = fields.UUID(allow_none=True)
    decided_at = fields.AwareDateTime(allow_none=True)
    settled_by = fields.UUID(allow_none=True)


class DisputesSchema(web.ApiSchema):
    disputes = fields.List(fields.Nested(DisputeSchema))
    next = fields.UUID(allow_none=True, metadata={"description": "give it as `after` for the page that follows"})


class DisputeSearchSchema(web.ApiSchema):
    state = fields.String(load_default="open", validate=validate.OneOf(["open", "settled", "refused", "all"]))
    after = fields.UUID(load_default=None)
    limit = fields.Integer(load_default=100, validate=validate.Range(1, 500))


_WHY = validate.Length(min=3, max=200)


class SettlementSchema(PasswordSchema):
    reason = fields.String(required=True, validate=_WHY)


class RefusalSchema(web.ApiSchema):
    reason = fields.String(required=True, validate=_WHY)
