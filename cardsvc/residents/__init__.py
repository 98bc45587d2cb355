"""The register of residents: who lives in the city, each with a number, never twice."""

from cardsvc.residents.actions import change_status, register, register_many
from cardsvc.residents.queries import (
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
from cardsvc.residents.rules import (
    DuplicateResident,
    InvalidRegistration,
    InvalidResidentNumber,
    InvalidStatusChange,
    Registration,
    ResidentNotFound,
    ResidentStatus,
    Sex,
    number_of,
    parse_number,
)

__all__ = [
    "DuplicateResident",
    "InvalidRegistration",
    "InvalidResidentNumber",
    "InvalidStatusChange",
    "Registration",
    "Resident",
    "ResidentHistory",
    "ResidentNotFound",
    "ResidentPage",
    "ResidentStatus",
    "Sex",
    "change_status",
    "find",
    "find_by_number",
    "find_many",
    "history",
    "ids_by_number",
    "number_of",
    "parse_number",
    "register",
    "register_many",
    "search",
]
