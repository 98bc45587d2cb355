"""A restored backup, a fork, a lost file: the log is not signed on, and goes on only by the word of two people."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import access, app, audit, db, settings, web
from cardsvc.audit.models import LogRecoveryRow
from cardsvc.vault import Vault
from crypto import tlog
from tests.heads import Backups, check, grow, publish, published, recover, two_people

Lost = audit.LogBehindCheckpoint


def test_the_newest_head_stands_outside_the_database(log_city: web.City) -> None:
    kept = log_city.settings.log_head
    for size in (3, 7):
        assert kept.exists() == (size == 7)
        assert kept.parent.exists()
        head = published(log_city, size)
        assert kept.read_text() == head.note
        check(log_city)
    assert publish(log_city) == head


def test_a_restored_backup_is_not_signed_on(log_city: web.City, backups: Backups) -> None:
    published(log_city, 10)
    older = backups.take()
    lost = published(log_city, 20)
    backups.put_back(older)
    for refused in (check, publish):
        with pytest.raises(Lost, match=r"10 leaves .* checkpoint of 20"):
            refused(log_city)
    # it goes on taking records, and reaches the lost size with others
    for size in (20, 31):
        grow(log_city, size, other=1)
        with pytest.raises(Lost):
            publish(log_city)
    assert log_city.settings.log_head.read_text() == lost.note
    head = db.run(log_city.engine, audit.newest, read_only=True)
    assert head is not None
    assert head.tree_size == 10


def test_the_newest_copy_put_back_goes_on_as_if_nothing_had_been(log_city: web.City, backups: Backups) -> None:
    published(log_city, 10)
    older = backups.take()
    published(log_city, 20)
    newest = backups.take()
    backups.put_back(older)
    with pytest.raises(Lost):
        check(log_city)
    backups.put_back(newest)
    check(log_city)
    assert published(log_city, 25).tree_size == 25


def test_another_history_of_the_same_size_is_noticed(log_city: web.City, backups: Backups) -> None:
    published(log_city, 10)
    older = backups.take()
    published(log_city, 20)
    kept = log_city.settings.log_head.read_text()
    backups.put_back(older)
    log_city.settings.log_head.unlink()  # the fork grew elsewhere, with a home of its own
    log_city.settings.log_head.write_text(db.run(log_city.engine, audit.newest).note)  # type: ignore[union-attr]
    published(log_city, 20, other=1)
    log_city.settings.log_head.write_text(kept)
    for refused in (check, publish):
        with pytest.raises(Lost, match=r"20 leaves .* checkpoint of 20"):
            refused(log_city)


def test_a_lost_file_stops_the_log_and_two_people_start_it_again(log_city: web.City) -> None:
    two_people(log_city)
    head = published(log_city, 10)
    kept = log_city.settings.log_head
    kept.unlink()
    for refused in (check, publish):
        with pytest.raises(audit.KeptHeadMissing, match="--same-log"):
            refused(log_city)
    result = recover(log_city, "--same-log")
    assert result.exit_code == 0, result.exception
    assert json.loads(result.stdout) == {"origin": "city.example/log", "tree_size": 10, "note": head.note}
    assert kept.read_text() == head.note
    assert published(log_city, 11).note.startswith("city.example/log\n11\n")


BROKEN: dict[str, Callable[[str], bytes]] = {
    "empty": lambda _note: b"",
    "cut": lambda note: note[:-9].encode(),
    "another size": lambda note: note.replace("\n10\n", "\n11\n").encode(),
    "no text": lambda _note: b"\xff\xfe\x00",
    "of a stranger": lambda note: note.replace("city.example/log", "else.example/log").encode(),
    "very long": lambda note: note.encode() + b"x" * 300_000,
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_file_that_cannot_be_read_stops_the_log(log_city: web.City, broken: str) -> None:
    two_people(log_city)
    head = published(log_city, 10)
    kept = log_city.settings.log_head
    kept.write_bytes(BROKEN[broken](head.note))
    for refused in (check, publish):
        with pytest.raises(audit.KeptHeadUnreadable, match="newest"):
            refused(log_city)
    assert recover(log_city, "--same-log").exit_code == 0
    check(log_city)


def test_a_head_that_was_never_committed_is_continued(log_city: web.City) -> None:
    """The file is written before the commit: a crash between leaves a head that the database does not have."""
    published(log_city, 10)
    grow(log_city, 15)
    with log_city.engine.connect() as connection, Session(connection) as session:
        audit.publish(session, log_city.vault, log_city.clock.now(), log_city.settings.log_head)
        session.rollback()
    assert "\n15\n" in log_city.settings.log_head.read_text()
    check(log_city)
    assert published(log_city, 17).tree_size == 17


def test_a_head_that_cannot_be_kept_is_not_published(log_city: web.City) -> None:
    published(log_city, 10)
    shutil.rmtree(log_city.settings.home)
    log_city.settings.home.write_text("no folder any more")
    with pytest.raises((OSError, audit.KeptHeadUnreadable)):
        published(log_city, 12)
    head = db.run(log_city.engine, audit.newest, read_only=True)
    assert head is not None
    assert head.tree_size == 10


def test_two_people_give_a_lost_history_up_and_the_log_goes_on_by_another_name(
    log_city: web.City, backups: Backups, vault: Vault
) -> None:
    two_people(log_city)
    before = published(log_city, 10)
    older = backups.take()
    lost = published(log_city, 20)
    backups.put_back(older)
    grow(log_city, 12, other=1)

    result = recover(log_city, "--same-log")
    assert isinstance(result.exception, audit.LostHeadKnown)
    result = recover(log_city)
    assert result.exit_code == 0, result.exception
    said = json.loads(result.stdout)
    assert said["origin"] == f"city.example/log/{log_city.clock.now():%Y%m%d%H%M%S}"
    assert said["note"].startswith(f"{said['origin']}\n12\n")

    def look(session: Session) -> None:
        keys = audit.city_keys(session, vault)
        assert [log.name for log in keys.logs] == ["city.example/log", said["origin"]]
        assert type(keys).parse(keys.format()) == keys
        assert tlog.open_checkpoint(before.note, keys.logs).size == 10  # what was signed stays good
        assert tlog.open_checkpoint(said["note"], keys.logs).size == 12
        assert audit.check_log(session, keys.logs) == audit.LogChecked(12, erased=0, checkpoints=2)
        assert access.check_actions(session).actions == 1
        (stated,) = audit.recoveries(session)
        assert (stated.lost, stated.reason, stated.tree_size) == (lost.note, "The disk burned.", 12)

    db.run(log_city.engine, look, read_only=True)
    check(log_city)
    assert published(log_city, 13, other=1).note.startswith(said["origin"])

    # the same backup once more: what the new name signed is not forgotten either
    backups.put_back(older)
    with pytest.raises(Lost, match=r"10 leaves .* checkpoint of 13"):
        check(log_city)


def test_a_row_that_nobody_signed_gives_no_head_up(log_city: web.City, backups: Backups) -> None:
    published(log_city, 10)
    older = backups.take()
    lost = published(log_city, 20)
    backups.put_back(older)
    said = {"origin": "city.example/log", "tree_size": 10, "root": bytes(32), "lost": lost.note, "reason": "I say so"}
    row = {**said, "action_id": UUID(int=7), "recovered_at": log_city.clock.now()}
    db.run(log_city.engine, lambda session: session.execute(sa.insert(LogRecoveryRow), [row]))
    with pytest.raises(access.UnprovedAction, match="no two people signed"):
        check(log_city)


def test_a_recovery_needs_two_people_who_may_and_a_loss(log_city: web.City, backups: Backups) -> None:
    two_people(log_city)
    published(log_city, 10)
    assert isinstance(recover(log_city).exception, audit.NothingLost)
    older = backups.take()
    published(log_city, 20)
    backups.put_back(older)
    for by in (("ana", "ana"), ("ana", "cid"), ("cid", "ana"), ("ana", "nobody")):
        assert recover(log_city, by=by).exit_code != 0
    assert recover(log_city, passwords="a wrong password of a test").exit_code != 0
    with pytest.raises(Lost):
        check(log_city)
    assert db.run(log_city.engine, audit.recoveries, read_only=True) == []


def test_the_service_does_not_start_behind_its_kept_head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITY_ENV", "test")
    monkeypatch.setenv("CITY_HOME", str(tmp_path / "home"))
    config = settings.load()
    city = app.init_city(config)
    published(city, 3)
    city.engine.dispose()
    shutil.copyfile(config.home / "city.db", tmp_path / "backup.db")
    published(city, 5)
    city.engine.dispose()
    shutil.copyfile(tmp_path / "backup.db", config.home / "city.db")
    with pytest.raises(Lost, match="log recover"):
        app.create_app(config)
    config.log_head.unlink()
    with pytest.raises(audit.KeptHeadMissing):
        app.create_app(config)


def test_settings_name_the_witnesses(tmp_path: Path, log_city: web.City) -> None:
    file = tmp_path / "witnesses"
    config = replace(log_city.settings, witnesses=file)
    with pytest.raises(audit.WitnessesUnreadable, match="CITY_WITNESSES"):
        audit.outside(config)
    file.write_text("quorum nobody\n")
    with pytest.raises(audit.WitnessesUnreadable, match="Line 1"):
        audit.outside(config)
    file.write_text("quorum none\n")
    assert audit.outside(config).witnesses is not None
