"""The city's log and its witnesses: real ones over HTTP, as partners run them."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from cardsvc import app, audit, db, web
from cardsvc.audit.commands import make_log
from cardsvc.clock import FixedClock
from crypto import tlog
from tests.heads import Backups, check, published, recover, two_people
from tests.partners import Partners, three

SENT = audit.State.COSIGNED


@pytest.fixture
def partners(log_city: web.City, tmp_path: Path) -> Iterator[Partners]:
    clock = FixedClock(log_city.clock.now())
    with three(tmp_path / "partners", clock, log_city.vault.note_signer().verifier) as found:
        yield found


@pytest.fixture
def watched(log_city: web.City, partners: Partners, tmp_path: Path) -> web.City:
    """The same city, of whose three witnesses two are enough."""
    file = tmp_path / "witnesses.txt"
    file.write_text(partners.policy(2))
    return replace(log_city, settings=replace(log_city.settings, witnesses=file))


def cosign(city: web.City) -> dict[str, audit.State]:
    around = audit.outside(city.settings)
    return {one.name: one.state for one in audit.cosign(city.engine, city.vault, around, city.clock.now())}


def start(city: web.City) -> None:
    audit.check_start(city.engine, city.vault, audit.outside(city.settings))


def served(city: web.City, path: str = "/log/checkpoint") -> str:
    answer = app.app_of(city).test_client().get(path)
    return str(answer.text) if answer.status_code == 200 else f"{answer.status_code}"


def test_what_witnesses_sign_is_served_with_the_checkpoint(watched: web.City, partners: Partners) -> None:
    assert cosign(watched) == {}
    published(watched, 5)
    assert served(watched, "/log/checkpoint/witnessed") == "404"
    assert set(cosign(watched).values()) == {SENT}
    assert set(cosign(watched).values()) == {audit.State.HELD}
    head = published(watched, 300)
    assert set(cosign(watched).values()) == {SENT}
    policy = audit.outside(watched.settings).witnesses
    assert policy is not None
    for path in ("/log/checkpoint", "/log/checkpoint/witnessed"):
        note = served(watched, path)
        assert note.startswith(head.note)
        assert tlog.open_checkpoint(note, [partners.log]).size == 300
        signed = tlog.cosignatures(note, [one.verifier for one in policy.witnesses.values()])
        assert policy.is_met([one.verifier for one in signed])
        assert len(signed) == 3
    published(watched, 301)
    assert tlog.open_checkpoint(served(watched), [partners.log]).size == 301
    assert tlog.open_checkpoint(served(watched, "/log/checkpoint/witnessed"), [partners.log]).size == 300
    db.run(watched.engine, lambda s: audit.check_log(s, audit.city_keys(s, watched.vault).logs), read_only=True)


def test_one_that_is_away_holds_nobody_up_and_catches_up_later(watched: web.City, partners: Partners) -> None:
    published(watched, 5)
    partners.stop("province")
    assert cosign(watched) == {"barangay7": SENT, "auditor": SENT, "province": audit.State.UNREACHABLE}
    published(watched, 9)
    partners.stop("auditor")
    run = CliRunner().invoke(make_log(), ["cosign", "--json"], obj=lambda: watched)
    said = json.loads(run.output)
    assert (run.exit_code, said["tree_size"], said["enough"]) == (1, 9, False)
    partners.start("auditor")
    assert watched.settings.witnesses is not None
    watched.settings.witnesses.write_text(partners.policy(2))
    run = CliRunner().invoke(make_log(), ["cosign"], obj=lambda: watched)
    assert run.exit_code == 0
    assert "enough witnesses" in run.output


def test_a_witness_whose_memory_is_ours_no_more_is_asked_where_it_stands(watched: web.City, backups: Backups) -> None:
    """The database forgot its cosignatures, not its leaves: the witness says the size, and the proof begins there."""
    published(watched, 5)
    before = backups.take()
    cosign(watched)
    backups.put_back(before)
    published(watched, 8)
    assert set(cosign(watched).values()) == {SENT}


def test_database_and_file_restored_together_are_caught_by_the_witnesses(watched: web.City, backups: Backups) -> None:
    published(watched, 5)
    cosign(watched)
    older, file = backups.take(), watched.settings.log_head.read_text()
    published(watched, 9)
    cosign(watched)
    backups.put_back(older)
    watched.settings.log_head.write_text(file)
    check(watched)  # by itself nobody would notice
    with pytest.raises(audit.LogBehindCheckpoint, match=r"5 leaves .* checkpoint of 9"):
        start(watched)
    assert "\n9\n" in watched.settings.log_head.read_text()  # the evidence is kept
    with pytest.raises(audit.LogBehindCheckpoint):
        published(watched, 12, other=1)


def test_a_running_service_notices_what_a_witness_has_seen(watched: web.City, backups: Backups) -> None:
    published(watched, 5)
    older, file = backups.take(), watched.settings.log_head.read_text()
    published(watched, 9)
    cosign(watched)
    for size in (6, 9, 12):  # behind, another tree of the same size, and ahead by another way
        backups.put_back(older)
        watched.settings.log_head.write_text(file)
        published(watched, size, other=1)
        with pytest.raises(audit.LogBehindCheckpoint):
            cosign(watched)
        with pytest.raises(audit.LogBehindCheckpoint):
            published(watched, 20, other=1)


def test_a_lost_file_is_made_anew_where_enough_witnesses_vouch(watched: web.City, partners: Partners) -> None:
    head = published(watched, 5)
    cosign(watched)
    watched.settings.log_head.unlink()
    partners.stop("auditor")
    start(watched)  # two of three are enough
    assert watched.settings.log_head.read_text() == head.note
    watched.settings.log_head.write_text("nonsense")
    partners.stop("province")
    with pytest.raises(audit.KeptHeadUnreadable):
        start(watched)


def test_after_a_recovery_witnesses_watch_the_new_name(
    watched: web.City, backups: Backups, tmp_path: Path, clock: FixedClock
) -> None:
    two_people(watched)
    published(watched, 5)
    older = backups.take()
    published(watched, 9)
    cosign(watched)
    backups.put_back(older)
    with pytest.raises(audit.LogBehindCheckpoint):
        start(watched)
    assert recover(watched).exit_code == 0
    start(watched)
    published(watched, 7, other=1)
    assert set(cosign(watched).values()) == {audit.State.REFUSED}  # 404: they do not know this log yet
    name = db.run(watched.engine, lambda s: audit.origin(s, watched.vault), read_only=True)
    key = tlog.NoteVerifier(name, watched.vault.note_signer().verifier.public_key)
    with three(tmp_path / "partners anew", clock, key) as anew:
        assert watched.settings.witnesses is not None
        watched.settings.witnesses.write_text(anew.policy(3))
        assert set(cosign(watched).values()) == {SENT}
        start(watched)


def test_a_witness_that_lies_is_not_believed(watched: web.City, partners: Partners) -> None:
    """It has another key than the file says: its lines are worth nothing, and its heads stop nobody."""
    published(watched, 5)
    assert watched.settings.witnesses is not None
    other = partners.key("stranger").signer().verifier.format()
    text = partners.policy(2).replace(partners.key("province").signer().verifier.format(), other)
    watched.settings.witnesses.write_text(text)
    assert cosign(watched) == {"barangay7": SENT, "auditor": SENT, "province": audit.State.REFUSED}
    start(watched)


def test_without_witnesses_the_command_says_how_to_name_them(log_city: web.City) -> None:
    result = CliRunner().invoke(make_log(), ["cosign"], obj=lambda: log_city)
    assert "CITY_WITNESSES" in str(result.exception)
