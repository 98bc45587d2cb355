"""What the API of the terminals takes and gives."""

from typing import Any

from marshmallow import fields, validate

from cardsvc import web
from cardsvc.devices.queries import Device
from cardsvc.devices.rules import INVITED_KINDS, DeviceKind
from crypto.keys import SIGNATURE_BYTES

NAME_LENGTH_MAX = 100
SPKI_BYTES_MAX = 200


class EnrolSchema(web.ApiSchema):
    code = fields.String(required=True, validate=validate.Length(min=1, max=40))
    public_key = web.bytes_field(required=True, size_max=SPKI_BYTES_MAX, metadata={"description": "SPKI, DER, P-256"})
    proof = web.bytes_field(
        required=True,
        size=SIGNATURE_BYTES,
        metadata={"description": 'the key\'s signature over CBOR ["city.enrol", 1, code, public_key]'},
    )


class EnrolmentSchema(web.ApiSchema):
    device_id = fields.UUID(required=True)
    certificate = web.bytes_field(required=True, metadata={"description": "DER"})


class InviteSchema(web.ApiSchema):
    kind = fields.Enum(DeviceKind, by_value=True, required=True, validate=validate.OneOf(INVITED_KINDS))
    name = fields.String(required=True, validate=validate.Length(min=1, max=NAME_LENGTH_MAX))


class CodeSchema(web.ApiSchema):
    code = fields.String(required=True, metadata={"description": "shown once; for one terminal"})


class DeviceSchema(web.ApiSchema):
    id = fields.UUID(required=True)
    kind = fields.String(required=True)
    name = fields.String(required=True)
    status = fields.String(required=True)
    enrolled_at = fields.AwareDateTime(required=True)
    revoked_at = fields.AwareDateTime(required=True, allow_none=True)
    last_sequence = fields.Integer(required=True)


class DeviceListSchema(web.ApiSchema):
    devices = fields.List(fields.Nested(DeviceSchema), required=True)


class HeldSchema(web.ApiSchema):
    number = fields.Integer(required=True, metadata={"description": "of the newest deny list, 0 before the first"})
    held = fields.Integer(required=True, metadata={"description": "denied cards that are not on it"})
    list_hash = fields.String(required=True, metadata={"description": "which: the action to release them names both"})


class DeviceRevocationSchema(web.ApiSchema):
    reason = fields.String(required=True, validate=validate.Length(min=1, max=200))


def shown(device: Device) -> dict[str, Any]:
    """The terminal as `DeviceSchema` writes it."""
    return {name: getattr(device, name) for name in DeviceSchema._declared_fields}  # noqa: SLF001 - no public name
