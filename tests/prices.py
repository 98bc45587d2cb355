"""Prices of cards in a town: set and waived by two people, as the API has it; orders that have a price."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from cardsvc import cards
from tests.builders import CLERK, OFFICER, PASSWORD, SoftwareCard, make_card
from tests.town import Person, Town

LOST_CENTS = 100_00


def by_two(town: Town, kind: str, payload: dict[str, Any], *roles: str, last: int = 201) -> Any:
    """Propose and sign as the first role, sign as the second; the last answer."""
    first, second = roles
    action = town.post("/v1/actions", {"kind": kind, "payload": payload}, first, status=201)
    signatures = f"/v1/actions/{action['id']}/signatures"
    town.post(signatures, {"password": PASSWORD}, first, status=201)
    return town.post(signatures, {"password": PASSWORD}, second, status=last)


def set_price(town: Town, cents: int, issue: str = "lost", day: date | None = None, *, last: int = 201) -> Any:
    """From that day, or today, an issue of this kind costs so much."""
    day = day or town.today()
    payload = {"issue": issue, "valid_from": day.isoformat(), "amount_cents": cents, "currency": "PHP"}
    return by_two(town, "cards.price", payload, "finance", "treasurer", last=last)


def waive(town: Town, card_id: UUID, *, last: int = 201) -> Any:
    payload = {"card_id": str(card_id), "reason": "Indigent, says the barangay"}
    return by_two(town, "cards.waiver", payload, "card_officer", "finance", last=last)


def replaced(town: Town, person: Person, reason: cards.RevocationReason = cards.RevocationReason.LOST) -> UUID:
    """The approved order of a card in the place of the person's."""

    def work(session: Session) -> UUID:
        now, chance = town.clock.now(), town.city.random_bytes
        order = cards.replace(session, person.card.card_id, reason=reason, by=CLERK, now=now, random_bytes=chance)
        return cards.approve(session, order.id, by=OFFICER, now=now).id

    return town.run(work)


def fee(town: Town, card_id: UUID) -> tuple[str, int, str]:
    """Kind of issue, cents and state, as anybody at a counter is told."""
    found = town.client.get(f"/v1/cards/{card_id}/fee", headers=town.token("cashier")).get_json()
    assert found["currency"] == "PHP"
    return found["issue"], found["amount_cents"], found["state"]


def hand_over(town: Town, person: Person) -> SoftwareCard:
    """The rest of the visit: the person's approved order is made and handed over."""
    return town.run(
        lambda session: make_card(session, town.city.vault, person.resident_id, town.clock.now(), approved=True)
    )
