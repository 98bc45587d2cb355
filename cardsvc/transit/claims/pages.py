"""Claims in a browser: a rider's form behind each ride, the answers; and the list where finance decides."""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from flask import make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from cardsvc import access, db, web
from cardsvc.access import guard
from cardsvc.errors import CityError
from cardsvc.money import InvalidAmount, parse_pesos
from cardsvc.transactions import perform
from cardsvc.transit import queries as tariffs
from cardsvc.transit.claims import actions, queries
from cardsvc.transit.claims.api import DECIDERS, READERS, own_wallet
from cardsvc.transit.rules import claiming
from cardsvc.transit.rules.claiming import ClaimReason
from crypto.wire.ids import uuid7

_ROOM = str(Path(__file__).parent)
own_pages = web.PageBlueprint(
    "own_claim_pages", __name__, root_path=_ROOM, template_folder="templates", url_prefix="/wallet"
)
pages = web.PageBlueprint("claim_pages", __name__, root_path=_ROOM, template_folder="templates", url_prefix="/claims")
A_PAGE = 50
_REASON_MIN, _REASON_MAX = 3, 200

# ------------------------------------------------------------------------------------------------------------- riders


@own_pages.get("/claims")
@guard.resident_only
def mine() -> str:
    """One's own claims and their answers, the newest first."""
    found = queries.claims(web.session(), state=claiming.ALL, wallet_id=own_wallet())
    return render_template("transit/own_claims.html", claims=found[::-1], **_names(found))


@own_pages.get("/rides/<uuid:ride_id>/claim")
@guard.resident_only
def ask(ride_id: UUID) -> str:
    return _form(ride_id, "")


@own_pages.post("/rides/<uuid:ride_id>/claim")
@guard.resident_only
def open_it(ride_id: UUID) -> BaseResponse:
    """Open the claim; the list of claims says that it is there."""
    given = request.form.get("reason", "")
    if given not in set(ClaimReason):
        return make_response(_form(ride_id, gettext("Choose what was wrong.")), 422)
    reason = ClaimReason(given)
    try:
        actions.open_claim(
            web.session(),
            ride_id,
            reason,
            stop_id=None if reason is ClaimReason.NOT_ME else request.form.get("stop_id") or None,
            said=request.form.get("said", ""),
            wallet_id=own_wallet(),
            now=web.now(),
            random_bytes=web.city().random_bytes,
        )
    except claiming.ClaimRefused as error:
        web.session().rollback()
        return make_response(_form(ride_id, str(error)), 422)
    return redirect(url_for(".mine"), 303)


def _form(ride_id: UUID, refused: str) -> str:
    session = web.session()
    cost = queries.cost(session, ride_id)
    if cost.wallet_id != own_wallet():
        raise claiming.UnknownRide
    tariff = tariffs.tariff_at(session, web.now())
    return render_template(
        "transit/claim_form.html",
        ride=cost,
        stop_names=tariffs.stop_names(session, [cost.from_stop]),
        network_names=tariffs.network_names(session),
        stops=[] if tariff is None else tariffs.stops(session, tariff.version),
        reason=request.form.get("reason", ""),
        stop_id=request.form.get("stop_id", ""),
        said=request.form.get("said", ""),
        refused=refused,
    )


# -------------------------------------------------------------------------------------------------------------- staff


@pages.get("")
@guard.requires(*READERS)
def listed() -> str:
    """The claims in a state, the oldest first."""
    state = request.args.get("state", claiming.OPEN)
    state = state if state in claiming.STATES else claiming.OPEN
    after = request.args.get("after", type=UUID)
    found = queries.claims(web.session(), state=state, after=after, limit=A_PAGE)
    more = len(found) == A_PAGE
    return render_template(
        "transit/claims.html",
        claims=found,
        **_names(found),
        state=state,
        states=claiming.STATES,
        next_url=url_for(".listed", state=state, after=found[-1].id) if more else "",
        roles=guard.principal().roles,
    )


@pages.get("/<uuid:claim_id>")
@guard.requires(*READERS)
def one(claim_id: UUID) -> str:
    return _page(claim_id, "")


@pages.post("/<uuid:claim_id>/refund")
@guard.requires(*DECIDERS)
def refund(claim_id: UUID) -> BaseResponse:
    """Sign the refund; sent twice it is paid once, because the page carries the new record's id."""
    cents, password, key = _cents(), request.form.get("password", ""), _key()
    problem = _problem() or ("" if password else gettext("Enter your password: it signs your decision."))
    if problem or key is None or cents is None:
        return make_response(_page(claim_id, problem or gettext("Enter an amount, like 13.00.")), 422)
    by, reason = guard.principal().subject_id, _reason()
    web.session().rollback()
    try:
        answer = perform(
            lambda session: actions.refund(session, claim_id, cents, reason=reason, by=by),
            record_id=key,
            staff_id=by,
            password=password,
        )
    except (claiming.ClaimDecided, claiming.ClaimRefused) as error:
        return make_response(_page(claim_id, str(error)), 409)
    if answer["outcome"] != "accepted":
        return make_response(_page(claim_id, str(answer["detail"])), 409)
    return redirect(url_for(".one", claim_id=claim_id), 303)


@pages.post("/<uuid:claim_id>/refuse")
@guard.requires(*DECIDERS)
def refuse(claim_id: UUID) -> BaseResponse:
    """Say that the charge stays."""
    if problem := _problem():
        return make_response(_page(claim_id, problem), 422)
    by = guard.principal().subject_id
    try:
        actions.refuse(web.session(), claim_id, reason=_reason(), by=by, now=web.now())
    except CityError as error:
        web.session().rollback()
        return make_response(_page(claim_id, str(error)), 409)
    return redirect(url_for(".one", claim_id=claim_id), 303)


@pages.post("/<uuid:claim_id>/propose")
@guard.requires(*DECIDERS)
def propose(claim_id: UUID) -> BaseResponse:
    """Put a large refund into an action of two; it is signed on the action's own page."""
    payload = {"claim_id": str(claim_id), "fare_cents": _cents(), "reason": _reason()}
    assert actions.REFUNDING.describe is not None
    session = web.session()
    try:
        said = actions.REFUNDING.describe(session, payload)
        by, random_bytes = guard.principal().subject_id, web.city().random_bytes
        action = access.propose(
            session, actions.REFUNDING, payload, said, by=by, now=web.now(), random_bytes=random_bytes
        )
    except CityError as error:
        session.rollback()
        return make_response(_page(claim_id, str(error)), 422)
    return redirect(f"/actions/{action.id}", 303)


def _names(claims: Sequence[queries.ClaimView]) -> dict[str, dict[str, str]]:
    """What the claims' stops and lines are called, by their ids."""
    session = web.session()
    stop_ids = {stop_id for claim in claims for stop_id in (claim.stop_id, claim.ride.from_stop) if stop_id}
    return {"stop_names": tariffs.stop_names(session, stop_ids), "network_names": tariffs.network_names(session)}


def _reason() -> str:
    return request.form.get("reason", "").strip()


def _problem() -> str:
    fits = _REASON_MIN <= len(_reason()) <= _REASON_MAX and _reason().isprintable()
    return "" if fits else str(gettext("Say why, in 3 to 200 letters: the rider reads it."))


def _cents() -> int | None:
    try:
        return parse_pesos(request.form.get("amount", ""))
    except InvalidAmount:
        return None


def _key() -> UUID | None:
    try:
        return UUID(request.form.get("key", ""))
    except ValueError:
        return None


def _page(claim_id: UUID, refused: str) -> str:
    found = queries.claim(web.session(), claim_id)
    names = {member.id: member.full_name for member in access.all_staff(web.session())}
    asker = guard.principal()
    amount = request.form.get("amount", f"{found.approved_cents // 100}.{found.approved_cents % 100:02d}")
    return render_template(
        "transit/claim.html",
        claim=found,
        **_names([found]),
        decided_by="" if found.decided_by is None else names.get(access.StaffId(found.decided_by), ""),
        key=uuid7(db.to_ms(web.now()), web.city().random_bytes(10)),
        alone_cents=claiming.REFUND_ALONE_CENTS_MAX,
        amount=web.Field("amount", gettext("Amount to give back"), "amount", value="" if amount == "0.00" else amount),
        reason=web.Field("reason", gettext("Why, in words for the rider"), value=request.form.get("reason", "")),
        password=web.Field("password", gettext("Password"), "password", autocomplete="current-password"),
        may_decide=bool(asker.roles & set(DECIDERS)) and found.state == claiming.OPEN,
        refused=refused,
        roles=asker.roles,
    )
