"""Cards and the steps of their life."""

from collections.abc import Sequence
from typing import Any

from marshmallow import fields, validate

from cardsvc import web
from cardsvc.cards.actions import Issued
from cardsvc.cards.queries import Card, CardPage, CardStep
from cardsvc.cards.rules import (
    CARD_SLOTS,
    CHALLENGE_BYTES,
    CardState,
    KeyProof,
    ManagementKeyState,
    NewCard,
    OrderKind,
    RevocationReason,
    Tell,
    slot_name,
    slot_of,
)
from crypto.keys import SIGNATURE_BYTES

REASON_LENGTH_MAX = 150
POINT_BYTES_MAX = 133  # the largest point of a standard curve; a point of another than P-256 is refused with a reason


class OrderSchema(web.ApiSchema):
    resident_id = fields.UUID(required=True)
    identity_checked = fields.Boolean(
        load_default=False,
        metadata={"description": "the person was identified anew, from documents; some ends of a card ask for it"},
    )


class CardSchema(web.ApiSchema):
    id = fields.UUID(required=True)
    resident_id = fields.UUID(required=True)
    state = fields.String(required=True, metadata={"enum": [state.value for state in CardState]})
    requested_by = fields.UUID(required=True)
    requested_at = fields.AwareDateTime(required=True)
    approved_by = fields.UUID(required=True, allow_none=True)
    approved_at = fields.AwareDateTime(required=True, allow_none=True)
    personalised_by = fields.UUID(required=True, allow_none=True)
    personalised_at = fields.AwareDateTime(required=True, allow_none=True)
    handed_over_by = fields.UUID(required=True, allow_none=True)
    handed_over_at = fields.AwareDateTime(required=True, allow_none=True)
    product = fields.String(required=True, allow_none=True)
    attempt = fields.Integer(required=True)
    expires_on = fields.Date(required=True, allow_none=True)
    revoked_reason = fields.String(required=True, allow_none=True)
    blocked_at = fields.AwareDateTime(required=True, allow_none=True)
    state_since = fields.AwareDateTime(required=True)
    order_kind = fields.String(required=True, metadata={"enum": [kind.value for kind in OrderKind]})
    replaces = fields.UUID(required=True, allow_none=True, metadata={"description": "the card whose place it takes"})
    management_key = fields.String(required=True, allow_none=True)
    terminal_id = fields.UUID(required=True, allow_none=True)


class CardStepSchema(web.ApiSchema):
    from_state = fields.String(required=True, allow_none=True)
    to_state = fields.String(required=True)
    actor = fields.UUID(required=True)
    at = fields.AwareDateTime(required=True)
    reason = fields.String(required=True, allow_none=True)


class CardWithHistorySchema(CardSchema):
    history = fields.List(fields.Nested(CardStepSchema), required=True)


class CardListSchema(web.ApiSchema):
    resident_id = fields.UUID(load_default=None)
    state = fields.Enum(CardState, by_value=True, load_default=None)
    since_before = fields.AwareDateTime(
        load_default=None, metadata={"description": "only cards that came to their state before this time"}
    )
    after = fields.UUID(load_default=None)
    limit = fields.Integer(load_default=100, validate=validate.Range(min=1, max=500))


class CardPageSchema(web.ApiSchema):
    cards = fields.List(fields.Nested(CardSchema), required=True)
    next = fields.UUID(required=True, allow_none=True, metadata={"description": "the next page's `after`"})


class KeyProofSchema(web.ApiSchema):
    slot = fields.String(required=True, validate=validate.OneOf([slot_name(slot) for slot in CARD_SLOTS]))
    point = web.bytes_field(required=True, size_max=POINT_BYTES_MAX)
    signature = web.bytes_field(required=True, size_max=2 * SIGNATURE_BYTES)


class ProofsSchema(web.ApiSchema):
    keys = fields.List(fields.Nested(KeyProofSchema), required=True, validate=validate.Length(max=10))


class CertificateSchema(web.ApiSchema):
    slot = fields.String(required=True)
    certificate = web.bytes_field(required=True, metadata={"description": "DER"})


class IssuedSchema(web.ApiSchema):
    certificates = fields.List(fields.Nested(CertificateSchema), required=True)
    chuid = web.bytes_field(required=True)
    capabilities = web.bytes_field(required=True, metadata={"description": "the content of 5FC107"})
    discovery = web.bytes_field(required=True, metadata={"description": "the discovery object, 7E and all"})
    printed_information = web.bytes_field(
        required=True, allow_none=True, metadata={"description": "the content of 5FC109; null: not written"}
    )
    security_object = web.bytes_field(
        required=True, allow_none=True, metadata={"description": "the content of 5FC106, signed by the city"}
    )
    challenge = web.bytes_field(required=True, size=CHALLENGE_BYTES)


class SignatureSchema(web.ApiSchema):
    signature = web.bytes_field(required=True, size=SIGNATURE_BYTES)


class ReadbackSchema(SignatureSchema):
    management_key = fields.Enum(
        ManagementKeyState,
        by_value=True,
        load_default=ManagementKeyState.DIVERSIFIED,
        metadata={"description": "kept: the product cannot replace its 9B key; refused in production"},
    )


class PresenceSchema(SignatureSchema):
    challenge = web.bytes_field(
        required=True, size=CHALLENGE_BYTES, metadata={"description": "random, of the asker's making, used once"}
    )


class CardReasonSchema(web.ApiSchema):
    reason = fields.String(required=True, validate=validate.Length(min=1, max=REASON_LENGTH_MAX))


class ResumptionSchema(CardReasonSchema):
    holder_has_it = fields.Boolean(
        load_default=False,
        metadata={"description": "the officer states that the holder has the card in hand; refused without it"},
    )


_CHOSEN = tuple(reason for reason in RevocationReason if reason is not RevocationReason.SUPERSEDED)


class RevocationSchema(web.ApiSchema):
    reason = fields.Enum(
        RevocationReason,
        by_value=True,
        required=True,
        validate=validate.OneOf(_CHOSEN, error="Only a hand-over supersedes a card. Choose another."),
        metadata={"enum": [reason.value for reason in _CHOSEN]},
    )
    note = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=REASON_LENGTH_MAX))


class ReplacementSchema(RevocationSchema):
    identity_checked = fields.Boolean(
        load_default=False,
        metadata={"description": "the person was identified anew, from documents; some reasons ask for it"},
    )


class ConsequenceSchema(web.ApiSchema):
    reason = fields.String(required=True, metadata={"enum": [reason.value for reason in RevocationReason]})
    new_card = fields.String(required=True, metadata={"enum": [answer.value for answer in NewCard]})
    tell = fields.List(fields.String(metadata={"enum": [who.value for who in Tell]}), required=True)
    card = fields.String(required=True)
    wallet = fields.String(required=True)
    order = fields.String(required=True)


class ConsequencesSchema(web.ApiSchema):
    consequences = fields.List(fields.Nested(ConsequenceSchema), required=True)


def proofs(given: Sequence[dict[str, Any]]) -> tuple[KeyProof, ...]:
    """The proofs in what `ProofsSchema` read."""
    return tuple(KeyProof(slot_of(one["slot"]), one["point"], one["signature"]) for one in given)


def shown(card: Card) -> dict[str, Any]:
    """The card as `CardSchema` writes it."""
    return {name: getattr(card, name) for name in Card.__slots__}


def shown_page(page: CardPage) -> dict[str, Any]:
    return {"cards": [shown(card) for card in page.cards], "next": page.next}


def shown_with_history(card: Card, steps: Sequence[CardStep]) -> dict[str, Any]:
    history = [{name: getattr(step, name) for name in CardStep.__slots__} for step in steps]
    return {**shown(card), "history": history}


def shown_issued(issued: Issued) -> dict[str, Any]:
    plain = {name: getattr(issued, name) for name in Issued.__slots__ if name != "certificates"}
    certificates = [{"slot": slot_name(slot), "certificate": issued.certificates[slot]} for slot in CARD_SLOTS]
    return {**plain, "certificates": certificates}
