"""Prices of cards: what holds, what will, and another one put to two people; and a price that two people waive."""

from collections.abc import Mapping
from datetime import date
from typing import Final
from uuid import UUID

from flask import render_template, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from cardsvc import web
from cardsvc.access import guard
from cardsvc.cards import actions, queries
from cardsvc.cards.pages import one, words
from cardsvc.cards.pages.common import OFFICER, again, choice, errors, go, me, pages, refused, said
from cardsvc.cards.rules import Issue, city_day
from cardsvc.errors import CityError
from cardsvc.money import InvalidAmount, parse_pesos

SETTERS: Final = ("finance", "treasurer")


@pages.get("/cards/prices")
@guard.requires(*SETTERS, "auditor")
def prices() -> str:
    return _page(web.session(), {})


@pages.post("/cards/prices")
@guard.requires(*SETTERS)
def propose_price() -> BaseResponse:
    """Put a price to two people; it is signed on the action's own page."""
    wrong: dict[str, str] = {}
    issue = next((each for each in Issue if each.value == said("issue")), None)
    if issue is None:
        wrong["issue"] = gettext("Choose why the card is issued.")
    cents, day = _cents(wrong), _day(wrong)
    if wrong or issue is None:
        return again(lambda session: _page(session, wrong))
    session, city = web.session(), web.city()
    try:
        action = actions.propose_price(
            session, issue, day, cents, by=me(), now=web.now(), random_bytes=city.random_bytes
        )
    except CityError as error:
        problem = {"valid_from": str(error)}
        return refused(error, lambda session: _page(session, problem))
    return go(f"/actions/{action.id}")


@pages.post("/cards/<uuid:card_id>/waiver")
@guard.requires(OFFICER)
def propose_waiver(card_id: UUID) -> BaseResponse:
    """Ask that the card be handed over without its price; finance or the treasurer agrees on the action's own page."""
    session, city = web.session(), web.city()
    try:
        action = actions.propose_waiver(
            session, card_id, said("waiver"), by=me(), now=web.now(), random_bytes=city.random_bytes
        )
    except CityError as error:
        why = str(error)
        return refused(error, lambda session: one.show(session, card_id, why))
    return go(f"/actions/{action.id}")


def _cents(wrong: dict[str, str]) -> int:
    try:
        return parse_pesos(said("amount"))
    except InvalidAmount:
        wrong["amount"] = gettext("Enter an amount, like 100.00; 0 where the card is free.")
        return 0


def _day(wrong: dict[str, str]) -> date:
    try:
        return date.fromisoformat(said("valid_from"))
    except ValueError:
        wrong["valid_from"] = gettext("Give the day from which it holds.")
        return date.min


def _page(session: Session, wrong: Mapping[str, str]) -> str:
    wrong_with, issues, today = errors(wrong), words.issues(), city_day(web.now())
    fields = [
        web.Field("issue", gettext("Why the card is issued"), "select", value=said("issue"), errors=wrong_with("issue"),
                  choices=choice(list(Issue), issues)),
        web.Field("amount", gettext("Price in pesos"), "amount", hint=gettext("0 where it is free."),
                  value=said("amount"), errors=wrong_with("amount")),
        web.Field("valid_from", gettext("From this day on"), "date", value=said("valid_from") or today.isoformat(),
                  errors=wrong_with("valid_from")),
    ]  # fmt: skip
    return render_template(
        "cards/prices.html",
        today=[(issues[issue.value], cents) for issue, cents in queries.prices_on(session, today).items()],
        prices=[(issues[price.issue.value], price) for price in queries.prices(session)],
        day=today,
        fields=fields,
        may_set=not guard.principal().roles.isdisjoint(SETTERS),
        action=url_for("card_pages.propose_price"),
    )
