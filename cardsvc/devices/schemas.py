"""What the API of the terminals takes and gives."""

from typing import Any

from marshmallow import fields, validate

from cardsvc import web
from cardsvc.devices.queries import ChainReport, Device, SeenFork
from cardsvc.devices.rules import INVITED_KINDS, NOBODY, Clock, DeviceKind
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


class MissingSchema(web.ApiSchema):
    first = fields.Integer(metadata={"description": "sequence of the first record that did not come"})
    last = fields.Integer()
    since = fields.AwareDateTime()


class ClosedGapSchema(web.ApiSchema):
    first = fields.Integer()
    last = fields.Integer()
    seen_at = fields.AwareDateTime()
    closed_at = fields.AwareDateTime(metadata={"description": "when the last of its records came"})


class ForkSchema(web.ApiSchema):
    sequence = fields.Integer()
    why = fields.String(metadata={"enum": ["place", "previous"]})
    record_id = fields.UUID(metadata={"description": "of the record that came"})
    record_hash = fields.String(metadata={"description": "hexadecimal"})
    other_id = fields.UUID(allow_none=True, metadata={"description": "of the one that was there, null if not known"})
    other_hash = fields.String()
    seen_at = fields.AwareDateTime()


class ClockSchema(web.ApiSchema):
    offset_ms = fields.Integer(metadata={"description": "how far the clock runs ahead; behind: negative"})
    drift_ms_a_day = fields.Integer(allow_none=True)
    batches = fields.Integer(metadata={"description": "how many it was estimated from"})
    at = fields.AwareDateTime()
    is_off = fields.Boolean(metadata={"description": "two minutes or more"})


class ChainSchema(web.ApiSchema):
    device_id = fields.UUID()
    name = fields.String()
    kind = fields.String()
    status = fields.String()
    last_sequence = fields.Integer()
    missing_count = fields.Integer()
    overdue = fields.Boolean(metadata={"description": "something was missing for more than 24 hours"})
    missing = fields.List(fields.Nested(MissingSchema))
    closed = fields.List(fields.Nested(ClosedGapSchema))
    forks = fields.List(fields.Nested(ForkSchema))
    clock = fields.Nested(ClockSchema, allow_none=True)


class ChainsSchema(web.ApiSchema):
    chains = fields.List(fields.Nested(ChainSchema))


def chain_shown(chain: ChainReport, clock: Clock | None) -> dict[str, Any]:
    """The report as `ChainSchema` writes it."""
    device = chain.device
    return {
        "device_id": device.id,
        **{name: getattr(device, name) for name in ("name", "kind", "status", "last_sequence")},
        **{name: getattr(chain, name) for name in ("missing_count", "overdue", "missing", "closed")},
        "forks": [_fork(seen) for seen in chain.forks],
        "clock": clock,
    }


def _fork(seen: SeenFork) -> dict[str, Any]:
    fork = seen.fork
    return {
        "sequence": fork.sequence,
        "why": fork.why.value,
        "record_id": fork.record_id,
        "record_hash": fork.record_hash.hex(),
        "other_id": None if fork.other_id == NOBODY else fork.other_id,
        "other_hash": fork.other_hash.hex(),
        "seen_at": seen.seen_at,
    }


def shown(device: Device) -> dict[str, Any]:
    """The terminal as `DeviceSchema` writes it."""
    return {name: getattr(device, name) for name in DeviceSchema._declared_fields}  # noqa: SLF001 - no public name
