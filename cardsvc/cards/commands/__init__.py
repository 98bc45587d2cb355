"""Cards from the command line."""

from cardsvc.cards.commands.blanks import blanks
from cardsvc.cards.commands.listing import cards

cards.add_command(blanks)

__all__ = ["cards"]
