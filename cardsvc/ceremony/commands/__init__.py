"""The city's keys from the command line: looking at them, changing them, and the ceremony."""

from cardsvc.ceremony.commands.keys import vault
from cardsvc.ceremony.commands.walking import ceremony

__all__ = ["ceremony", "vault"]
