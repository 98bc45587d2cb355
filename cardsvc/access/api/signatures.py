"""A staff member's signature, by their own key, on a record that a counter made."""

from typing import Any, cast
from uuid import UUID

from flask.views import MethodView

from cardsvc import access, db, web
from cardsvc.access import guard
from cardsvc.access.rules import Role
from cardsvc.access.schemas import AuthorisationSchema, StaffSignatureSchema
from cardsvc.errors import CityError, ErrorKind
from crypto.wire.transaction import Purpose, Record


class NotSignable(CityError):
    code = "not_signable"
    kind = ErrorKind.UNPROCESSABLE

    def __init__(self) -> None:
        super().__init__("Staff do not sign records of this kind. Update the counter's program.")


class NotYourRecord(CityError):
    code = "not_your_record"
    kind = ErrorKind.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("The record names somebody else as its signer. Sign in as that person, or make a new one.")


def add(blueprint: web.ApiBlueprint) -> None:
    @blueprint.route("/signatures")
    class Signatures(MethodView):
        @guard.requires(*Role)
        @blueprint.arguments(StaffSignatureSchema)
        @blueprint.response(201, AuthorisationSchema)
        @blueprint.fails(429)
        def post(self, given: dict[str, Any]) -> dict[str, Any]:
            """Sign a record made at a counter. The password is asked every time; the record must name its signer."""
            record_bytes: bytes = given["record"]
            if signer_of(record_bytes) != guard.principal().subject_id:
                raise NotYourRecord
            staff_id, password = guard.principal().subject_id, given["password"]
            # a unit that only reads, because opening the key takes a while and nobody who writes must wait for it
            signed = db.run(
                web.city().engine,
                lambda session: access.sign_as(session, staff_id, password, record_bytes),
                read_only=True,
            )
            return {"authorisation": signed}


def signer_of(record_bytes: bytes) -> UUID:
    """Whom the record names as the staff member who signs it. Raises: NotSignable, crypto.errors.MalformedMessage."""
    record = Record.decode(record_bytes)
    handler = web.city().handlers.registry.get(record.kind)
    if handler is None or Purpose.STAFF not in handler.purposes:
        raise NotSignable
    body = handler.body.decode(record)
    if not hasattr(body, "staff_id"):  # a reversal: it is signed here and sent by the service itself, at no counter
        raise NotSignable
    return cast("UUID", body.staff_id)
