"""Pages for finance staff: the day, the trial balance, and down from each sum to who signed for it."""

from cardsvc.finance.pages import books, day, transfers
from cardsvc.finance.pages.asking import pages
from cardsvc.finance.pages.mandates import own_pages

__all__ = ["books", "day", "own_pages", "pages", "transfers"]
