"""The blueprint of the cards, and who may ask."""

from uuid import UUID

from cardsvc import web
from cardsvc.access import guard

blueprint = web.ApiBlueprint("cards", __name__, url_prefix="/v1/cards", description="The city's cards")

COUNTER = ("clerk", "card_officer")
OFFICER = "card_officer"


def asker() -> UUID:
    """The member of staff who asks."""
    return guard.principal().subject_id
