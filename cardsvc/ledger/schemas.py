"""What the API of the books reads and answers."""

from marshmallow import fields, validate

from cardsvc import web
from cardsvc.ledger.rules.periods import PeriodState, PeriodVerb

_LINE = validate.Length(min=1, max=200)


class ChartVersionSchema(web.ApiSchema):
    number = fields.Integer()
    adopted_at = fields.AwareDateTime()
    adopted_by = fields.UUID(allow_none=True, metadata={"description": "null: it came with the software"})
    action_id = fields.UUID(allow_none=True, metadata={"description": "the action that two people signed"})


class ChartSchema(web.ApiSchema):
    document = fields.String(metadata={"description": "the chart in force, in TOML"})
    versions = fields.List(fields.Nested(ChartVersionSchema), metadata={"description": "the newest first"})


class ChartDocumentSchema(web.ApiSchema):
    document = fields.String(required=True, validate=validate.Length(min=1, max=512 * 1024))


class ChartChangesSchema(web.ApiSchema):
    added = fields.List(fields.String())
    changed = fields.List(fields.String(), metadata={"description": "another title, code, group or rule for vouchers"})
    retired = fields.List(fields.String())
    removed = fields.List(fields.String(), metadata={"description": "such as never had an account"})


class ProposedSchema(web.ApiSchema):
    """An action of two that waits for its signatures at /v1/actions/<action_id>."""

    action_id = fields.UUID(attribute="id")
    summary = fields.String()
    expires_at = fields.AwareDateTime()


class PeriodEventSchema(web.ApiSchema):
    verb = fields.String(metadata={"enum": [verb.value for verb in PeriodVerb]})
    done_at = fields.AwareDateTime()
    done_by = fields.UUID(metadata={"description": "who signed second, where it takes two"})
    action_id = fields.UUID(allow_none=True)
    reason = fields.String(allow_none=True)
    log_size = fields.Integer(
        allow_none=True, metadata={"description": "leaves that the published log had at the close"}
    )
    balance_hash = web.bytes_field(allow_none=True)


class PeriodSchema(web.ApiSchema):
    month = fields.String(metadata={"example": "2026-10"})
    state = fields.String(metadata={"enum": [state.value for state in PeriodState]})
    events = fields.List(fields.Nested(PeriodEventSchema), metadata={"description": "the oldest first"})


class PeriodsSchema(web.ApiSchema):
    periods = fields.List(fields.Nested(PeriodSchema), metadata={"description": "the newest first"})


class BooksReasonSchema(web.ApiSchema):
    reason = fields.String(required=True, validate=validate.Length(min=3, max=200))


class ClosingLineSchema(web.ApiSchema):
    code = fields.String(metadata={"description": "interfund:<fund> is what a fund owes to the others"})
    fund = fields.String()
    currency = fields.String()
    accounts = fields.Integer(metadata={"description": "how many accounts stand behind a control account"})
    debit_cents = web.cents_field()
    credit_cents = web.cents_field()


class ClosingBalanceSchema(web.ApiSchema):
    month = fields.String()
    lines = fields.List(fields.Nested(ClosingLineSchema))


class AssertionSchema(web.ApiSchema):
    id = fields.UUID()
    account_code = fields.String()
    day = fields.Date()
    asserted_cents = web.cents_field(metadata={"description": "natural: positive on the account's own side"})
    found_cents = web.cents_field(metadata={"description": "what the books said when it was asserted"})
    difference_cents = web.cents_field(metadata={"description": "asserted less found"})
    held = fields.Boolean()
    document = fields.String()
    asserted_by = fields.UUID()
    asserted_at = fields.AwareDateTime()
    withdrawn_by = fields.UUID(allow_none=True)
    withdrawn_at = fields.AwareDateTime(allow_none=True)
    withdrawn_why = fields.String(allow_none=True)


class AssertionsSchema(web.ApiSchema):
    assertions = fields.List(fields.Nested(AssertionSchema), metadata={"description": "the newest first"})


class AssertionSearchSchema(web.ApiSchema):
    account_code = fields.String(load_default=None, validate=validate.Length(min=1, max=200))


class NewAssertionSchema(web.ApiSchema):
    account_code = fields.String(required=True, validate=_LINE)
    day = fields.Date(required=True)
    balance_cents = web.cents_field(required=True, metadata={"description": "natural, at the end of the day"})
    document = fields.String(
        required=True, validate=_LINE, metadata={"description": "the bank statement or the count that says so"}
    )
