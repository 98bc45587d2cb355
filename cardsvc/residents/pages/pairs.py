"""Residents who may be one person entered twice: a list, the two side by side, the decision, and its undoing."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from flask import make_response, redirect, render_template, request, url_for
from flask_babel import format_date, gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from cardsvc import access, db, web
from cardsvc.access import Role, guard
from cardsvc.errors import CityError
from cardsvc.residents import actions, queries
from cardsvc.residents.actions import Holdings
from cardsvc.residents.pages.looks import ROOM
from cardsvc.residents.queries import Pair, Resident
from cardsvc.residents.rules import PairState

READERS: Final = ("clerk", "card_officer")
PAIRS_A_PAGE: Final = 25
REASON_LENGTH_MAX: Final = 150
FIRST, SECOND, TWO_PEOPLE = "first", "second", "two"
_LIST_SHOWS: Final = ("name", "number")
_PAIR_SHOWS: Final = ("name", "number", "birth_date", "sex", "barangay_code", "address", "mobile", "status", "photo")


@dataclass(frozen=True, slots=True)
class PairLine:
    """A pair in the list."""

    pair: Pair
    first: Resident
    second: Resident


@dataclass(frozen=True, slots=True)
class FieldLine:
    """One field of both entries. `agreement` is "" where it was not weighed; `note` says more about the weight."""

    label: str
    first: str
    second: str
    agreement: str
    weight: int
    note: str


@dataclass(frozen=True, slots=True)
class Undoing:
    """What undoing needs to know: the entry that became a second one, and who decided that."""

    merged: Resident
    kept: Resident


def make_pairs(holdings: Holdings) -> web.PageBlueprint:
    """The pages for staff; `holdings` says what an entry still has that a merge would strand."""
    blueprint = web.PageBlueprint("pair_pages", __name__, root_path=ROOM, url_prefix="/residents/pairs")
    _add_reading(blueprint)
    _add_deciding(blueprint, holdings)
    return blueprint


def _add_reading(blueprint: web.PageBlueprint) -> None:
    @blueprint.get("")
    @guard.requires(*READERS)
    def listed() -> str:
        state = next((each for each in PairState if each.value == request.args.get("state")), PairState.OPEN)
        return _list(web.session(), state, max(0, request.args.get("offset", 0, type=int)))

    @blueprint.get("/<int:pair_id>")
    @guard.requires(*READERS)
    def pair(pair_id: int) -> str:
        return _show(web.session(), pair_id, {})


def _add_deciding(blueprint: web.PageBlueprint, holdings: Holdings) -> None:
    @blueprint.post("/<int:pair_id>/decision")
    @guard.requires("clerk")
    def decide(pair_id: int) -> BaseResponse:
        """One person, whose one entry stays; or two people."""
        wrong: dict[str, str] = {}
        reason, decision = _reason(wrong), request.form.get("decision", "")
        if decision not in {FIRST, SECOND, TWO_PEOPLE}:
            wrong["decision"] = gettext("Choose one.")
        if wrong:
            return _again(pair_id, wrong, 422)
        try:
            _decide(pair_id, decision, reason, holdings)
        except CityError as error:
            return _again(pair_id, {"decision": str(error)}, web.STATUS_OF_KIND[error.kind])
        return redirect(url_for("pair_pages.pair", pair_id=pair_id), 303)

    @blueprint.post("/<int:pair_id>/parting")
    @guard.requires("clerk")
    def undo(pair_id: int) -> BaseResponse:
        """The two are two again; the pair counts as two people from now on."""
        wrong: dict[str, str] = {}
        reason = _reason(wrong)
        if wrong:
            return _again(pair_id, wrong, 422)
        try:
            _part(pair_id, reason)
        except CityError as error:
            return _again(pair_id, {"reason": str(error)}, web.STATUS_OF_KIND[error.kind])
        return redirect(url_for("pair_pages.pair", pair_id=pair_id), 303)


def _decide(pair_id: int, decision: str, reason: str, holdings: Holdings) -> None:
    session, by, now = web.session(), guard.principal().subject_id, web.now()
    found = queries.pair(session, pair_id)
    keep = {FIRST: found.first_id, SECOND: found.second_id}.get(decision)
    actions.decide_pair(session, pair_id, keep=keep, by=by, reason=reason, now=now, holdings=holdings)


def _part(pair_id: int, reason: str) -> None:
    session = web.session()
    undoing = _undoing(session, queries.pair(session, pair_id))
    if undoing is not None:
        actions.part(session, undoing.merged.id, by=guard.principal().subject_id, reason=reason, now=web.now())


def _again(pair_id: int, wrong: Mapping[str, str], status: int) -> BaseResponse:
    """The page once more, with what is wrong; nothing of this request stays."""
    web.session().rollback()
    shown = db.run(web.city().engine, lambda session: _show(session, pair_id, wrong), read_only=True)
    return make_response(shown, status)


def _reason(wrong: dict[str, str]) -> str:
    reason = " ".join(request.form.get("reason", "").split())
    if not reason:
        wrong["reason"] = gettext("Say why, so that others can follow.")
    if len(reason) > REASON_LENGTH_MAX:
        wrong["reason"] = gettext("Write at most %(count)s characters.", count=REASON_LENGTH_MAX)
    return reason


def _people(session: Session, pairs: Sequence[Pair], fields: Sequence[str]) -> dict[UUID, Resident]:
    """Everybody in the pairs, on the record before they are shown: a unit of its own. If we stop after it, somebody is
    noted who saw nothing.
    """
    ids = sorted({one for pair in pairs for one in (pair.first_id, pair.second_id)})
    by, now = guard.principal().subject_id, web.now()

    def note(unit: Session) -> None:
        actions.note_looks(unit, ids, actor=by, purpose="looking for second entries", fields=fields, now=now)

    db.run(web.city().engine, note)
    return queries.find_many(session, ids)


def _list(session: Session, state: PairState, offset: int) -> str:
    page = queries.pairs(session, state=state, offset=offset, limit=PAIRS_A_PAGE)
    people = _people(session, page.pairs, _LIST_SHOWS)
    return render_template(
        "residents/pairs.html",
        roles=guard.principal().roles,
        lines=[PairLine(pair, people[pair.first_id], people[pair.second_id]) for pair in page.pairs],
        total=page.total,
        state=state.value,
        next_url=url_for("pair_pages.listed", state=state.value, offset=page.next) if page.next else "",
        first_url=url_for("pair_pages.listed", state=state.value) if offset else "",
    )


def _show(session: Session, pair_id: int, wrong: Mapping[str, str]) -> str:
    found = queries.pair(session, pair_id)
    people = _people(session, [found], _PAIR_SHOWS)
    first, second = people[found.first_id], people[found.second_id]
    is_clerk = Role.CLERK in guard.principal().roles
    decided_by = None if found.decided_by is None else access.staff(session, access.StaffId(found.decided_by))
    undoing = _undoing(session, found)
    return render_template(
        "residents/pair.html",
        roles=guard.principal().roles,
        pair=found,
        first=first,
        second=second,
        photos=[_photo(session, one) for one in (first, second)],
        lines=_lines(found, first, second),
        fields=_fields(first, second, wrong) if is_clerk and found.state is PairState.OPEN else [],
        undoing=undoing,
        undo_fields=[_reason_field(wrong)] if is_clerk and undoing is not None else [],
        decided_by=decided_by.full_name if decided_by else "",
    )


def _photo(session: Session, person: Resident) -> str:
    photo = queries.photo(session, person.id)
    return "" if photo is None else f"data:{photo.media_type};base64,{base64.b64encode(photo.content).decode()}"


def _undoing(session: Session, pair: Pair) -> Undoing | None:
    """The merge of these two that can be undone."""
    two = [queries.find(session, one) for one in (pair.first_id, pair.second_id)]
    for merged, kept in (two, reversed(two)):
        if merged.merged_into == kept.id:
            return Undoing(merged, kept)
    return None


def _fields(first: Resident, second: Resident, wrong: Mapping[str, str]) -> list[web.Field]:
    choices = (
        (FIRST, gettext("One person: keep %(number)s", number=first.number)),
        (SECOND, gettext("One person: keep %(number)s", number=second.number)),
        (TWO_PEOPLE, gettext("Two different people")),
    )
    errors = (wrong["decision"],) if "decision" in wrong else ()
    given = request.form.get("decision", "")
    decision = web.Field("decision", gettext("Your decision"), "radios", "", given, errors, choices)
    return [decision, _reason_field(wrong)]


def _reason_field(wrong: Mapping[str, str]) -> web.Field:
    errors = (wrong["reason"],) if "reason" in wrong else ()
    return web.Field("reason", gettext("Why"), value=request.form.get("reason", ""), errors=errors, autocomplete="off")


def _lines(pair: Pair, first: Resident, second: Resident) -> list[FieldLine]:
    """Every field of both, with what the comparison said about it when the pair was found."""
    weighed = {reason.field: reason for reason in pair.comparison.why}
    labels = {
        "family_name": gettext("Family name"),
        "given_name": gettext("Given name"),
        "middle_name": gettext("Middle name"),
        "birth_date": gettext("Birth date"),
        "sex": gettext("Sex"),
        "barangay_code": gettext("Barangay"),
        "address": gettext("Address"),
        "mobile": gettext("Mobile number"),
        "suffix": gettext("Jr., Sr."),
    }
    lines = []
    for field, label in labels.items():
        reason = weighed.get(field)
        if field == "suffix" and (reason is None or not reason.weight):
            continue  # a part of the names above, shown where it weighs
        texts = (_text(first, field), _text(second, field))
        lines.append(
            FieldLine(
                label,
                *texts,
                reason.agreement.value if reason else "",
                reason.weight if reason else 0,
                reason.note if reason else "",
            )
        )
    return lines


def _text(person: Resident, field: str) -> str:
    if field == "birth_date":
        return str(format_date(person.birth_date, "medium", rebase=False))
    if field == "suffix":
        return ""
    if field == "sex":
        return str({"F": gettext("Female"), "M": gettext("Male")}.get(person.sex.value, person.sex.value))
    return str(getattr(person, field) or "")
