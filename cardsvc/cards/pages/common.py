"""What the pages of cards share: the blueprint, who may ask, and whom they name."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from flask import make_response, redirect, render_template, request
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from cardsvc import access, db, residents, web
from cardsvc.access import Role, guard
from cardsvc.errors import CityError

ROOM = str(Path(__file__).parent.parent)  # where this room's templates are
pages = web.PageBlueprint("card_pages", __name__, root_path=ROOM)

COUNTER = ("clerk", "card_officer")
OFFICER = "card_officer"
DECIDERS = (OFFICER, "admin")
TEXT_LENGTH_MAX: Final = 150
_SERVICE = UUID(int=0)

People = Mapping[UUID, residents.Resident]


def me() -> UUID:
    """The one who asks."""
    return guard.principal().subject_id


def is_officer() -> bool:
    return Role.CARD_OFFICER in guard.principal().roles


def page(template: str, **given: object) -> str:
    """A page for staff, whose roles decide what its bar offers."""
    return render_template(template, roles=guard.principal().roles, **given)


def people(session: Session, resident_ids: Iterable[UUID], purpose: str) -> People:
    """Names and numbers of these residents, who can read that they were shown, to whom and why.

    Noted in a unit of its own, before anybody sees them. If we stop after it, somebody is noted who saw nothing.
    """
    found = residents.find_many(session, sorted(set(resident_ids)))
    by, now = me(), web.now()

    def note(unit: Session) -> None:
        residents.note_looks(unit, list(found), actor=by, purpose=purpose, fields=("name", "number"), now=now)

    db.run(web.city().engine, note)
    return found


def names(session: Session) -> Callable[[UUID, UUID | None], str]:
    """Who did something, in words: staff by name, the holder of the card, the service itself."""
    staff = {UUID(str(member.id)): member.full_name for member in access.all_staff(session)}

    def name(actor: UUID, holder: UUID | None = None) -> str:
        if actor == _SERVICE:
            return str(gettext("The service itself"))
        if actor == holder:
            return str(gettext("The holder"))
        return staff.get(actor, str(actor))

    return name


def said(name: str) -> str:
    """What was typed into a field, without the blanks around it."""
    return request.form.get(name, "").strip()


def errors(wrong: Mapping[str, str]) -> Callable[[str], tuple[str, ...]]:
    """What is wrong with a field, as `web.Field` takes it."""
    return lambda name: (wrong[name],) if name in wrong else ()


def check_text(wrong: dict[str, str], name: str, *, needed: str = "") -> str:
    """A line of text; `needed` is what to say where it is missing."""
    text = said(name)
    if needed and not text:
        wrong[name] = needed
    if len(text) > TEXT_LENGTH_MAX:
        wrong[name] = gettext("Write at most %(count)s characters.", count=TEXT_LENGTH_MAX)
    return text


def again(show: Callable[[Session], str], status: int = 422) -> BaseResponse:
    """The page once more, with what is wrong. Nothing of this request stays."""
    web.session().rollback()
    return make_response(db.run(web.city().engine, show, read_only=True), status)


def refused(error: CityError, show: Callable[[Session], str]) -> BaseResponse:
    """The page once more, after a verb that refused."""
    return again(show, web.STATUS_OF_KIND[error.kind])


def go(endpoint_path: str) -> BaseResponse:
    """On to the page that shows what was done; a reload there does nothing twice."""
    return redirect(endpoint_path, 303)


def choice(values: Sequence[Any], words: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Choices of a field: each value with its words."""
    return tuple((value.value, words[value.value]) for value in values)
