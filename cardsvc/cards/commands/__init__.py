"""Cards from the command line."""

from cardsvc.cards.commands.blanks import blanks
from cardsvc.cards.commands.bulk import bulk
from cardsvc.cards.commands.listing import cards

cards.add_command(blanks)
cards.add_command(bulk)

__all__ = ["cards"]
