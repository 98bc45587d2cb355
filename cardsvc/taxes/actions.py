"""Verbs of the treasurer: take a file of bills. Paying is a signed record."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import ledger, residents
from cardsvc.db import insert_columns, to_ms
from cardsvc.taxes import queries, rules
from cardsvc.taxes.models import Bill, BillImport
from crypto.wire.ids import uuid7


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file brought. `import_id` is None for a dry run; `again` where the same file was taken before."""

    import_id: UUID | None
    bill_count: int
    total_cents: int
    again: bool


def open_accounts(session: Session, now: datetime) -> None:
    """The revenue accounts of the tax and of the special education levy: two funds, kept apart (LGC s.235)."""
    revenue, derived = ledger.AccountKind.REVENUE, ledger.AccountPolicy.DERIVED
    specs = [
        ledger.AccountSpec(rules.BASIC_ACCOUNT, revenue, derived, ledger.Fund.GENERAL),
        ledger.AccountSpec(rules.SEF_ACCOUNT, revenue, derived, ledger.Fund.SEF),
    ]
    ledger.open_accounts(session, specs, now)


def import_bills(
    session: Session,
    data: bytes,
    *,
    by: UUID,
    now: datetime,
    random_bytes: Callable[[int], bytes],
    dry_run: bool = False,
) -> Imported:
    """Take a CSV file of bills, all of it or nothing. The same file again changes nothing.

    Raises: InvalidBillFile naming every wrong row.
    """
    file_hash = hashlib.sha256(data).digest()
    before = queries.import_of(session, file_hash)
    rows = rules.read_file(data)
    total = sum(row.basic_cents + row.sef_cents for row in rows)
    if before is not None:
        return Imported(before[0], len(rows), total, again=True)
    resident_of = _check_against_register(session, rows)
    if dry_run:
        return Imported(None, len(rows), total, again=False)
    import_id = uuid7(to_ms(now), random_bytes(10))
    session.execute(
        sa.insert(BillImport),
        {
            "id": import_id,
            "file_hash": file_hash,
            "bill_count": len(rows),
            "imported_by": by,
            "imported_at": now,
        },
    )
    _insert_bills(session, import_id, rows, resident_of, now, random_bytes)
    return Imported(import_id, len(rows), total, again=False)


def _insert_bills(
    session: Session,
    import_id: UUID,
    rows: Sequence[rules.BillRow],
    resident_of: Mapping[str, UUID],
    now: datetime,
    random_bytes: Callable[[int], bytes],
) -> None:
    columns: dict[str, list[object]] = {
        "id": [uuid7(to_ms(now), random_bytes(10)) for _ in rows],
        "import_id": [import_id for _ in rows],
        "resident_id": [resident_of.get(row.resident_number or "") for row in rows],
        "state": ["open" for _ in rows],
    }
    for name in ("number", "tdn", "owner_name", "year", "quarter", "basic_cents", "sef_cents", "due_on"):
        columns[name] = [getattr(row, name) for row in rows]
    insert_columns(session, Bill.__table__, columns)


def _check_against_register(session: Session, rows: list[rules.BillRow]) -> dict[str, UUID]:
    """The residents named in the file. Raises: InvalidBillFile for unknown residents and known bill numbers."""
    named = sorted({row.resident_number for row in rows if row.resident_number})
    resident_of = residents.ids_by_number(session, named)
    known = queries.known_numbers(session, [row.number for row in rows])
    wrong: dict[str, list[str]] = {}
    for position, row in enumerate(rows, 1):
        if row.number in known:
            wrong.setdefault(f"rows.{position}", []).append(f"The bill {row.number} is in the register already.")
        if row.resident_number and row.resident_number not in resident_of:
            wrong.setdefault(f"rows.{position}", []).append(f"There is no resident {row.resident_number}.")
    rules.refuse_rows(wrong)
    return resident_of
