"""Cards in a browser: for officers and clerks, and for whoever holds one. Each module puts its pages on the one
blueprint.
"""

from cardsvc.cards.pages import changing, ending, many, one, own, prices, queue, stock
from cardsvc.cards.pages.common import pages

__all__ = ["changing", "ending", "many", "one", "own", "pages", "prices", "queue", "stock"]
