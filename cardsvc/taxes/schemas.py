"""What the taxes API answers."""

from marshmallow import fields

from cardsvc import web


class BillSchema(web.ApiSchema):
    id = fields.UUID()
    number = fields.String()
    tdn = fields.String(metadata={"description": "tax declaration number of the property"})
    year = fields.Integer()
    quarter = fields.Integer(allow_none=True, metadata={"description": "null for a whole year"})
    basic_cents = web.cents_field()
    sef_cents = web.cents_field(metadata={"description": "Special Education Fund levy"})
    total_cents = web.cents_field()
    due_on = fields.Date()
    state = fields.String(metadata={"enum": ["open", "paid"]})
    paid_record = fields.UUID(allow_none=True)
    paid_at = fields.AwareDateTime(allow_none=True)


class BillQuerySchema(web.ApiSchema):
    number = fields.String(required=True)


class ImportQuerySchema(web.ApiSchema):
    dry_run = fields.Boolean(load_default=False, metadata={"description": "check every row, store nothing"})


class ImportedSchema(web.ApiSchema):
    import_id = fields.UUID(allow_none=True, metadata={"description": "null for a dry run"})
    bill_count = fields.Integer()
    total_cents = web.cents_field()
    again = fields.Boolean(metadata={"description": "true where this very file was taken before"})
