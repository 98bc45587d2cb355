"""Decisions about many cards: planned here, signed by two people under /actions, new cards ordered afterwards."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from flask import request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from cardsvc import web
from cardsvc.access import guard
from cardsvc.cards import actions, queries
from cardsvc.cards.pages import words
from cardsvc.cards.pages.common import (
    DECIDERS,
    OFFICER,
    again,
    check_text,
    choice,
    errors,
    go,
    is_officer,
    me,
    names,
    page,
    pages,
    refused,
    said,
)
from cardsvc.cards.queries import BulkPlan
from cardsvc.cards.rules import CARD_IDS_MAX, PRODUCTS, BulkKind, BulkOrder, Criteria, RevocationReason
from cardsvc.clock import MANILA
from cardsvc.errors import CityError

RENEWED_AT_ONCE: Final = 500
_CHOSEN = [reason for reason in RevocationReason if reason is not RevocationReason.SUPERSEDED]


@pages.get("/cards/many")
@guard.requires(*DECIDERS, "auditor")
def many() -> str:
    session = web.session()
    return page(
        "cards/many.html",
        decisions=queries.bulks(session),
        kinds=words.decisions(),
        name=names(session),
        may_decide=not guard.principal().roles.isdisjoint(DECIDERS),
    )


@pages.get("/cards/many/new")
@guard.requires(*DECIDERS)
def plan_form() -> str:
    return _form({}, None)


@pages.post("/cards/many/new")
@guard.requires(*DECIDERS)
def plan() -> BaseResponse:
    """Say whom a decision would concern; with `do=propose`, freeze that list for two people to sign."""
    wrong: dict[str, str] = {}
    order = _order(wrong)
    if order is None:
        return again(lambda _session: _form(wrong, None))
    if said("do") != "propose":
        return again(lambda session: _form({}, queries.plan(session, order)), 200)
    session, city = web.session(), web.city()
    try:
        proposed, _action = actions.propose_bulk(session, order, by=me(), now=web.now(), random_bytes=city.random_bytes)
    except CityError as error:
        problem = {"kind": str(error)}
        return refused(error, lambda _session: _form(problem, None))
    return go(f"/actions/{proposed.id}")


@pages.get("/cards/many/<uuid:bulk_id>")
@guard.requires(*DECIDERS, "auditor")
def decision(bulk_id: UUID) -> str:
    return _decision(web.session(), bulk_id)


@pages.post("/cards/many/<uuid:bulk_id>/renewals")
@guard.requires(OFFICER)
def renew_holders(bulk_id: UUID) -> BaseResponse:
    """Order new cards for the holders, some at a time."""
    place = _ids({}, "after")
    try:
        done = actions.renew_many(
            web.session(),
            bulk_id,
            after=place[0] if place else None,
            limit=RENEWED_AT_ONCE,
            by=me(),
            now=web.now(),
            random_bytes=web.city().random_bytes,
        )
    except CityError as error:
        why = str(error)
        return refused(error, lambda session: _decision(session, bulk_id, why))
    after = done.next or ""
    url = url_for("card_pages.decision", bulk_id=bulk_id, ordered=done.ordered, skipped=done.skipped, after=after)
    return go(url)


def _decision(session: Session, bulk_id: UUID, problem: str = "") -> str:
    found = queries.bulk(session, bulk_id)
    return page(
        "cards/decision.html",
        bulk=found,
        kinds=words.decisions(),
        reasons=words.reasons(),
        name=names(session),
        problem=problem,
        may_renew=is_officer() and found.executed_at is not None and found.kind is not BulkKind.RESUME,
        ordered=request.args.get("ordered", type=int),
        skipped=request.args.get("skipped", 0, type=int),
        after=request.args.get("after", ""),
    )


def _order(wrong: dict[str, str]) -> BulkOrder | None:
    """The decision that was typed in, or what is wrong with it."""
    reason = check_text(wrong, "reason", needed=gettext("Say why, so that the second person can follow."))
    kind = next((each for each in BulkKind if each.value == said("kind")), None)
    if kind is None:
        wrong["kind"] = gettext("Choose what is to be done.")
    revoked = next((each for each in _CHOSEN if each.value == said("revoked_reason")), None)
    try:
        criteria = Criteria(
            product=said("product") or None,
            personalised_from=_midnight(wrong, "personalised_from", 0),
            personalised_until=_midnight(wrong, "personalised_until", 1),
            authority=_authority(wrong),
            batch=said("batch") or None,
            bulk_id=_ids(wrong, "bulk_id")[0] if said("bulk_id") else None,
            card_ids=_ids(wrong, "card_ids"),
        )
        if wrong or kind is None:
            return None
        return BulkOrder(kind, criteria, reason, revoked if kind is BulkKind.REVOKE else None)
    except CityError as error:
        wrong.setdefault("kind", str(error))
        return None


def _midnight(wrong: dict[str, str], name: str, days: int) -> datetime | None:
    """The beginning of that day in the city, or of the day after."""
    if not said(name):
        return None
    try:
        day = date.fromisoformat(said(name)) + timedelta(days=days)
    except (ValueError, OverflowError):
        wrong[name] = gettext("Give a day, or leave it empty.")
        return None
    return datetime.combine(day, time.min, MANILA).astimezone(UTC)


def _authority(wrong: dict[str, str]) -> bytes | None:
    try:
        return bytes.fromhex(said("authority")) or None
    except ValueError:
        wrong["authority"] = gettext("Write it in hexadecimal, as a certificate's authority key identifier.")
        return None


def _ids(wrong: dict[str, str], name: str) -> tuple[UUID, ...]:
    try:
        found = tuple(UUID(each) for each in said(name).replace(",", " ").split())
    except ValueError:
        wrong[name] = gettext("Write whole ids, such as 018f0000-0000-7000-8000-000000000001.")
        return (UUID(int=0),)
    if len(found) > CARD_IDS_MAX:
        wrong[name] = gettext("Name at most %(count)s cards.", count=CARD_IDS_MAX)
    return found


def _form(wrong: Mapping[str, str], planned: BulkPlan | None) -> str:
    wrong_with = errors(wrong)

    def field(name: str, label: str, kind: str = "text", **more: object) -> web.Field:
        return web.Field(name, label, kind, value=said(name), errors=wrong_with(name), **more)  # type: ignore[arg-type]

    every = (("", gettext("Any")),)
    what = [
        field("kind", gettext("What is to be done"), "radios", choices=choice(list(BulkKind), words.decisions())),
        field(
            "revoked_reason",
            gettext("Reason, where cards are ended"),
            "select",
            choices=((("", gettext("None")), *choice(_CHOSEN, words.reasons()))),
        ),
        field("reason", gettext("Why"), hint=gettext("Both people read it before they sign.")),
    ]
    which = [
        field("product", gettext("Product"), "select", choices=(*every, *((name, name) for name in PRODUCTS))),
        field("personalised_from", gettext("Made from this day on"), "date"),
        field("personalised_until", gettext("Made up to this day, which is included"), "date"),
        field("batch", gettext("Made of blanks of this delivery")),
        field("authority", gettext("Certified by the authority with this key identifier")),
        field("bulk_id", gettext("The cards of this earlier decision")),
        field("card_ids", gettext("These cards"), "textarea", hint=gettext("Card ids, one a line.")),
    ]
    return page(
        "cards/plan.html",
        what=what,
        which=which,
        plan=planned,
        hidden=[web.Field(each.name, "", "hidden", value=each.value) for each in (*what, *which)],
        states=words.states(),
    )
