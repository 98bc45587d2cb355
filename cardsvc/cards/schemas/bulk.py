"""Decisions about many cards."""

from typing import Any

from marshmallow import fields, validate

from cardsvc import web
from cardsvc.cards.queries import BulkPlan
from cardsvc.cards.rules import CARD_IDS_MAX, BulkKind, BulkOrder, CardState, Criteria, RevocationReason
from cardsvc.cards.schemas.life import REASON_LENGTH_MAX, CardSchema, shown

_KINDS = {"enum": [kind.value for kind in BulkKind]}


class CriteriaSchema(web.ApiSchema):
    product = fields.String(load_default=None, allow_none=True, validate=validate.Length(min=1, max=40))
    personalised_from = fields.AwareDateTime(load_default=None, allow_none=True)
    personalised_until = fields.AwareDateTime(load_default=None, allow_none=True, metadata={"description": "excluded"})
    authority = web.bytes_field(
        load_default=None,
        allow_none=True,
        size_max=64,
        metadata={"description": "the key identifier of the card authority, as certificates name it"},
    )
    batch = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Length(min=1, max=80),
        metadata={"description": "the delivery of the cards' blanks"},
    )
    bulk_id = fields.UUID(load_default=None, allow_none=True, metadata={"description": "the cards of that decision"})
    card_ids = fields.List(fields.UUID(), load_default=list, validate=validate.Length(max=CARD_IDS_MAX))


class BulkOrderSchema(web.ApiSchema):
    kind = fields.Enum(BulkKind, by_value=True, required=True, metadata=_KINDS)
    criteria = fields.Nested(CriteriaSchema, required=True)
    reason = fields.String(required=True, validate=validate.Length(min=1, max=REASON_LENGTH_MAX))
    revoked_reason = fields.Enum(RevocationReason, by_value=True, load_default=None, allow_none=True)


class StateCountSchema(web.ApiSchema):
    state = fields.String(required=True, metadata={"enum": [state.value for state in CardState]})
    count = fields.Integer(required=True)
    moves = fields.Boolean(required=True, metadata={"description": "whether the decision takes these along"})


class PlanSchema(web.ApiSchema):
    summary = fields.String(required=True)
    count = fields.Integer(required=True)
    sample = fields.List(fields.Nested(CardSchema), required=True)
    states = fields.List(fields.Nested(StateCountSchema), required=True)
    list_hash = web.bytes_field(required=True, metadata={"description": "SHA-256 over the sorted ids"})


class BulkSchema(web.ApiSchema):
    id = fields.UUID(required=True, metadata={"description": "also of the action that two people sign"})
    kind = fields.String(required=True, metadata=_KINDS)
    reason = fields.String(required=True)
    revoked_reason = fields.String(required=True, allow_none=True)
    criteria = fields.String(required=True)
    card_count = fields.Integer(required=True)
    list_hash = web.bytes_field(required=True)
    proposed_by = fields.UUID(required=True)
    proposed_at = fields.AwareDateTime(required=True)
    approved_by = fields.UUID(required=True, allow_none=True)
    executed_at = fields.AwareDateTime(required=True, allow_none=True)
    changed = fields.Integer(required=True, allow_none=True)


class BulksSchema(web.ApiSchema):
    decisions = fields.List(fields.Nested(BulkSchema), required=True)


class BulkCardsSchema(web.ApiSchema):
    after = fields.UUID(load_default=None)
    limit = fields.Integer(load_default=100, validate=validate.Range(min=1, max=500))


class RenewManySchema(web.ApiSchema):
    after = fields.UUID(load_default=None, allow_none=True)
    limit = fields.Integer(load_default=500, strict=True, validate=validate.Range(min=1, max=2000))


class RenewedManySchema(web.ApiSchema):
    ordered = fields.Integer(required=True)
    skipped = fields.Integer(required=True, metadata={"description": "holders who are not active in the register"})
    next = fields.UUID(required=True, allow_none=True, metadata={"description": "the next call's `after`; null: done"})


def bulk_order(given: dict[str, Any]) -> BulkOrder:
    """The order in what `BulkOrderSchema` read. Raises: CriteriaMissing, InvalidBulk."""
    criteria = {**given["criteria"], "card_ids": tuple(given["criteria"]["card_ids"])}
    return BulkOrder(given["kind"], Criteria(**criteria), given["reason"], given["revoked_reason"])


def shown_plan(plan: BulkPlan) -> dict[str, Any]:
    return {
        "summary": plan.order.summary(plan.count),
        "count": plan.count,
        "sample": [shown(card) for card in plan.sample],
        "states": plan.states,
        "list_hash": plan.list_hash,
    }
