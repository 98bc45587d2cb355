"""What the finance API reads and answers."""

from marshmallow import fields, validate

from cardsvc import transactions, web
from crypto.wire.wallets import PURPOSES


class DepositSchema(transactions.PasswordSchema):
    amount_cents = web.money_field(required=True)
    currency = web.Currency(required=True)
    reference = fields.String(required=True, validate=validate.Length(min=1, max=64))


class FundingSchema(DepositSchema):
    account_code = fields.String(
        required=True,
        validate=validate.Length(min=1, max=64),
        metadata={"description": "the ledger account of the source: equity:general, benefits:<code>:fund"},
    )


class ReversalSchema(transactions.PasswordSchema):
    entry_id = fields.UUID(required=True)
    reason = fields.String(required=True, validate=validate.Length(min=3, max=200))
    booked_on = fields.Date(load_default=None, metadata={"description": "the accounting date; left out: today"})


class JournalLineSchema(web.ApiSchema):
    account_code = fields.String(required=True, validate=validate.Length(min=1, max=128))
    amount_cents = web.cents_field(required=True, metadata={"description": "debit positive"})


class VoucherSchema(web.ApiSchema):
    fund = fields.String(required=True, validate=validate.OneOf(["general", "sef", "trust"]))
    booked_on = fields.Date(required=True)
    particulars = fields.String(required=True, validate=validate.Length(min=3, max=200))
    document = fields.String(
        required=True, validate=validate.Length(min=1, max=64), metadata={"description": "what supports it"}
    )
    lines = fields.List(
        fields.Nested(JournalLineSchema),
        load_default=None,
        validate=validate.Length(min=2, max=50),
        metadata={"description": "sum to zero; left out where it reverses an entry: that entry's, turned round"},
    )
    reverses = fields.UUID(load_default=None, metadata={"description": "the entry that it takes back"})


class ProposedVoucherSchema(web.ApiSchema):
    """An action of two that waits for its signatures at /v1/actions/<action_id>; its id will be the entry's."""

    action_id = fields.UUID(attribute="id")
    summary = fields.String()
    expires_at = fields.AwareDateTime()


class LineSchema(web.ApiSchema):
    id = fields.UUID()
    booked_on = fields.Date()
    amount_cents = web.cents_field(metadata={"description": "money into the account is positive"})
    currency = fields.String()
    references = fields.List(fields.String())
    text = fields.String()
    state = fields.String(metadata={"enum": ["open", "matched", "exception"]})
    why = fields.String(metadata={"description": "why it was matched, or why not"})
    matched_entry = fields.UUID(allow_none=True)


class StatementSchema(web.ApiSchema):
    id = fields.UUID()
    account = fields.String()
    reference = fields.String()
    opening_cents = web.cents_field(allow_none=True)
    closing_cents = web.cents_field(allow_none=True)
    ledger_cents = web.cents_field(allow_none=True, metadata={"description": "the books at the end of the last day"})
    difference_cents = web.cents_field(allow_none=True, metadata={"description": "bank less books"})
    opening_gap_cents = web.cents_field(allow_none=True, metadata={"description": "less the last closing balance"})
    from_date = fields.Date(allow_none=True)
    to_date = fields.Date(allow_none=True)
    pending_count = fields.Integer()
    lines = fields.List(fields.Nested(LineSchema))


class TrialBalanceLineSchema(web.ApiSchema):
    code = fields.String()
    kind = fields.String()
    fund = fields.String()
    currency = fields.String()
    accounts = fields.Integer(metadata={"description": "how many accounts stand behind a control account"})
    debit_cents = web.cents_field()
    credit_cents = web.cents_field()


class TrialBalanceSchema(web.ApiSchema):
    difference_cents = web.cents_field(metadata={"description": "debits less credits: zero, or the books are wrong"})
    lines = fields.List(fields.Nested(TrialBalanceLineSchema))


_PURPOSE = validate.OneOf(PURPOSES)


class PlaceSchema(transactions.PasswordSchema):
    amount_cents = web.money_field(required=True)
    currency = web.Currency(required=True)
    beneficiary = fields.String(
        required=True,
        validate=validate.Length(min=1, max=64),
        metadata={"description": "the ledger account that captures credit: revenue:fees, revenue:transit:<agency>"},
    )
    purpose = fields.String(load_default="any", validate=_PURPOSE, metadata={"description": "which purses may pay"})
    reason = fields.String(required=True, validate=validate.Length(min=3, max=200))
    expires_at = fields.AwareDateTime(required=True, metadata={"description": "the moment at which the rest goes back"})
    limit_cents = web.money_field(load_default=None, metadata={"description": "the most that captures take together"})


class CaptureSchema(transactions.PasswordSchema):
    amount_cents = web.money_field(required=True)
    currency = web.Currency(required=True)
    final = fields.Boolean(load_default=False, metadata={"description": "the rest goes back in the same entry"})


class ReleaseSchema(transactions.PasswordSchema):
    amount_cents = web.money_field(required=True, metadata={"description": "what is left, all of it"})
    currency = web.Currency(required=True)


class HoldSchema(web.ApiSchema):
    hold_id = fields.UUID()
    wallet_id = fields.UUID()
    beneficiary = fields.String()
    purpose = fields.String()
    placed_cents = web.cents_field()
    captured_cents = web.cents_field()
    left_cents = web.cents_field()
    limit_cents = web.cents_field()
    placed_at = fields.AwareDateTime()
    expires_at = fields.AwareDateTime(allow_none=True)
    ended_at = fields.AwareDateTime(allow_none=True)
    age_days = fields.Integer(metadata={"description": "whole days since it was placed, until now or its end"})


class HoldsSchema(web.ApiSchema):
    holds = fields.List(fields.Nested(HoldSchema), metadata={"description": "the oldest first; at most 500"})
    left_cents = web.cents_field(metadata={"description": "held in these together"})


class HoldSearchSchema(web.ApiSchema):
    ended_too = fields.Boolean(load_default=False)


class PurseFundingSchema(transactions.PasswordSchema):
    name = fields.String(required=True, validate=validate.Regexp(r"^[a-z0-9][a-z0-9-]{0,31}\Z"))
    purpose = fields.String(required=True, validate=_PURPOSE)
    amount_cents = web.money_field(required=True)
    currency = web.Currency(required=True)
    source = fields.String(
        required=True,
        validate=validate.Length(min=1, max=64),
        metadata={"description": "a programme's fund, benefits:<code>:fund; the rest returns there"},
    )
    expires_at = fields.AwareDateTime(load_default=None, metadata={"description": "spent until then, excluded"})
    priority = fields.Integer(load_default=0, validate=validate.Range(0, 1000))


class PurseSchema(web.ApiSchema):
    name = fields.String()
    purpose = fields.String()
    balance_cents = web.cents_field()
    currency = fields.String()
    expires_at = fields.AwareDateTime(allow_none=True)
    expired = fields.Boolean()
    priority = fields.Integer()


class PursesSchema(web.ApiSchema):
    purses = fields.List(
        fields.Nested(PurseSchema), metadata={"description": "with money in them; the last is the main account"}
    )
    held_cents = web.cents_field()
    owed_cents = web.cents_field()
