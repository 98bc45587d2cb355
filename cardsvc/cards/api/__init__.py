"""Cards over HTTP. Each module puts its routes on the one blueprint."""

from cardsvc.cards.api import life, stock
from cardsvc.cards.api.common import blueprint

__all__ = ["blueprint", "life", "stock"]
