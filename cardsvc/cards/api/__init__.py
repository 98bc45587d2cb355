"""Cards over HTTP. Each module puts its routes on the one blueprint."""

from cardsvc.cards.api import bulk, life, orders, stock
from cardsvc.cards.api.common import blueprint
from cardsvc.cards.api.own import own_blueprint

__all__ = ["blueprint", "bulk", "life", "orders", "own_blueprint", "stock"]
