"""Reads of the register: small frozen values."""

from cardsvc.residents.queries.looks import Look, LookPage, looks
from cardsvc.residents.queries.reading import (
    Resident,
    ResidentHistory,
    ResidentPage,
    find,
    find_by_number,
    find_many,
    history,
    ids_by_number,
    search,
)

__all__ = [
    "Look",
    "LookPage",
    "Resident",
    "ResidentHistory",
    "ResidentPage",
    "find",
    "find_by_number",
    "find_many",
    "history",
    "ids_by_number",
    "looks",
    "search",
]
