"""Cards over HTTP. Each module puts its routes on the one blueprint."""

from cardsvc.cards.api import bulk, life, orders, prices, stock
from cardsvc.cards.api.common import blueprint
from cardsvc.cards.api.own import own_blueprint
from cardsvc.cards.api.secrets import make_secrets

__all__ = ["blueprint", "bulk", "life", "make_secrets", "orders", "own_blueprint", "prices", "stock"]
