"""What an officer or a clerk does to one card with one button. Ending a card asks more: `ending`."""

from collections.abc import Callable
from uuid import UUID

from flask import url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from cardsvc import web
from cardsvc.access import guard
from cardsvc.cards import actions
from cardsvc.cards.pages import one
from cardsvc.cards.pages.common import COUNTER, OFFICER, again, check_text, go, me, pages, refused
from cardsvc.cards.queries import Card
from cardsvc.errors import CityError


@pages.post("/cards/<uuid:card_id>/approval")
@guard.requires(OFFICER)
def approve(card_id: UUID) -> BaseResponse:
    """Approve an order; never one's own."""
    return _done(card_id, lambda: actions.approve(web.session(), card_id, by=me(), now=web.now()))


@pages.post("/cards/<uuid:card_id>/suspension")
@guard.requires(*COUNTER)
def suspend(card_id: UUID) -> BaseResponse:
    """Block the card at once, until an officer lets it be used again."""
    return _with_reason(
        card_id, lambda why: actions.suspend(web.session(), card_id, reason=why, by=me(), now=web.now())
    )


@pages.post("/cards/<uuid:card_id>/resumption")
@guard.requires(OFFICER)
def resume(card_id: UUID) -> BaseResponse:
    """Let a suspended card be used again. The page says beside the button that the holder must have it in hand."""
    return _with_reason(
        card_id,
        lambda why: actions.resume(web.session(), card_id, reason=why, by=me(), now=web.now(), holder_has_it=True),
    )


@pages.post("/cards/<uuid:card_id>/destruction")
@guard.requires(OFFICER)
def destroy(card_id: UUID) -> BaseResponse:
    """Note that the card was cut up."""
    return _done(card_id, lambda: actions.destroy(web.session(), card_id, by=me(), now=web.now()))


@pages.post("/cards/<uuid:card_id>/renewal")
@guard.requires(*COUNTER)
def renew(card_id: UUID) -> BaseResponse:
    """Order the successor; on to its page."""
    city = web.city()
    return _done(
        card_id,
        lambda: actions.renew(
            web.session(),
            card_id,
            window_days=city.settings.cards.renewal_days,
            by=me(),
            now=web.now(),
            random_bytes=city.random_bytes,
        ),
    )


def _with_reason(card_id: UUID, verb: Callable[[str], Card]) -> BaseResponse:
    wrong: dict[str, str] = {}
    why = check_text(wrong, "reason", needed=gettext("Say why, so that others can follow."))
    if wrong:
        return again(lambda session: one.show(session, card_id, wrong["reason"]))
    return _done(card_id, lambda: verb(why))


def _done(card_id: UUID, verb: Callable[[], Card]) -> BaseResponse:
    """Do it, and show the card that it is about afterwards; where it is refused, this one and why."""
    try:
        changed = verb()
    except CityError as error:
        why = str(error)
        return refused(error, lambda session: one.show(session, card_id, why))
    return go(url_for("card_pages.card", card_id=changed.id))
