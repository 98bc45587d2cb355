"""`audit export` and `audit verify` as somebody types them."""

import json
import re
from pathlib import Path

from click.testing import CliRunner, Result

from cardsvc.app import wiring
from cardsvc.evidence import commands
from cardsvc.evidence.rules import tables
from tests.town import Town

EXPORT, VERIFY = commands.make(wiring.permits())
PAGE = Path(__file__).parents[3] / "docs" / "evidence-format.md"


def run(town: Town | None, *arguments: str) -> Result:
    """`verify` gets no city: it must not open one."""
    command = EXPORT if town is not None else VERIFY
    return CliRunner().invoke(command, list(arguments), obj=None if town is None else lambda: town.city, env={})


def test_an_export_is_written_and_proved_without_a_city(busy: Town, tmp_path: Path) -> None:
    folder, keys = tmp_path / "export", tmp_path / "city-keys.txt"
    keys.write_text(busy.city.vault.city_keys().format())
    written = run(busy, str(folder), "--json")
    assert written.exit_code == 0, written.output
    told = json.loads(written.stdout)
    assert told["tree_size"] == busy.count("log_leaf")
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.rglob("*"))

    proved = run(None, str(folder), "--keys", str(keys), "--json")
    assert proved.exit_code == 0, proved.output
    verdict = json.loads(proved.stdout)
    assert verdict["holds"]
    assert verdict["export"]["root"] == told["root"]
    assert (verdict["keys"], verdict["authentic"]) == ("given", True)

    again = run(busy, str(folder))
    assert again.exit_code != 0


def test_without_the_citys_keys_the_exit_code_says_that_nobody_vouches_for_it(busy: Town, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    run(busy, str(folder))
    unsure = run(None, str(folder), "--json")
    assert unsure.exit_code == commands.UNSIGNED
    assert "taken from the export itself" in unsure.stderr
    verdict = json.loads(unsure.stdout)
    assert (verdict["holds"], verdict["authentic"]) == (True, False)
    meant = run(None, str(folder), "--unsigned")
    assert (meant.exit_code, meant.stderr) == (0, "")
    assert "Whose it is, is not shown" in meant.stdout
    (folder / "refused.tsv").write_text("")
    assert run(None, str(folder), "--unsigned").exit_code == 1


def test_a_changed_entry_is_named_and_the_exit_code_says_so(busy: Town, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    run(busy, str(folder))
    (journal,) = (folder / "journal").iterdir()
    before = journal.read_bytes()
    journal.write_bytes(before.replace(b"transit/ride", b"transit/rIde", 1))
    assert journal.read_bytes() != before
    told = run(None, str(folder))
    assert told.exit_code == 1
    assert re.search(r"journal/000000000000\.tsv:\d+: .*changed", told.output), told.output
    found = json.loads(run(None, str(folder), "--json").stdout)
    assert not found["holds"]
    assert [one["file"] for one in found["findings"]] == ["journal/000000000000.tsv"]


def test_the_page_of_the_format_names_every_column() -> None:
    text = PAGE.read_text()
    assert f"Version `{tables.FORMAT}`" in text
    for table in (tables.MANIFEST, *tables.ONE_FILE, *tables.FOLDERS):
        assert f"| {table.name} | {', '.join(table.columns)} |" in text
