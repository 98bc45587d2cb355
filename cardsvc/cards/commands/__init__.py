"""Cards from the command line."""

from cardsvc.cards.commands.blanks import blanks
from cardsvc.cards.commands.bulk import bulk
from cardsvc.cards.commands.listing import cards
from cardsvc.cards.commands.prices import prices

cards.add_command(blanks)
cards.add_command(bulk)
cards.add_command(prices)

__all__ = ["cards"]
