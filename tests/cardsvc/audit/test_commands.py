"""The proofs from the command line: what holds, what does not, and what a script can read of it."""

import json
from dataclasses import dataclass
from uuid import UUID

import click
import sqlalchemy as sa
from click.testing import CliRunner, Result
from sqlalchemy.orm import Session

from cardsvc import audit, db, web
from cardsvc.audit.commands import Check, make
from cardsvc.errors import CityError, ErrorKind
from crypto import tlog


@dataclass(frozen=True, slots=True)
class Counted:
    entries: int


class Crooked(CityError):
    code = "crooked"
    kind = ErrorKind.UNAVAILABLE


def holds(session: Session, city: web.City) -> Counted:
    return Counted(session.scalar(sa.text("SELECT 1200")) or 0)


def fails(session: Session, city: web.City) -> Counted:
    raise Crooked("Entry 7 is crooked.")


def run(city: web.City, group: click.Group, *arguments: str) -> Result:
    return CliRunner().invoke(group, list(arguments), obj=lambda: city)


def grow(city: web.City) -> None:
    leaves = [audit.Leaf(UUID(int=n + 1), bytes(32), "accepted", None, None, bytes(32)) for n in range(3)]
    db.run(city.engine, lambda session: audit.append(session, leaves))


def test_a_checkpoint_is_printed_as_anybody_can_verify_it(log_city: web.City) -> None:
    grow(log_city)
    note = run(log_city, make([]), "checkpoint").output
    assert tlog.open_checkpoint(note, [log_city.vault.note_signer().verifier]).size == 3
    assert json.loads(run(log_city, make([]), "checkpoint", "--json").output) == {"tree_size": 3, "note": note}


def test_check_looks_at_everything_and_ends_well_only_when_all_of_it_holds(log_city: web.City) -> None:
    grow(log_city)
    run(log_city, make([]), "checkpoint")
    good = run(log_city, make([Check("books", holds)]), "check")
    assert (good.exit_code, good.output) == (
        0,
        "books: holds, 1,200 entries\nlog: holds, 3 leaves, 0 erased, 1 checkpoints\n",
    )
    bad = run(log_city, make([Check("books", fails)]), "check", "--json")
    assert bad.exit_code == 1
    assert json.loads(bad.output) == {
        "ok": False,
        "books": {"ok": False, "code": "crooked", "message": "Entry 7 is crooked."},
        "log": {"ok": True, "leaves": 3, "erased": 0, "checkpoints": 1},
    }


def test_check_asks_who_keeps_the_records(log_city: web.City) -> None:
    grow(log_city)
    result = run(log_city, make([], source=lambda _session, _ids: {}), "check")
    assert result.exit_code == 1
    assert "record 00000000-0000-0000-0000-000000000001 of leaf 0 is not kept any more" in result.output
