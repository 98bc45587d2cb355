"""What somebody with the database's password did is found in the export that the city itself writes and seals."""

from pathlib import Path

import pytest

from tests.evidence import tampered
from tests.town import Town

TAP = 'SELECT min(leaf_index) FROM "transaction" WHERE kind = 10'
OF_TAP, AT_TAP = f"WHERE entry_seq = ({TAP})", f"WHERE leaf_index = ({TAP})"
RICH = "SELECT min(account_id) FROM balance WHERE balance_cents > 0"
CASES = {
    "an amount of an entry": (
        "posting",
        f"UPDATE posting SET amount_cents = amount_cents + 1 WHERE entry_seq = ({TAP}) AND line = 0",
        "unbalanced",
    ),
    "the account of a line": (
        "posting",
        f"UPDATE posting SET account_id = (SELECT min(id) FROM account WHERE id <> account_id) {OF_TAP} AND line = 1",
        "entry",
    ),
    "an entry's rule": ("entry", f"UPDATE entry SET rule = 'mine' WHERE seq = ({TAP})", "entry"),
    "an entry's time": ("entry", f"UPDATE entry SET happened_at = happened_at + 1 WHERE seq = ({TAP})", "entry"),
    "a removed entry": ("entry", f"DELETE FROM entry WHERE seq = ({TAP})", "missing"),
    "a record's kind": (
        "transaction",
        f'UPDATE "transaction" SET kind = 21 WHERE leaf_index = ({TAP})',
        "record",
    ),
    "a kept amount": (
        "transaction",
        f'UPDATE "transaction" SET amount_cents = amount_cents + 1 WHERE leaf_index = ({TAP})',
        "record",
    ),
    "whose card it was": (
        "transaction",
        f'UPDATE "transaction" SET card_id = (SELECT id FROM card WHERE id <> "transaction".card_id LIMIT 1) {AT_TAP}',
        "authorisation",
    ),
    "a rejection made good": (
        "transaction",
        "UPDATE \"transaction\" SET reason = 'too_old' WHERE outcome = 'rejected'",
        "leaf",
    ),
    "a live balance": (
        "balance",
        f"UPDATE balance SET balance_cents = balance_cents + 1 WHERE account_id = ({RICH})",
        "balance",
    ),
    "a commitment": (
        "log_leaf",
        f"UPDATE log_leaf SET commitment = salt WHERE leaf_index = ({TAP})",
        "leaf",
    ),
    "another terminal's key": (
        "device",
        "UPDATE device SET public_key = (SELECT public_key FROM device WHERE kind = 'portal') WHERE kind = 'validator'",
        "statement",
    ),
    "a receipt's number": (
        "transaction",
        "UPDATE \"transaction\" SET official_number = 'RPT-2026-0000009' WHERE official_number LIKE '%2'",
        "official_number",
    ),
}


@pytest.mark.parametrize("what", list(CASES))
def test_what_was_changed_in_the_database_is_found(busy: Town, tmp_path: Path, what: str) -> None:
    table, statement, code = CASES[what]
    verdict = tampered(busy, tmp_path / "export", table, statement)
    assert code in {finding.code for finding in verdict.findings}, verdict.findings
