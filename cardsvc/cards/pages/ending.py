"""Ending a card for good, in two steps: the reason, then what follows from it, and the button."""

from collections.abc import Mapping
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
    COUNTER,
    OFFICER,
    check_text,
    errors,
    go,
    is_officer,
    me,
    page,
    pages,
    people,
    refused,
    said,
)
from cardsvc.cards.pages.common import again as shown_again
from cardsvc.cards.queries import Card
from cardsvc.cards.rules import CONSEQUENCES, HELD, ORDERED, CardState, InvalidMove, NewCard, RevocationReason
from cardsvc.errors import CityError

NEW, NONE = "new", "none"
_CHOSEN = [reason for reason in RevocationReason if reason is not RevocationReason.SUPERSEDED]


@pages.get("/cards/<uuid:card_id>/ending")
@guard.requires(*COUNTER)
def ending(card_id: UUID) -> str:
    """Which reason; once it is named, what follows."""
    return _show(web.session(), card_id, _reason(request.args.get("reason", "")), {})


@pages.post("/cards/<uuid:card_id>/ending")
@guard.requires(*COUNTER)
def end(card_id: UUID) -> BaseResponse:
    """End it, with or without a new order in the same transaction."""
    reason, then = _reason(said("reason")), said("then")
    wrong: dict[str, str] = {}
    note = check_text(wrong, "note") or None
    if reason is None:
        wrong["reason"] = gettext("Choose the reason.")
    if then not in {NEW, NONE}:
        wrong["then"] = gettext("Say whether a new card is ordered.")
    if then == NONE and not is_officer():
        raise guard.NotAllowed({OFFICER})
    if wrong:
        return shown_again(lambda session: _show(session, card_id, reason, wrong))
    assert reason is not None
    try:
        changed = _end(card_id, reason, note, renewed=then == NEW)
    except CityError as error:
        problem = {"then": str(error)}
        return refused(error, lambda session: _show(session, card_id, reason, problem))
    return go(url_for("card_pages.card", card_id=changed.id))


def _end(card_id: UUID, reason: RevocationReason, note: str | None, *, renewed: bool) -> Card:
    session, city = web.session(), web.city()
    if not renewed:
        return actions.revoke(session, card_id, reason=reason, by=me(), now=web.now(), note=note)
    return actions.replace(
        session,
        card_id,
        reason=reason,
        note=note,
        identity_checked=said("identity_checked") == "yes",
        by=me(),
        now=web.now(),
        random_bytes=city.random_bytes,
    )


def _reason(text: str) -> RevocationReason | None:
    return next((reason for reason in _CHOSEN if reason.value == text), None)


def _show(session: Session, card_id: UUID, reason: RevocationReason | None, wrong: Mapping[str, str]) -> str:
    card = queries.find(session, card_id)
    if card.state not in HELD | ORDERED | {CardState.REVOKED}:
        raise InvalidMove("revoke", card.state)
    if card.state is CardState.REVOKED:
        reason = card.revoked_reason  # the first reason stays
    person = people(session, [card.resident_id], "ending a card")[card.resident_id]
    return page(
        "cards/ending.html",
        card=card,
        person=person,
        reason=reason,
        consequence=None if reason is None else CONSEQUENCES[reason],
        reasons=words.reasons(),
        told=words.told(),
        states=words.states(),
        consequences=[CONSEQUENCES[each] for each in _CHOSEN if _may_choose(card, each)],
        fields=[] if reason is None else _fields(card, reason, wrong),
        wrong=wrong,
    )


def _may_choose(card: Card, reason: RevocationReason) -> bool:
    """A clerk ends a card only to order the next one."""
    return is_officer() or (card.state in HELD and CONSEQUENCES[reason].new_card is not NewCard.REFUSED)


def _fields(card: Card, reason: RevocationReason, wrong: Mapping[str, str]) -> list[web.Field]:
    wrong_with, new_card = errors(wrong), CONSEQUENCES[reason].new_card
    fields = [
        web.Field("reason", "", "hidden", value=reason.value),
        web.Field(
            "note",
            gettext("Note"),
            hint=gettext("What others should know, such as the number of a police report. Not needed."),
            value=request.form.get("note", ""),
            errors=wrong_with("note"),
        ),
    ]
    if new_card is NewCard.AFTER_IDENTITY_CHECK:
        identified = (("yes", gettext("The person was identified anew, from documents")),)
        given = request.form.get("identity_checked", "")
        fields.append(
            web.Field("identity_checked", gettext("Before a new card"), "checkbox", "", given, (), identified)
        )
    choices = (
        [(NEW, gettext("Order a new card now"))]
        if new_card is not NewCard.REFUSED and card.state not in ORDERED
        else []
    )
    if is_officer() and card.state is not CardState.REVOKED:
        choices.append((NONE, gettext("No new card now")))
    given = request.form.get("then", choices[0][0] if len(choices) == 1 else "")
    fields.append(web.Field("then", gettext("And then"), "radios", "", given, wrong_with("then"), tuple(choices)))
    return fields
