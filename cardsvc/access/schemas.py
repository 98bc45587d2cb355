"""What the API of access takes and gives."""

from marshmallow import fields, validate

from cardsvc import web
from cardsvc.access.rules import PASSWORD_LENGTH_MAX, USERNAME_LENGTH_MAX

RECORD_BYTES_MAX = 4096


class SignInSchema(web.ApiSchema):
    username = fields.String(required=True, validate=validate.Length(min=1, max=USERNAME_LENGTH_MAX))
    password = fields.String(required=True, load_only=True, validate=validate.Length(min=1, max=PASSWORD_LENGTH_MAX))


class SignedInSchema(web.ApiSchema):
    token = fields.String(required=True, metadata={"description": "for Authorization: Bearer; shown once"})
    expires_at = fields.AwareDateTime(required=True)
    roles = fields.List(fields.String(), required=True)
    staff_id = fields.UUID(required=True, allow_none=True, metadata={"description": "null for a resident"})


class StaffSignatureSchema(web.ApiSchema):
    password = fields.String(required=True, load_only=True, validate=validate.Length(min=1, max=PASSWORD_LENGTH_MAX))
    record = web.bytes_field(required=True, size_max=RECORD_BYTES_MAX, metadata={"description": "an encoded record"})


class AuthorisationSchema(web.ApiSchema):
    authorisation = web.Bytes(required=True, metadata={"description": "detached COSE_Sign1, purpose STAFF"})
