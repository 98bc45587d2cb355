"""Pages of the register: who looked at me, for residents; people who may be entered twice, for staff."""

from cardsvc.residents.pages.looks import make
from cardsvc.residents.pages.pairs import make_pairs

__all__ = ["make", "make_pairs"]
