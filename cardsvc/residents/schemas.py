"""What the API of the residents' register takes and gives."""

from typing import Any

from marshmallow import fields, validate

from cardsvc import web
from cardsvc.residents.queries import Resident, ResidentPage
from cardsvc.residents.rules import ADDRESS_LENGTH_MAX, NAME_LENGTH_MAX, Registration, ResidentStatus, Sex

REASON_LENGTH_MAX = 200
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
    registered_at = fields.AwareDateTime(required=True)


class SearchSchema(web.ApiSchema):
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


def registration(given: dict[str, Any]) -> Registration:
    """The registration in what `RegistrationSchema` read."""
    return Registration(**{name: value for name, value in given.items() if name != "confirmed_distinct"})


def shown(resident: Resident) -> dict[str, Any]:
    """The resident as `ResidentSchema` writes it."""
    names = [name for name in ResidentSchema._declared_fields if name != "name"]  # noqa: SLF001 - no public name for it
    return {"name": resident.full_name} | {name: getattr(resident, name) for name in names}


def shown_page(page: ResidentPage) -> dict[str, Any]:
    return {"residents": [shown(resident) for resident in page.residents], "next": page.next}
