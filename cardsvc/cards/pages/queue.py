"""Orders on their way, the oldest first; and finding a person's cards."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from flask import redirect, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from cardsvc import residents, web
from cardsvc.access import guard
from cardsvc.cards import queries
from cardsvc.cards.pages import words
from cardsvc.cards.pages.common import COUNTER, page, pages, people
from cardsvc.cards.queries import Card, Queue
from cardsvc.cards.rules import STAGES, CardState, read_age
from cardsvc.errors import CityError

ROWS_A_PAGE: Final = 50
PEOPLE_FOUND_MAX: Final = 20
TYPED_MIN: Final = 2
_SHOWN = (*STAGES, CardState.SUSPENDED)


@dataclass(frozen=True, slots=True)
class CardRow:
    """A card in a list. `seconds` is how long it has been in its state."""

    card: Card
    name: str
    number: str
    seconds: int


@pages.get("/cards")
@guard.requires(*COUNTER)
def queue() -> BaseResponse | str:
    """How orders stand, and which wait the longest; or the cards of somebody looked for."""
    typed = request.args.get("q", "").strip()
    card_id = _as_id(typed)
    if card_id is not None:
        return redirect(url_for("card_pages.card", card_id=card_id))
    return _found(web.session(), typed) if typed else _waiting(web.session())


def _as_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _waiting(session: Session) -> str:
    now, stage, older = web.now(), request.args.get("stage", ""), request.args.get("older_than", "").strip()
    wrong, since_before = "", None
    try:
        since_before = now - read_age(older) if older else None
    except CityError as error:
        wrong = str(error)
    states = [state for state in _SHOWN if state.value == stage] or list(STAGES)
    found = queries.waiting(session, states, since_before=since_before, after=_after(), limit=ROWS_A_PAGE)
    shown = people(session, (card.resident_id for card in found.cards), "orders of cards")
    rows = [_row(card, shown[card.resident_id], now) for card in found.cards]
    return page(
        "cards/queue.html",
        stages=queries.backlog(session, now).stages,
        rows=rows,
        states=words.states(),
        kinds=words.order_kinds(),
        choices=[("", gettext("All orders")), *((state.value, words.states()[state.value]) for state in _SHOWN)],
        stage=stage,
        older_than=older,
        wrong=wrong,
        next_url=_next_url(found, stage, older),
        first_url=url_for("card_pages.queue", stage=stage, older_than=older) if "after" in request.args else "",
    )


def _found(session: Session, typed: str) -> str:
    """The cards of those whom the words or the number name."""
    wrong, page_found = "", residents.ResidentPage((), None)
    if len(typed) < TYPED_MIN:
        wrong = gettext("Type at least two letters of the name, or the resident number.")
    else:
        try:
            page_found = residents.search(session, typed, limit=PEOPLE_FOUND_MAX)
        except CityError as error:
            wrong = str(error)
    now = web.now()
    shown = people(session, (one.id for one in page_found.residents), "looking for a card")
    found = [(one, [_row(card, one, now) for card in queries.of_resident(session, one.id)]) for one in shown.values()]
    return page(
        "cards/found.html",
        typed=typed,
        wrong=wrong,
        found=found,
        more=page_found.next is not None,
        states=words.states(),
        kinds=words.order_kinds(),
    )


def _row(card: Card, person: residents.Resident, now: datetime) -> CardRow:
    return CardRow(card, person.full_name, person.number, max(0, (now - card.state_since) // timedelta(seconds=1)))


def _after() -> tuple[datetime, UUID] | None:
    """The place in the address; what is none is the beginning."""
    since, _, card_id = request.args.get("after", "").partition("_")
    try:
        place = datetime.fromisoformat(since), UUID(card_id)
    except ValueError:
        return None
    return place if place[0].tzinfo is not None else None


def _next_url(found: Queue, stage: str, older: str) -> str:
    if found.next is None:
        return ""
    after = f"{found.next[0].isoformat()}_{found.next[1]}"
    return url_for("card_pages.queue", stage=stage, older_than=older, after=after)
