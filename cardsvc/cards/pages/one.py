"""A card's own page: whose, how it stands, what was done to it by whom and why, and what may be done now."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from cardsvc import residents, web
from cardsvc.access import guard
from cardsvc.cards import queries
from cardsvc.cards.pages import words
from cardsvc.cards.pages.common import COUNTER, is_officer, me, names, page, pages, people
from cardsvc.cards.queries import Blank, Card
from cardsvc.cards.rules import (
    CONSEQUENCES,
    HELD,
    MOVES,
    ORDERED,
    CardState,
    Fee,
    FeeState,
    Move,
    NewCard,
    RenewalTooEarly,
    check_renewable,
    city_day,
)


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the history. `reason` is "" where the step needs none."""

    state: str
    who: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Offers:
    """What whoever asks may do with the card now.

    `renew_from` is the first day of the window where it is still ahead; `own_order`: it waits for another officer.
    """

    approve: bool = False
    own_order: bool = False
    suspend: bool = False
    resume: bool = False
    withdraw: bool = False
    end: bool = False
    replace: bool = False
    renew: bool = False
    renew_from: date | None = None
    destroy: bool = False
    waive: bool = False


@dataclass(frozen=True, slots=True)
class CardPage:
    """Everything the page shows. `fee` is None where the card is free."""

    card: Card
    fee: Fee | None
    person: residents.Resident
    blank: Blank | None
    successor: Card | None
    steps: tuple[Step, ...]
    offers: Offers


@pages.get("/cards/<uuid:card_id>")
@guard.requires(*COUNTER)
def card(card_id: UUID) -> str:
    return show(web.session(), card_id)


def show(session: Session, card_id: UUID, problem: str = "") -> str:
    """The page; `problem` says why something was not done."""
    return page(
        "cards/card.html",
        shown=_gathered(session, queries.find(session, card_id)),
        problem=problem,
        states=words.states(),
        reasons=words.reasons(),
        kinds=words.order_kinds(),
        fees=words.fees(),
    )


def _gathered(session: Session, card: Card) -> CardPage:
    name = names(session)
    steps = tuple(
        Step(step.to_state.value, name(step.actor, card.resident_id), step.at, step.reason or "")
        for step in reversed(queries.history(session, card.id))
    )
    others = [one for one in queries.of_resident(session, card.resident_id) if one.id != card.id]
    living = [one for one in others if one.state in HELD | ORDERED]
    successor = next((one for one in (*living, *others) if one.replaces == card.id), None)
    person = people(session, [card.resident_id], "looking at a card")[card.resident_id]
    blank = queries.blank_of_card(session, card.id)
    fee = queries.fee(session, card, city_day(web.now()))
    asked = None if fee.state is FeeState.FREE else fee
    return CardPage(card, asked, person, blank, successor, steps, _offers(card, living, asked))


def _offers(card: Card, living: list[Card], fee: Fee | None) -> Offers:
    officer, state = is_officer(), card.state
    renew, renew_from = _renewal(card, living)
    requested = officer and state in MOVES[Move.APPROVE].from_
    return Offers(
        approve=requested and card.requested_by != me(),
        own_order=requested and card.requested_by == me(),
        suspend=state in MOVES[Move.SUSPEND].from_,
        resume=officer and state in MOVES[Move.RESUME].from_,
        withdraw=officer and state in ORDERED,
        end=state in HELD,
        replace=_replaceable(card, living),
        renew=renew,
        renew_from=renew_from,
        destroy=officer and state in MOVES[Move.DESTROY].from_,
        waive=officer and fee is not None and fee.state is FeeState.DUE,
    )


def _renewal(card: Card, living: list[Card]) -> tuple[bool, date | None]:
    """Whether it may be renewed now, or from which day on."""
    if card.state not in HELD | {CardState.EXPIRED} or living or card.expires_on is None:
        return False, None
    try:
        check_renewable(card.expires_on, web.now(), web.city().settings.cards.renewal_days)
    except RenewalTooEarly as early:
        return False, early.from_
    return True, None


def _replaceable(card: Card, living: list[Card]) -> bool:
    """Whether the resident may have a new card in the place of this one, which ended."""
    if card.state is not CardState.REVOKED or living or card.revoked_reason is None:
        return False
    return CONSEQUENCES[card.revoked_reason].new_card is not NewCard.REFUSED
