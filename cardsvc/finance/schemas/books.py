"""What the API of the books reads and answers."""

from collections.abc import Sequence
from typing import Any, Final

from marshmallow import ValidationError, fields, validate, validates_schema

from cardsvc import ledger, transactions, web
from cardsvc.money import AMOUNT_MAX
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
    top_up_reference = fields.String(metadata={"description": "what the holder writes into a bank transfer"})


# ------------------------------------------------------------------------------------------------- reading the books

_PAIRS: Final = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"key": {"type": "string"}, "value": {"type": "string"}},
        "required": ["key", "value"],
    },
}


def pairs_of(metadata: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    """Metadata as the API says it."""
    return [{"key": key, "value": value} for key, value in metadata]


class PlaceQuerySchema(web.ApiSchema):
    """When: `at` is the place of the last entry that counts, `on` the last accounting date; one of them at most."""

    at = fields.Integer(validate=validate.Range(min=-(2**62), max=2**62))
    on = fields.Date(metadata={"description": "everything booked on this day or earlier"})

    @validates_schema
    def check_one(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if "at" in data and "on" in data:
            raise ValidationError("Give a place of the log or a day, not both.", "on")


class TrialBalanceQuerySchema(PlaceQuerySchema):
    fund = fields.Enum(ledger.Fund, by_value=True)
    by_account = fields.Boolean(load_default=False, metadata={"description": "each account, not control accounts"})


class BalancesQuerySchema(PlaceQuerySchema):
    code = fields.List(fields.String(), required=True, validate=validate.Length(min=1, max=100))


class PageQuerySchema(web.ApiSchema):
    """`after` is what the page before gave as `next`."""

    first = fields.Date()
    last = fields.Date()
    by = fields.Enum(ledger.DateBasis, by_value=True, load_default=ledger.DateBasis.BOOKED)
    limit = fields.Integer(load_default=100, validate=validate.Range(min=1, max=500))
    newest_first = fields.Boolean(load_default=False)


class AccountStatementQuerySchema(PageQuerySchema):
    after = fields.String(validate=validate.Length(max=40))


class EntriesQuerySchema(PageQuerySchema):
    after = fields.Integer(validate=validate.Range(min=-(2**62), max=2**62))
    kind = fields.List(
        fields.Integer(validate=validate.OneOf([kind.value for kind in ledger.EntryKind])), load_default=list
    )
    account = fields.String(validate=validate.Length(max=200))
    fund = fields.Enum(ledger.Fund, by_value=True)
    amount_cents = fields.Integer(validate=validate.Range(min=1, max=AMOUNT_MAX))
    entry_id = fields.UUID()
    key = fields.String(validate=validate.Length(min=1, max=200), metadata={"description": "of the metadata"})
    value = fields.String(validate=validate.Length(min=1, max=200), metadata={"description": "of that key"})

    @validates_schema
    def check_pair(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if ("key" in data) != ("value" in data):
            raise ValidationError("Give both the key and the value of the metadata.", "value")


class EntryLineSchema(web.ApiSchema):
    account = fields.String()
    amount_cents = web.cents_field(metadata={"description": "debit positive"})


class EntrySchema(web.ApiSchema):
    seq = fields.Integer(metadata={"description": "its place in the log; below zero: imported, in no log here"})
    entry_id = fields.UUID()
    kind = fields.Integer()
    currency = fields.String()
    happened_at = fields.AwareDateTime()
    recorded_at = fields.AwareDateTime()
    booked_on = fields.Date(allow_none=True, metadata={"description": "null: the day of recording"})
    rule = fields.String()
    reverses = fields.UUID(allow_none=True)
    entry_hash = web.bytes_field()
    metadata = fields.Function(lambda entry: pairs_of(entry.metadata), metadata=_PAIRS)
    lines = fields.List(fields.Nested(EntryLineSchema))


class EntriesSchema(web.ApiSchema):
    entries = fields.List(fields.Nested(EntrySchema))
    next = fields.Integer(allow_none=True, metadata={"description": "goes into `after`"})


class AccountLineSchema(web.ApiSchema):
    entry_id = fields.UUID()
    seq = fields.Integer()
    kind = fields.Integer()
    happened_at = fields.AwareDateTime()
    recorded_at = fields.AwareDateTime()
    booked_on = fields.Date()
    amount_cents = web.cents_field(metadata={"description": "natural: positive on the account's own side"})
    balance_after = web.cents_field()
    counterparts = fields.List(fields.String())
    metadata = fields.Function(lambda line: pairs_of(line.metadata), metadata=_PAIRS)


class AccountStatementSchema(web.ApiSchema):
    opening = web.cents_field()
    lines = fields.List(fields.Nested(AccountLineSchema))
    closing = web.cents_field()
    next = fields.String(allow_none=True)
    brought_forward = web.cents_field(allow_none=True)
    carried_forward = web.cents_field(allow_none=True)


class BalanceSchema(web.ApiSchema):
    code = fields.String()
    balance_cents = web.cents_field(metadata={"description": "natural: positive on the account's own side"})


class BalancesSchema(web.ApiSchema):
    balances = fields.List(fields.Nested(BalanceSchema))


class DayTotalSchema(web.ApiSchema):
    kind = fields.Integer()
    entries = fields.Integer()
    amount_cents = web.cents_field()


class DrawerSchema(web.ApiSchema):
    name = fields.String()
    staff = fields.String()
    opened_at = fields.AwareDateTime()
    closed_at = fields.AwareDateTime(allow_none=True)
    float_cents = web.cents_field()
    cards_cents = web.cents_field(metadata={"description": "taken for cards in this shift, apart from loads"})
    expected_cents = web.cents_field()
    counted_cents = web.cents_field(allow_none=True)
    difference_cents = web.cents_field(allow_none=True)


class BankRowSchema(web.ApiSchema):
    booking_date = fields.Date()
    amount_cents = web.cents_field()
    text = fields.String()
    state = fields.String()
    why = fields.String()
    matched_entry = fields.UUID(allow_none=True)


class ClosingSchema(web.ApiSchema):
    statement_ref = fields.String()
    at = fields.Date()
    bank_cents = web.cents_field()
    ledger_cents = web.cents_field()
    difference_cents = web.cents_field()


class DayQuerySchema(web.ApiSchema):
    after = fields.Integer(validate=validate.Range(min=-(2**62), max=2**62))


class DaySchema(web.ApiSchema):
    day = fields.Date()
    totals = fields.List(fields.Nested(DayTotalSchema))
    trial_difference_cents = web.cents_field()
    drawers = fields.List(fields.Nested(DrawerSchema))
    bank = fields.List(fields.Nested(BankRowSchema))
    closing = fields.Nested(ClosingSchema, allow_none=True)
    entries = fields.List(fields.Nested(EntrySchema))
    next_after = fields.Integer(allow_none=True, metadata={"description": "goes into `after` for more entries"})
