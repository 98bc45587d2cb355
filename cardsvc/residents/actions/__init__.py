"""What changes the register: registering people, what becomes of them, and who was shown them."""

from cardsvc.residents.actions.looking import note_look, note_looks
from cardsvc.residents.actions.registering import (
    OnRegistered,
    RandomBytes,
    change_status,
    register,
    register_many,
)

__all__ = [
    "OnRegistered",
    "RandomBytes",
    "change_status",
    "note_look",
    "note_looks",
    "register",
    "register_many",
]
