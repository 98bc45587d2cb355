"""Tables of the residents' register."""

from cardsvc.residents.models.imports import ResidentImportedRow, ResidentImportRow
from cardsvc.residents.models.looks import ResidentLookRow, ResidentPhotoRow
from cardsvc.residents.models.matching import ResidentAliasRow, ResidentBlockRow, ResidentMergeRow, ResidentPairRow
from cardsvc.residents.models.register import ResidentCounterRow, ResidentEventRow, ResidentRow

__all__ = [
    "ResidentAliasRow",
    "ResidentBlockRow",
    "ResidentCounterRow",
    "ResidentEventRow",
    "ResidentImportRow",
    "ResidentImportedRow",
    "ResidentLookRow",
    "ResidentMergeRow",
    "ResidentPairRow",
    "ResidentPhotoRow",
    "ResidentRow",
]
