"""A resident's own card: how it stands, and stopping it at once when it is lost."""

from datetime import date
from uuid import UUID

from flask import render_template, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from cardsvc import web
from cardsvc.access import guard
from cardsvc.cards import actions, queries
from cardsvc.cards.pages.common import again, check_text, errors, go, me, pages, refused
from cardsvc.cards.queries import Card
from cardsvc.cards.rules import HELD, ORDERED, CardState, RenewalTooEarly, check_renewable
from cardsvc.errors import CityError


@pages.get("/wallet/card")
@guard.resident_only
def own_card() -> str:
    return _show(web.session())


@pages.get("/wallet/card/lost")
@guard.resident_only
def lost_form() -> str:
    """What reporting does, before it is done."""
    queries.held(web.session(), me())
    return _lost({})


@pages.post("/wallet/card/lost")
@guard.resident_only
def report_lost() -> BaseResponse:
    """Suspend the own card at once, everywhere."""
    wrong: dict[str, str] = {}
    note = check_text(wrong, "note") or None
    if wrong:
        return again(lambda _session: _lost(wrong))
    try:
        actions.suspend_own(web.session(), me(), note=note, now=web.now())
    except CityError as error:
        return refused(error, _show)
    return go(url_for("card_pages.own_card"))


def _lost(wrong: dict[str, str]) -> str:
    hint = gettext("Where you last had it, for example. Not needed.")
    fields = [web.Field("note", gettext("What happened"), hint=hint, errors=errors(wrong)("note"))]
    return render_template("cards/lost.html", fields=fields)


def _show(session: Session) -> str:
    mine = queries.of_resident(session, me())
    held = next((card for card in mine if card.state in HELD), None)
    order = next((card for card in mine if card.state in ORDERED), None)
    return render_template(
        "cards/own.html",
        card=held,
        suspended_since=held.state_since if held is not None and held.state is CardState.SUSPENDED else None,
        reported=_reported(session, held, me()),
        order=order,
        ended=next((card for card in mine if card.state not in HELD | ORDERED), None),
        renew_from=None if held is None or order is not None else _renew_from(held),
    )


def _reported(session: Session, card: Card | None, holder: UUID) -> bool:
    """Whether it was the holder who stopped the card."""
    if card is None or card.state is not CardState.SUSPENDED:
        return False
    return queries.history(session, card.id)[-1].actor == holder


def _renew_from(card: Card) -> date | None:
    """The first day on which it may be renewed, where that is still ahead."""
    assert card.expires_on is not None
    try:
        check_renewable(card.expires_on, web.now(), web.city().settings.cards.renewal_days)
    except RenewalTooEarly as early:
        return early.from_
    return None
