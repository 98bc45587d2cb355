"""Which signed heads are witnessed, and by whom: proved from the export and keys from outside it."""

import hashlib
import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from cardsvc.app import wiring
from cardsvc.db import to_ms
from cardsvc.evidence import commands
from cardsvc.evidence.rules import tables
from cardsvc.evidence.rules.lines import write
from crypto import tlog
from crypto.wire.evidence import Seal, sign_seal
from tests.evidence import export, tampered, verify
from tests.partners import Partners
from tests.town import Town

NAMES = ("auditor", "barangay7", "province")


def keys(town: Town) -> str:
    return town.city.vault.city_keys().format()


def test_who_witnessed_how_many_heads_is_said(busy: Town, partners: Partners, tmp_path: Path) -> None:
    busy.fund(1_00, reference="LATER")
    folder = export(busy, tmp_path / "export")
    verdict = verify(folder, keys(busy), witnesses=tlog.TrustPolicy.parse(partners.policy(2)))
    assert verdict.holds, verdict.findings
    seen = verdict.witnessing
    heads = busy.count("checkpoint")
    assert (seen.given, seen.checkpoints, seen.witnessed, seen.enough, seen.others) == (True, heads, 2, 2, 0)
    assert sorted((one.name, one.checkpoints) for one in seen.by) == [(name, 2) for name in NAMES]
    assert {one.newest for one in seen.by} == {seen.newest_enough}
    assert seen.newest_enough is not None
    assert seen.newest_enough < busy.count("log_leaf")
    assert verdict.counts.cosignatures == busy.count("cosignature") == 6


def test_a_witness_that_was_not_given_vouches_for_nothing(busy: Town, partners: Partners, tmp_path: Path) -> None:
    folder = export(busy, tmp_path / "export")
    unknown = verify(folder, keys(busy))
    assert unknown.holds
    seen = unknown.witnessing
    assert (seen.given, seen.witnessed, seen.enough, seen.newest_enough, seen.others) == (False, 0, 0, None, 6)
    one = f"witness a {partners.key('auditor').signer().verifier.format()}\nquorum a\n"
    stranger = f"witness b {partners.key('stranger').signer().verifier.format()}\n"
    seen = verify(folder, keys(busy), witnesses=tlog.TrustPolicy.parse(stranger + one)).witnessing
    assert [(who.name, who.checkpoints) for who in seen.by] == [("b", 0), ("a", 2)]
    assert (seen.witnessed, seen.enough, seen.others) == (2, 2, 4)


def test_the_command_says_it(busy: Town, partners: Partners, tmp_path: Path) -> None:
    folder, city, file = export(busy, tmp_path / "export"), tmp_path / "keys.txt", tmp_path / "witnesses.txt"
    city.write_text(keys(busy))
    file.write_text(partners.policy(3))
    _, command = commands.make(wiring.permits())
    arguments = [str(folder), "--keys", str(city), "--witnesses", str(file)]
    told = CliRunner().invoke(command, arguments, env={})
    assert told.exit_code == 0, told.output
    assert f"2 of {busy.count('checkpoint')} checkpoints are witnessed, 2 by enough" in told.stdout
    for name in NAMES:
        assert f"  {name}: 2 checkpoints" in told.stdout
    said = json.loads(CliRunner().invoke(command, [*arguments, "--json"], env={}).stdout)
    assert said["witnessing"]["enough"] == 2
    bare = CliRunner().invoke(command, arguments[:3], env={})
    assert (bare.exit_code, "No checkpoint is shown to be witnessed" in bare.stdout) == (0, True)
    file.write_text("witness a\n")
    wrong = CliRunner().invoke(command, arguments, env={})
    assert getattr(wrong.exception, "code", None) == "witnesses_unreadable"


OTHER = (
    "(SELECT other.line FROM cosignature AS other WHERE other.vkey = cosignature.vkey"
    " AND other.tree_size <> cosignature.tree_size LIMIT 1)"
)
FIRST = "WHERE tree_size = (SELECT min(tree_size) FROM cosignature)"
FORGED = {
    "a line over another head": f"UPDATE cosignature SET line = {OTHER} {FIRST}",
    "a line of nobody": "UPDATE cosignature SET line = 'mine'",
    "two lines in one": "UPDATE cosignature SET line = line || line",
    "another witness's name": "UPDATE cosignature SET vkey = 'x' || vkey",
    "a head that is not there": "UPDATE cosignature SET tree_size = tree_size - 1",
}


@pytest.mark.parametrize("what", list(FORGED))
def test_a_cosignature_that_is_none_is_refused(busy: Town, tmp_path: Path, what: str) -> None:
    verdict = tampered(busy, tmp_path / "export", "cosignature", FORGED[what])
    assert not verdict.holds
    assert {(one.file, one.code) for one in verdict.findings} == {("cosignatures.tsv", "cosignature")}
    wrong = 3 if FIRST in FORGED[what] else 6
    assert [one.line for one in verdict.findings] == list(range(2, 2 + wrong))
    assert verdict.witnessing.others == 6 - wrong


def test_a_cosignature_over_another_root_of_the_same_size_is_refused(
    busy: Town, partners: Partners, tmp_path: Path
) -> None:
    with busy.city.engine.begin() as connection:
        size = connection.execute(sa.text("SELECT max(tree_size) FROM checkpoint")).scalar_one()
    forked = tlog.Checkpoint(busy.city.vault.log_origin, size, hashlib.sha256(b"another history").digest()).encode()
    line = tlog.cosign(forked, partners.key("auditor").signer(), 1_800_000_000).rstrip("\n")
    newline = "char(10)" if busy.city.engine.dialect.name == "sqlite" else "chr(10)"
    where = f"WHERE tree_size = {size} AND vkey LIKE 'auditor%'"
    statement = f"UPDATE cosignature SET line = '{line}' || {newline} {where}"
    verdict = tampered(busy, tmp_path / "export", "cosignature", statement)
    assert not verdict.holds
    assert [one.subject for one in verdict.findings] == [f"checkpoint {size}, witness auditor.example/w"]


def older(town: Town, folder: Path, *, drop: bool) -> Path:
    """The export under a manifest of the format before, sealed by the city; without the table of cosignatures if so."""
    rows = [line.split("\t")[1:-1] for line in (folder / "manifest.tsv").read_text().splitlines()[1:]]
    rows = [["format", tables.WITHOUT_COSIGNATURES, "", "", ""] if row[0] == "format" else row for row in rows]
    if drop:
        (folder / "cosignatures.tsv").unlink()
        rows = [row for row in rows if row[1] != "cosignatures.tsv"]
    data = tables.MANIFEST.header + b"".join(write(number, tuple(row)) for number, row in enumerate(rows))
    (folder / "manifest.tsv").write_bytes(data)
    facts = {row[0]: row[1] for row in rows if row[0] != "file"}
    seal = Seal(
        manifest_hash=hashlib.sha256(data).digest(),
        tree_size=int(facts["tree_size"]),
        root=bytes.fromhex(facts["root"]),
        taken_at_ms=to_ms(town.clock.now()),
    )
    (folder / "manifest.seal").write_bytes(sign_seal(seal, town.city.vault.signer("receipt")))
    return folder


def test_an_export_of_the_format_before_is_proved_and_shows_no_witness(
    busy: Town, partners: Partners, tmp_path: Path
) -> None:
    folder = older(busy, export(busy, tmp_path / "export"), drop=True)
    verdict = verify(folder, keys(busy), witnesses=tlog.TrustPolicy.parse(partners.policy(2)))
    assert verdict.holds, verdict.findings
    assert (verdict.witnessing.checkpoints, verdict.witnessing.witnessed) == (busy.count("checkpoint"), 0)


def test_the_format_before_has_no_cosignatures(busy: Town, tmp_path: Path) -> None:
    verdict = verify(older(busy, export(busy, tmp_path / "export"), drop=False), keys(busy))
    assert [(one.file, one.code) for one in verdict.findings] == [("manifest.tsv", "manifest")]


def test_a_head_that_cannot_be_read_is_named_alone(busy: Town, tmp_path: Path) -> None:
    folder = export(busy, tmp_path / "export")
    path = folder / "checkpoints.tsv"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], lines[1].replace(b"\t", b"\0", 1), *lines[2:]]))
    assert [(one.file, one.line) for one in verify(folder, keys(busy)).findings] == [("checkpoints.tsv", 2)]
