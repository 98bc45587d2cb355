"""The dispute queue for finance: a list, and one page for each, where it is settled, refused or put to two people."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from flask import make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from cardsvc import access, web
from cardsvc.access import guard
from cardsvc.db import to_ms
from cardsvc.errors import CityError
from cardsvc.transactions import queries
from cardsvc.transactions.actions import DECIDING, REFUSE, SETTLE, refuse, settlement
from cardsvc.transactions.performing import perform
from cardsvc.transactions.queries import DisputeView
from crypto.wire.ids import uuid7

pages = web.PageBlueprint(
    "dispute_pages", __name__, root_path=str(Path(__file__).parent.parent), url_prefix="/disputes"
)
READERS = ("finance", "treasurer", "auditor")
DECIDERS = ("finance", "treasurer")
A_PAGE = 50
_REASON_MIN, _REASON_MAX = 3, 200


@dataclass(frozen=True, slots=True)
class Line:
    """A dispute in the list, and how long it waits."""

    dispute: DisputeView
    age: timedelta


@pages.get("")
@guard.requires(*READERS)
def listed() -> str:
    """The disputes in a state, the oldest first."""
    state = request.args.get("state", queries.OPEN)
    state = state if state in queries.STATES else queries.OPEN
    after = request.args.get("after", type=UUID)
    found = queries.disputes(web.session(), state=state, after=after, limit=A_PAGE)
    more = len(found) == A_PAGE
    return render_template(
        "transactions/disputes.html",
        lines=[Line(each, web.now() - each.received_at) for each in found],
        state=state,
        states=queries.STATES,
        waiting=queries.disputes_waiting(web.session(), web.now()),
        next_url=url_for(".listed", state=state, after=found[-1].record_id) if more else "",
        roles=guard.principal().roles,
    )


@pages.get("/<uuid:record_id>")
@guard.requires(*READERS)
def one(record_id: UUID) -> str:
    return _page(record_id, "")


@pages.post("/<uuid:record_id>/settle")
@guard.requires(*DECIDERS)
def settle(record_id: UUID) -> BaseResponse:
    """Sign that it counts; sent twice it counts once, because the page carries the new record's id."""
    reason, password = request.form.get("reason", "").strip(), request.form.get("password", "")
    problem = _problem(reason) or ("" if password else gettext("Enter your password: it signs your decision."))
    key = _key()
    if problem or key is None:
        return make_response(_page(record_id, problem or gettext("Open this page again.")), 422)
    by = guard.principal().subject_id
    answer = perform(
        lambda session: settlement(session, record_id, reason=reason, by=by),
        record_id=key,
        staff_id=by,
        password=password,
    )
    if answer["outcome"] != "accepted":
        return make_response(_page(record_id, str(answer["detail"])), 409)
    return redirect(url_for(".one", record_id=record_id))


@pages.post("/<uuid:record_id>/refuse")
@guard.requires(*DECIDERS)
def refuse_it(record_id: UUID) -> BaseResponse:
    """Say that it does not count."""
    reason = request.form.get("reason", "").strip()
    if problem := _problem(reason):
        return make_response(_page(record_id, problem), 422)
    try:
        refuse(web.session(), record_id, reason=reason, by=guard.principal().subject_id, now=web.now())
    except CityError as error:
        web.session().rollback()
        return make_response(_page(record_id, str(error)), 409)
    return redirect(url_for(".one", record_id=record_id))


@pages.post("/<uuid:record_id>/propose")
@guard.requires(*DECIDERS)
def propose(record_id: UUID) -> BaseResponse:
    """Put the decision into an action of two; it is signed on the action's own page."""
    decision = SETTLE if request.form.get("decision") == SETTLE else REFUSE
    payload = {
        "record_id": str(record_id),
        "decision": decision,
        "reason": request.form.get("reason", "").strip(),
    }
    assert DECIDING.describe is not None
    session = web.session()
    try:
        action = access.propose(
            session,
            DECIDING,
            payload,
            DECIDING.describe(session, payload),
            by=guard.principal().subject_id,
            now=web.now(),
            random_bytes=web.city().random_bytes,
        )
    except CityError as error:
        session.rollback()
        return make_response(_page(record_id, str(error)), 422)
    return redirect(f"/actions/{action.id}")


def _problem(reason: str) -> str:
    fits = _REASON_MIN <= len(reason) <= _REASON_MAX and reason.isprintable()
    return "" if fits else str(gettext("Say why, in 3 to 200 letters."))


def _key() -> UUID | None:
    try:
        return UUID(request.form.get("key", ""))
    except ValueError:
        return None


def _page(record_id: UUID, refused: str) -> str:
    found = queries.dispute(web.session(), record_id)
    names = {member.id: member.full_name for member in access.all_staff(web.session())}
    asker = guard.principal()
    return render_template(
        "transactions/dispute.html",
        dispute=found,
        age=web.now() - found.received_at,
        decided_by="" if found.decided_by is None else names.get(access.StaffId(found.decided_by), ""),
        key=uuid7(to_ms(web.now()), web.city().random_bytes(10)),
        reason=web.Field("reason", gettext("Why"), value=request.form.get("reason", "")),
        password=web.Field("password", gettext("Password"), "password", autocomplete="current-password"),
        may_decide=bool(asker.roles & set(DECIDERS)) and found.state == queries.OPEN,
        refused=refused,
        roles=asker.roles,
    )
