"""The floor: what the database needs to take the same rows into the same indexes by COPY, and nothing else.

No balances move, no duplicate is looked for, no trigger runs, and the rows arrive encoded.
"""

import struct
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import Engine

from bench.frame import rate
from cardsvc import db, ledger

_HEADER, _END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
_DDL = (
    "CREATE TABLE floor_entry (LIKE entry INCLUDING INDEXES)",
    "CREATE TABLE floor_posting (LIKE posting INCLUDING INDEXES)",
)
_ENTRY = "COPY floor_entry (id, seq, kind, currency, happened_at, recorded_at, rule) FROM STDIN (FORMAT BINARY)"
_POSTING = "COPY floor_posting (account_id, entry_seq, line, amount_cents) FROM STDIN (FORMAT BINARY)"


class Floor:
    """Copies of the ledger's two tables with the same columns and indexes, in the same database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        with db.unit_of_work(engine) as session:
            for statement in _DDL:
                session.execute(sa.text(statement))
            rows = session.execute(sa.text("SELECT code, id FROM account"))
            self._accounts = {row.code: row.id for row in rows}

    def copy(self, batches: Sequence[list[ledger.Draft]], first_seq: int) -> float:
        """Entries a second, one durable transaction a batch."""
        encoded = [self._encode(batch, first_seq + place) for place, batch in _placed(batches)]

        def work() -> int:
            with self._engine.connect() as connection:
                driver = connection.connection.driver_connection
                assert driver is not None
                for entries, postings in encoded:
                    with driver.cursor() as cursor:
                        for statement, blob in ((_ENTRY, entries), (_POSTING, postings)):
                            with cursor.copy(statement) as copy:
                                copy.write(blob)
                    driver.commit()
            return sum(map(len, batches))

        return rate(work)

    def _encode(self, drafts: list[ledger.Draft], first_seq: int) -> tuple[bytes, bytes]:
        entries, postings = [_HEADER], [_HEADER]
        for seq, draft in enumerate(drafts, start=first_seq):
            at = db.to_ms(draft.happened_at)
            entries += [
                struct.pack(">hi16siqiq", 7, 16, draft.entry_id.bytes, 8, seq, 8, draft.kind.value),
                _text(draft.currency),
                struct.pack(">iqiq", 8, at, 8, at),
                _text(draft.rule),
            ]
            for number, line in enumerate(draft.lines):
                account_id = self._accounts[line.account]
                postings.append(struct.pack(">hiqiqiqiq", 4, 8, account_id, 8, seq, 8, number, 8, line.amount_cents))
        return b"".join([*entries, _END]), b"".join([*postings, _END])


def _text(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack(">i", len(encoded)) + encoded


def _placed(batches: Sequence[list[ledger.Draft]]) -> list[tuple[int, list[ledger.Draft]]]:
    place, placed = 0, []
    for batch in batches:
        placed.append((place, batch))
        place += len(batch)
    return placed
