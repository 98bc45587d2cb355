"""What can go wrong with a terminal's own storage."""

from pathlib import Path
from typing import ClassVar
from uuid import UUID


class OutboxError(Exception):
    """Base of what this package raises. `code` is stable; the message is one sentence for a person."""

    code: ClassVar[str] = "outbox_error"


class NotEnrolled(OutboxError):
    code = "terminal_not_enrolled"

    def __init__(self, home: Path) -> None:
        super().__init__(
            f"This terminal ({home}) is not enrolled; have an administrator make a code with `./city devices invite`, "
            "then start it once with --enrol-code CODE."
        )
        self.home = home


class StorageFull(OutboxError):
    """Nothing was stored, so nothing may happen: the gate stays shut, no claim was made."""

    code = "terminal_storage_full"

    def __init__(self, path: Path) -> None:
        super().__init__(f"The terminal's storage is full ({path}); free some space, then ask again.")
        self.path = path


class OutboxBusy(OutboxError):
    code = "terminal_busy"

    def __init__(self, path: Path) -> None:
        super().__init__(f"Another program is using this terminal's outbox ({path}); wait for it, then try again.")
        self.path = path


class OutboxForeign(OutboxError):
    """The file is damaged, of another version, or another terminal's. It is never emptied to make it fit."""

    code = "terminal_outbox_foreign"

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"The outbox {path} cannot be used: {why}. Keep the file and ask the city's technicians.")
        self.path = path


class IntentPending(OutboxError):
    """The same thing was asked before and the service has not answered yet: a second record would do it twice."""

    code = "intent_pending"

    def __init__(self, record_id: UUID) -> None:
        super().__init__("This was asked before and is kept; it will be confirmed when the city's service answers.")
        self.record_id = record_id


class UnknownRecord(OutboxError):
    code = "unknown_record"

    def __init__(self, record_id: UUID) -> None:
        super().__init__(f"This terminal made no record {record_id}.")
        self.record_id = record_id
