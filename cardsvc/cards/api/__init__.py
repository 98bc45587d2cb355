"""Cards over HTTP. Each module puts its routes on the one blueprint."""

from cardsvc.cards.api import life, orders, stock
from cardsvc.cards.api.common import blueprint

__all__ = ["blueprint", "life", "orders", "stock"]
