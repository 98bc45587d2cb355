"""What changes the register: people, what becomes of them, files of them, who was shown them, who is whom."""

from cardsvc.residents.actions.comparing import Pool, decide_entries, index_register
from cardsvc.residents.actions.importing import begin_import, end_import, import_rows
from cardsvc.residents.actions.looking import note_look, note_looks
from cardsvc.residents.actions.merging import Holdings, decide_pair, merge, part
from cardsvc.residents.actions.photos import store_photo
from cardsvc.residents.actions.registering import OnRegistered, change_status, register, register_many
from cardsvc.residents.actions.writing import RandomBytes, entry_of

__all__ = [
    "Holdings",
    "OnRegistered",
    "Pool",
    "RandomBytes",
    "begin_import",
    "change_status",
    "decide_entries",
    "decide_pair",
    "end_import",
    "entry_of",
    "import_rows",
    "index_register",
    "merge",
    "note_look",
    "note_looks",
    "part",
    "register",
    "register_many",
    "store_photo",
]
