"""An export of a true city is proved with nothing but its public keys; one changed byte is named."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cardsvc import evidence
from tests.evidence import export, files, verify
from tests.town import Town


@pytest.fixture
def folder(busy: Town, tmp_path: Path) -> Path:
    return export(busy, tmp_path / "export")


def test_a_busy_town_is_proved(busy: Town, folder: Path) -> None:
    verdict = verify(folder, busy.city.vault.city_keys().format())
    assert verdict.findings == ()
    assert verdict.holds
    assert not verdict.keys_from_export
    counts = verdict.counts
    assert counts.leaves == counts.transactions == busy.count("transaction")
    assert counts.entries == counts.accepted == busy.count("entry")
    assert counts.postings == busy.count("posting")
    assert counts.accounts == busy.count("account")


def test_several_processes_say_the_same(busy: Town, folder: Path) -> None:
    assert verify(folder, jobs=2).counts == verify(folder, jobs=1).counts


def test_an_empty_city_is_proved(town: Town, tmp_path: Path) -> None:
    assert verify(export(town, tmp_path / "empty")).holds


def test_an_export_goes_into_an_empty_folder_only(busy: Town, folder: Path) -> None:
    with pytest.raises(evidence.FolderNotEmpty):
        export(busy, folder)


def test_an_interrupted_export_is_never_taken_for_a_whole_one(folder: Path) -> None:
    (folder / "manifest.tsv").unlink()
    with pytest.raises(evidence.NoExport):
        verify(folder)


def test_another_citys_keys_prove_nothing(folder: Path) -> None:
    from crypto.keys import Ed25519Signer, SoftwareSigner
    from crypto.tlog import NoteVerifier
    from crypto.wire.citykeys import CityKeys

    signer = SoftwareSigner.from_secret(77)
    log = NoteVerifier("another.example/log", Ed25519Signer.from_secret(77).public_key)
    verdict = verify(folder, CityKeys((signer.public_key,), (log,), (signer.public_key,)).format())
    assert {"seal", "statement", "checkpoint"} <= {finding.code for finding in verdict.findings}


# ------------------------------------------------------------------------------------------- one byte, line or file


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_one_changed_byte_anywhere_is_named(folder: Path, data: Any) -> None:
    path = data.draw(st.sampled_from(files(folder)))
    name = path.relative_to(folder).as_posix()
    before = path.read_bytes()
    place = data.draw(st.integers(0, len(before) - 1))
    how = data.draw(st.sampled_from(["changed", "inserted", "deleted"]))
    byte = bytes([data.draw(st.integers(0, 255).filter(lambda value: value != before[place]))])
    kept = before[place + (how != "inserted") :]
    path.write_bytes(before[:place] + (b"" if how == "deleted" else byte) + kept)
    try:
        verdict = verify(folder)
    except evidence.KeysUnreadable:
        verdict = None
    finally:
        path.write_bytes(before)
    if name == "city-keys.txt":
        assert verdict is None or not verdict.holds
        return  # the keys in it verify nothing any more: everything is named
    assert verdict is not None
    assert not verdict.holds
    line = before[:place].count(b"\n") + 1
    named = {(finding.file, finding.line) for finding in verdict.findings}
    assert {file for file, _ in named} == {name} or name == "manifest.seal", verdict.findings
    # a newline more or less moves what follows it by one
    assert all(at is None or line <= at <= line + 1 for _, at in named), verdict.findings
    if name.endswith(".tsv"):
        assert any(at is not None for _, at in named), verdict.findings


def test_a_line_of_the_manifest_that_cannot_be_read_is_named_and_nothing_else(folder: Path) -> None:
    path = folder / "manifest.tsv"
    before = path.read_bytes()
    lines = before.splitlines(keepends=True)
    for number in range(1, len(lines)):
        path.write_bytes(b"".join(lines[:number]) + b"\0" + b"".join(lines[number:])[1:])
        verdict = verify(folder)
        assert not verdict.holds
        assert {(finding.file, finding.line) for finding in verdict.findings} == {("manifest.tsv", number + 1)}


def lines_of(folder: Path, name: str) -> tuple[Path, list[bytes]]:
    (path,) = folder.glob(name)
    return path, path.read_bytes().splitlines(keepends=True)


TABLES = [
    "journal/*.tsv",
    "batches/*.tsv",
    "cards/*.tsv",
    "keys.tsv",
    "accounts.tsv",
    "checkpoints.tsv",
    "cosignatures.tsv",
    "manifest.tsv",
]


@pytest.mark.parametrize("name", TABLES)
def test_a_removed_line_is_named(folder: Path, name: str) -> None:
    path, lines = lines_of(folder, name)
    path.write_bytes(b"".join([*lines[:1], *lines[2:]]))
    verdict = verify(folder)
    assert (path.relative_to(folder).as_posix(), 2) in {(one.file, one.line) for one in verdict.findings} or not lines[
        2:
    ]
    assert not verdict.holds


@pytest.mark.parametrize("name", TABLES)
def test_two_swapped_lines_are_named(folder: Path, name: str) -> None:
    path, lines = lines_of(folder, name)
    if len(lines) < 3:
        return
    path.write_bytes(b"".join([lines[0], lines[2], lines[1], *lines[3:]]))
    found = {(one.file, one.line) for one in verify(folder).findings}
    assert {(path.relative_to(folder).as_posix(), 2), (path.relative_to(folder).as_posix(), 3)} <= found


def test_a_removed_file_and_a_file_too_many_are_named(folder: Path) -> None:
    whole = files(folder)
    (folder / "extra.tsv").write_bytes(b"")
    assert [(one.file, one.code) for one in verify(folder).findings] == [("extra.tsv", "extra")]
    (folder / "extra.tsv").unlink()
    for path in whole:
        name = path.relative_to(folder).as_posix()
        if name in ("manifest.tsv", "city-keys.txt"):
            continue
        kept = path.read_bytes()
        path.unlink()
        assert name in {one.file for one in verify(folder).findings}, name
        path.write_bytes(kept)


def test_an_older_export_under_a_newer_manifest_is_named(busy: Town, folder: Path, tmp_path: Path) -> None:
    busy.fund(1_00, reference="LATER")
    newer = export(busy, tmp_path / "newer")
    for name in ("manifest.tsv", "manifest.seal"):
        shutil.copyfile(newer / name, folder / name)
    verdict = verify(folder)
    assert not verdict.holds
    assert any(one.file.startswith("journal/") for one in verdict.findings)
    shutil.copyfile(newer / "manifest.seal", folder / "manifest.seal")
