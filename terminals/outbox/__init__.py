"""What a terminal must never lose: who it is, and every record it made until the service has answered for it."""

from terminals.outbox.elsewhere import StoredElsewhere
from terminals.outbox.errors import (
    IntentPending,
    NotEnrolled,
    OutboxBusy,
    OutboxError,
    OutboxForeign,
    StorageFull,
    UnknownRecord,
)
from terminals.outbox.identity import Identity, Newcomer, enrolment_key, load_identity, save_identity, write_durably
from terminals.outbox.store import FORGOTTEN_MAX, Outbox
from terminals.outbox.values import BATCH_ITEMS_MAX, OUTBOX_FILE, Balance, Refusal, Result, SignedBatch, State, Stored

__all__ = [
    "BATCH_ITEMS_MAX",
    "FORGOTTEN_MAX",
    "OUTBOX_FILE",
    "Balance",
    "Identity",
    "IntentPending",
    "Newcomer",
    "NotEnrolled",
    "Outbox",
    "OutboxBusy",
    "OutboxError",
    "OutboxForeign",
    "Refusal",
    "Result",
    "SignedBatch",
    "State",
    "StorageFull",
    "Stored",
    "StoredElsewhere",
    "UnknownRecord",
    "enrolment_key",
    "load_identity",
    "save_identity",
    "write_durably",
]
