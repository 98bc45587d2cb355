"""What the API of the residents' register takes and gives."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from marshmallow import fields, validate
from sqlalchemy.orm import Session

from cardsvc import web
from cardsvc.residents.queries import LookPage, Merge, Pair, Resident, ResidentPage
from cardsvc.residents.rules import ADDRESS_LENGTH_MAX, NAME_LENGTH_MAX, PairState, Registration, ResidentStatus, Sex

DeviceNames = Callable[[Session, Sequence[UUID]], Mapping[UUID, str]]
"""What the terminals are called, by id: the office where somebody looked; app.py says."""

REASON_LENGTH_MAX = 200
LOOKED_UP = "looked up in the register"
PURPOSE = validate.And(
    validate.Length(min=1, max=140), validate.Regexp(r"\s*\S", error="Say why.")
)  # a card's id fits behind it
_NAME = validate.Length(min=1, max=NAME_LENGTH_MAX)


class RegistrationSchema(web.ApiSchema):
    family_name = fields.String(required=True, validate=_NAME)
    given_name = fields.String(required=True, validate=_NAME)
    middle_name = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=NAME_LENGTH_MAX))
    birth_date = fields.Date(required=True)
    sex = fields.Enum(Sex, by_value=True, required=True)
    barangay_code = fields.String(required=True, validate=validate.Length(min=1, max=20))
    address = fields.String(required=True, validate=validate.Length(min=1, max=ADDRESS_LENGTH_MAX))
    mobile = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=20))
    confirmed_distinct = web.Flag(
        load_default=False,
        metadata={"description": "true: this is another person than the one already registered with these names"},
    )


class ResidentSchema(web.ApiSchema):
    id = fields.UUID(required=True)
    number = fields.String(required=True)
    name = fields.String(required=True, metadata={"description": "the whole name, as it is printed"})
    family_name = fields.String(required=True)
    given_name = fields.String(required=True)
    middle_name = fields.String(required=True, allow_none=True)
    birth_date = fields.Date(required=True)
    sex = fields.String(required=True)
    barangay_code = fields.String(required=True)
    address = fields.String(required=True)
    mobile = fields.String(required=True, allow_none=True)
    status = fields.String(required=True)
    merged_into = fields.UUID(
        required=True, allow_none=True, metadata={"description": "whose second entry this is, where it is one"}
    )
    registered_at = fields.AwareDateTime(required=True)


class PurposeSchema(web.ApiSchema):
    purpose = fields.String(
        load_default=LOOKED_UP,
        validate=PURPOSE,
        metadata={"description": "why somebody is looked at; the resident reads it"},
    )


class SearchSchema(PurposeSchema):
    q = fields.String(
        required=True,
        validate=validate.Length(min=1, max=NAME_LENGTH_MAX),
        metadata={"description": "a resident number, or beginnings of words of the names"},
    )
    after = fields.String(load_default=None, validate=validate.Length(max=20))
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))


class ResidentPageSchema(web.ApiSchema):
    residents = fields.List(fields.Nested(ResidentSchema), required=True)
    next = fields.String(required=True, allow_none=True, metadata={"description": "the next page's `after`"})


class StatusSchema(web.ApiSchema):
    status = fields.Enum(ResidentStatus, by_value=True, required=True)
    reason = fields.String(required=True, validate=validate.Length(min=1, max=REASON_LENGTH_MAX))


class PhotoSchema(web.ApiSchema):
    media_type = fields.String(required=True)
    width = fields.Integer(required=True)
    height = fields.Integer(required=True)


class WantedViewSchema(web.ApiSchema):
    purpose = fields.String(required=True, validate=PURPOSE)
    card_id = fields.UUID(load_default=None, allow_none=True, metadata={"description": "the card that was presented"})
    device_id = fields.UUID(load_default=None, allow_none=True, metadata={"description": "the terminal where it is"})


class ViewSchema(web.ApiSchema):
    resident_id = fields.UUID(required=True)
    name = fields.String(required=True)
    number = fields.String(required=True)
    birth_date = fields.Date(required=True)
    status = fields.String(required=True)
    photo = fields.String(required=True, allow_none=True, metadata={"description": "a data URI, null without a photo"})
    shown_at = fields.AwareDateTime(required=True)


class LooksQuerySchema(web.ApiSchema):
    before = fields.Integer(load_default=None, validate=validate.Range(min=1, max=2**62))
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))


class LookSchema(web.ApiSchema):
    at = fields.AwareDateTime(required=True)
    role = fields.String(required=True)
    office = fields.String(required=True, allow_none=True, metadata={"description": "the terminal, if one took part"})
    purpose = fields.String(required=True)
    fields_ = fields.List(fields.String(), required=True, data_key="fields", attribute="fields")


class LookPageSchema(web.ApiSchema):
    looks = fields.List(fields.Nested(LookSchema), required=True)
    next = fields.Integer(required=True, allow_none=True, metadata={"description": "the next page's `before`"})


class PairsQuerySchema(web.ApiSchema):
    state = fields.Enum(PairState, by_value=True, load_default=PairState.OPEN)
    offset = fields.Integer(load_default=0, validate=validate.Range(min=0, max=1_000_000))
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))


class ReasonSchema(web.ApiSchema):
    field = fields.String(required=True)
    agreement = fields.String(required=True)
    weight = fields.Integer(required=True, metadata={"description": "tenths of a power of two"})
    note = fields.String(required=True)


class PairPersonSchema(web.ApiSchema):
    id = fields.UUID(required=True)
    number = fields.String(required=True)
    name = fields.String(required=True)


class PairSchema(web.ApiSchema):
    id = fields.Integer(required=True)
    residents = fields.List(fields.Nested(PairPersonSchema), required=True)
    score = fields.Integer(required=True)
    why = fields.List(fields.Nested(ReasonSchema), required=True)
    state = fields.String(required=True)
    found_at = fields.AwareDateTime(required=True)
    decided_at = fields.AwareDateTime(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)


class PairPageSchema(web.ApiSchema):
    pairs = fields.List(fields.Nested(PairSchema), required=True)
    next = fields.Integer(required=True, allow_none=True, metadata={"description": "the next page's `offset`"})
    total = fields.Integer(required=True)


class PartingSchema(web.ApiSchema):
    reason = fields.String(required=True, validate=validate.Length(min=1, max=REASON_LENGTH_MAX))


class MergeSchema(PartingSchema):
    second_id = fields.UUID(required=True)


class DecisionSchema(PartingSchema):
    keep = fields.UUID(required=True, allow_none=True)


class MergeStepSchema(web.ApiSchema):
    kind = fields.String(required=True)
    resident_id = fields.UUID(required=True)
    into_id = fields.UUID(required=True)
    at = fields.AwareDateTime(required=True)
    actor = fields.UUID(required=True)
    reason = fields.String(required=True)
    score = fields.Integer(required=True, allow_none=True)
    why = fields.List(fields.Nested(ReasonSchema), required=True)


class MergesSchema(web.ApiSchema):
    merges = fields.List(fields.Nested(MergeStepSchema), required=True)


def registration(given: dict[str, Any]) -> Registration:
    """The registration in what `RegistrationSchema` read."""
    return Registration(**{name: value for name, value in given.items() if name != "confirmed_distinct"})


def shown(resident: Resident) -> dict[str, Any]:
    """The resident as `ResidentSchema` writes it."""
    names = [name for name in ResidentSchema._declared_fields if name != "name"]  # noqa: SLF001 - no public name for it
    return {"name": resident.full_name} | {name: getattr(resident, name) for name in names}


def shown_page(page: ResidentPage) -> dict[str, Any]:
    return {"residents": [shown(resident) for resident in page.residents], "next": page.next}


def shown_pair(pair: Pair, people: Mapping[UUID, Resident]) -> dict[str, Any]:
    """The pair as `PairSchema` writes it; `people` has both."""
    two = [people[pair.first_id], people[pair.second_id]]
    return {
        "id": pair.id,
        "residents": [{"id": one.id, "number": one.number, "name": one.full_name} for one in two],
        "score": pair.comparison.score,
        "why": pair.comparison.why,
        "state": pair.state.value,
        "found_at": pair.found_at,
        "decided_at": pair.decided_at,
        "reason": pair.reason,
    }


def shown_merge(step: Merge) -> dict[str, Any]:
    """The step as `MergeStepSchema` writes it."""
    plain = ("kind", "resident_id", "into_id", "at", "actor", "reason")
    compared = step.comparison
    return {name: getattr(step, name) for name in plain} | {
        "score": compared.score if compared else None,
        "why": compared.why if compared else (),
    }


def shown_looks(session: Session, page: LookPage, device_names: DeviceNames) -> dict[str, Any]:
    """Looks as a resident reads them: the role and the office, not the name of whoever did their work there."""
    names = device_names(session, sorted({look.device_id for look in page.looks if look.device_id is not None}))
    return {
        "looks": [
            {
                "at": look.at,
                "role": look.role,
                "office": None if look.device_id is None else names.get(look.device_id),
                "purpose": look.purpose,
                "fields": list(look.fields),
            }
            for look in page.looks
        ],
        "next": page.next,
    }
