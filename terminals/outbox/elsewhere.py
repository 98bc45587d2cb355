"""Another terminal's outbox, to be looked at: a sibling on the same gate line, or a copy that was brought here."""

import sqlite3
from pathlib import Path
from typing import Any
from uuid import UUID

from terminals.outbox.errors import OutboxBusy, OutboxForeign
from terminals.outbox.store import BUSY_SECONDS, COLUMNS, VERSION, stored_from
from terminals.outbox.values import Stored


class StoredElsewhere:
    """Opened for each look and never written. What stands there is believed as it stands: it says where somebody was
    seen, and moves no money.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def of_subject(self, kind: int, subject: UUID, since_ms: int) -> tuple[Stored, ...]:
        """The records of this kind that the card signed there since then, oldest first; none while there is no file.

        Raises: OutboxForeign, OutboxBusy.
        """
        if not self._path.exists():
            return ()
        return tuple(
            stored_from(row)
            for row in self._read(
                f"SELECT {COLUMNS} FROM record WHERE subject = ? AND kind = ? AND at_ms >= ? ORDER BY sequence",  # noqa: S608
                subject.bytes,
                int(kind),
                since_ms,
            )
        )

    def _read(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            opened = sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS)
            try:
                if opened.execute("PRAGMA user_version").fetchone()[0] != VERSION:
                    raise OutboxForeign(self._path, "it is of another version")
                return opened.execute(statement, values).fetchall()
            finally:
                opened.close()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
                raise OutboxBusy(self._path) from error
            raise OutboxForeign(self._path, "it is damaged or no outbox") from error
