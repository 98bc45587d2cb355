"""Blanks: deliveries, single blanks, the spoilage register."""

from dataclasses import asdict
from typing import Any

from marshmallow import fields, validate

from cardsvc import web
from cardsvc.cards.queries import BlankPage, Reconciliation
from cardsvc.cards.rules import SERIAL_LENGTH_MAX, BlankState, SpoilageReason

SERIALS_MAX = 20_000
NOTE_LENGTH_MAX = 200
_STATES = {"enum": [state.value for state in BlankState]}
_REASONS = {"enum": [reason.value for reason in SpoilageReason]}


class DeliverySchema(web.ApiSchema):
    name = fields.String(required=True, validate=validate.Length(min=1, max=80))
    product = fields.String(required=True, validate=validate.Length(min=1, max=40))
    delivered_by = fields.String(required=True, validate=validate.Length(min=1, max=120))
    delivered_on = fields.Date(required=True)
    delivered = fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        validate=validate.Range(min=1, max=10_000_000),
        metadata={"description": "cards on the delivery note; as many as serials where it is left out"},
    )
    transport_key_reference = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Length(max=120),
        metadata={"description": "where the transport key is kept; never the key"},
    )


class TakeInSchema(DeliverySchema):
    serials = fields.List(fields.String(), required=True, validate=validate.Length(max=SERIALS_MAX))
    dry_run = fields.Boolean(load_default=False, metadata={"description": "check every row and write nothing"})


class ReconciliationSchema(web.ApiSchema):
    batch_id = fields.UUID(required=True)
    name = fields.String(required=True)
    product = fields.String(required=True)
    delivered_by = fields.String(required=True)
    delivered_on = fields.Date(required=True)
    transport_key_reference = fields.String(required=True, allow_none=True)
    delivered = fields.Integer(required=True)
    in_stock = fields.Integer(required=True)
    used = fields.Integer(required=True)
    spoiled = fields.Integer(required=True)
    returned = fields.Integer(required=True)
    difference = fields.Integer(
        required=True, metadata={"description": "in stock + used + spoiled + returned - delivered; 0 when it agrees"}
    )


class ReconciliationsSchema(web.ApiSchema):
    deliveries = fields.List(fields.Nested(ReconciliationSchema), required=True)


class BlankSchema(web.ApiSchema):
    serial = fields.String(required=True)
    batch = fields.String(required=True)
    product = fields.String(required=True)
    state = fields.String(required=True, metadata=_STATES)
    card_id = fields.UUID(required=True, allow_none=True)


class BlankListSchema(web.ApiSchema):
    batch = fields.String(load_default=None, validate=validate.Length(max=80))
    state = fields.Enum(BlankState, by_value=True, load_default=None)
    after = fields.String(load_default=None, validate=validate.Length(max=SERIAL_LENGTH_MAX))
    limit = fields.Integer(load_default=100, validate=validate.Range(min=1, max=500))


class BlankPageSchema(web.ApiSchema):
    blanks = fields.List(fields.Nested(BlankSchema), required=True)
    next = fields.String(required=True, allow_none=True, metadata={"description": "the next page's `after`"})


class BlankStepSchema(web.ApiSchema):
    serial = fields.String(required=True)
    to_state = fields.String(required=True, metadata=_STATES)
    card_id = fields.UUID(required=True, allow_none=True)
    actor = fields.UUID(required=True)
    at = fields.AwareDateTime(required=True)
    reason = fields.String(required=True, allow_none=True)
    note = fields.String(required=True, allow_none=True)


class BlankWithHistorySchema(BlankSchema):
    history = fields.List(fields.Nested(BlankStepSchema), required=True)


class SpoilageListSchema(web.ApiSchema):
    since = fields.AwareDateTime(load_default=None)
    limit = fields.Integer(load_default=500, validate=validate.Range(min=1, max=5000))


class SpoilageRegisterSchema(web.ApiSchema):
    spoiled = fields.List(fields.Nested(BlankStepSchema), required=True)


class BlankNoteSchema(web.ApiSchema):
    note = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=NOTE_LENGTH_MAX))


class SpoilageSchema(BlankNoteSchema):
    reason = fields.Enum(SpoilageReason, by_value=True, required=True, metadata=_REASONS)


def shown_delivery(found: Reconciliation) -> dict[str, Any]:
    return {**asdict(found), "difference": found.difference}


def shown_blanks(page: BlankPage) -> dict[str, Any]:
    return {"blanks": [asdict(blank) for blank in page.blanks], "next": page.next}
