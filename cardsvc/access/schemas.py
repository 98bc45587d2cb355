"""What the API of access takes and gives."""

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from cardsvc import web
from cardsvc.access.rules import (
    BINDING_BYTES,
    PASSWORD_LENGTH_MAX,
    TOKEN_LETTERS_MAX,
    USERNAME_LENGTH_MAX,
    ActionState,
    Method,
)
from crypto.keys import SIGNATURE_BYTES
from crypto.wire.action import KIND_LETTERS_MAX
from crypto.wire.login import NONCE_BYTES

RECORD_BYTES_MAX = 4096
CERTIFICATE_BYTES_MAX = 2048


class SignInSchema(web.ApiSchema):
    username = fields.String(required=True, validate=validate.Length(min=1, max=USERNAME_LENGTH_MAX))
    password = fields.String(required=True, load_only=True, validate=validate.Length(min=1, max=PASSWORD_LENGTH_MAX))


class SignedInSchema(web.ApiSchema):
    token = fields.String(required=True, metadata={"description": "for Authorization: Bearer; shown once"})
    expires_at = fields.AwareDateTime(required=True)
    username = fields.String(required=True)
    roles = fields.List(fields.String(), required=True)
    staff_id = fields.UUID(required=True, allow_none=True, metadata={"description": "null for a resident"})


class StaffSignatureSchema(web.ApiSchema):
    password = fields.String(required=True, load_only=True, validate=validate.Length(min=1, max=PASSWORD_LENGTH_MAX))
    record = web.bytes_field(required=True, size_max=RECORD_BYTES_MAX, metadata={"description": "an encoded record"})


class AuthorisationSchema(web.ApiSchema):
    authorisation = web.Bytes(required=True, metadata={"description": "detached COSE_Sign1, purpose STAFF"})


class ChallengeSchema(web.ApiSchema):
    nonce = web.Bytes(required=True, size=NONCE_BYTES)
    binding = web.Bytes(
        required=True, size=BINDING_BYTES, metadata={"description": "kept by whoever asked, and sent with the answer"}
    )
    expires_at = fields.AwareDateTime(required=True)


class CardSignInSchema(web.ApiSchema):
    binding = web.bytes_field(required=True, size=BINDING_BYTES)
    token = fields.String(
        required=True,
        load_only=True,
        validate=validate.Length(min=1, max=TOKEN_LETTERS_MAX),
        metadata={
            "description": "the token's JSON as text, as Web eID's: format, algorithm, unverifiedCertificate, signature"
        },
    )


class OwnSignInSchema(web.ApiSchema):
    handle = fields.String(required=True, metadata={"description": "names it, opens nothing"})
    method = fields.Enum(Method, by_value=True, required=True)
    began_at = fields.AwareDateTime(required=True)
    seen_at = fields.AwareDateTime(required=True)
    expires_at = fields.AwareDateTime(required=True)
    address = fields.String(required=True)
    agent = fields.String(required=True)


class OwnSignInsSchema(web.ApiSchema):
    sign_ins = fields.List(fields.Nested(OwnSignInSchema), required=True)


class StaffMemberSchema(web.ApiSchema):
    id = fields.UUID(required=True)
    username = fields.String(required=True)
    full_name = fields.String(required=True)
    roles = fields.List(fields.String(), required=True)
    is_active = fields.Boolean(required=True)


class StaffListSchema(web.ApiSchema):
    staff = fields.List(fields.Nested(StaffMemberSchema), required=True)


class BindCardSchema(web.ApiSchema):
    binding = web.bytes_field(required=True, size=BINDING_BYTES)
    sign_in_certificate = web.bytes_field(required=True, size_max=CERTIFICATE_BYTES_MAX)
    signature_certificate = web.bytes_field(required=True, size_max=CERTIFICATE_BYTES_MAX)
    sign_in_proof = web.bytes_field(required=True, size=SIGNATURE_BYTES)
    signature_proof = web.bytes_field(required=True, size=SIGNATURE_BYTES)
    password = fields.String(
        load_only=True,
        load_default=None,
        validate=validate.Length(min=1, max=PASSWORD_LENGTH_MAX),
        metadata={"description": "of the person whose card it becomes, also where an administrator binds it"},
    )


class BoundCardSchema(web.ApiSchema):
    id = fields.UUID(required=True)
    staff_id = fields.UUID(required=True)
    card_id = fields.UUID(required=True)
    bound_at = fields.AwareDateTime(required=True)
    unbound_at = fields.AwareDateTime(required=True, allow_none=True)
    unbound_why = fields.String(required=True, allow_none=True)


class BoundCardsSchema(web.ApiSchema):
    cards = fields.List(fields.Nested(BoundCardSchema), required=True)


class ProposalSchema(web.ApiSchema):
    kind = fields.String(required=True, validate=validate.Length(min=1, max=KIND_LETTERS_MAX))
    payload = fields.Dict(keys=fields.String(), required=True, metadata={"description": "what the kind asks for"})


class ActionSearchSchema(web.ApiSchema):
    waiting = fields.Boolean(load_default=False, metadata={"description": "only those that can still be signed"})


class SignedSchema(web.ApiSchema):
    staff_id = fields.UUID(required=True)
    name = fields.String(required=True)
    signed_at = fields.AwareDateTime(required=True)
    roles = fields.List(
        fields.String(), allow_none=True, metadata={"description": "the signer's then; null where not kept yet"}
    )


class ActionSchema(web.ApiSchema):
    id = fields.UUID(required=True)
    kind = fields.String(required=True)
    summary = fields.String(required=True)
    state = fields.Enum(ActionState, by_value=True, required=True)
    proposed_by = fields.UUID(required=True)
    proposer = fields.String(required=True)
    proposed_at = fields.AwareDateTime(required=True)
    expires_at = fields.AwareDateTime(required=True)
    signatures = fields.List(fields.Nested(SignedSchema), required=True)
    ended_by = fields.UUID(required=True, allow_none=True)
    ended_at = fields.AwareDateTime(required=True, allow_none=True)
    action_bytes = web.Bytes(
        required=True, data_key="action", metadata={"description": "what both sign (crypto/FORMATS.md 11)"}
    )


class ActionsSchema(web.ApiSchema):
    actions = fields.List(fields.Nested(ActionSchema), required=True)


class ActionSignatureSchema(web.ApiSchema):
    signature = web.bytes_field(
        load_default=None, size_max=256, metadata={"description": "detached COSE_Sign1 by one's card (9C)"}
    )
    password = fields.String(
        load_only=True, load_default=None, validate=validate.Length(min=1, max=PASSWORD_LENGTH_MAX)
    )

    @validates_schema
    def check(self, given: dict[str, Any], **_context: Any) -> None:
        """Exactly one of the two."""
        if (given.get("signature") is None) == (given.get("password") is None):
            raise ValidationError("Give a card's signature or a password.", "signature")
