import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import root, table
from crypto.errors import MalformedMessage

CHECKOUT = Path(__file__).parent.parent.parent


@pytest.fixture
def entries(monkeypatch: pytest.MonkeyPatch) -> dict[str, table.Entry]:
    """A command table of this test's own; the root command reads nothing else."""
    own: dict[str, table.Entry] = {}
    monkeypatch.setattr(root, "ENTRIES", own)
    return own


def invoke(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(root.root, arguments, prog_name="./city")
    return result.exit_code, result.stdout, result.stderr


def test_help_names_every_command_under_its_heading() -> None:
    code, out, _ = invoke("--help")
    assert code == 0
    places = [out.index(f"\n{section.heading}:\n") for section in table.SECTIONS]
    assert places == sorted(places)
    for name in table.ENTRIES:
        assert f"\n  {name} " in out


def test_help_fits_a_terminal_of_80_columns_one_line_a_command() -> None:
    _, out, _ = invoke("--help")
    for entry in table.ENTRIES.values():
        assert any(line.startswith(f"  {entry.name} ") and line.endswith(entry.help) for line in out.splitlines())


def test_help_loads_no_command() -> None:
    program = (
        "import sys, contextlib\n"
        "from cli.root import root\n"
        "with contextlib.suppress(SystemExit): root(['--help'])\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('cardsvc', 'terminals', 'demo', 'crypto', 'flask')])"
    )
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    out = subprocess.run([sys.executable, "-c", program], env=environment, check=True, capture_output=True, text=True)
    assert out.stdout.splitlines()[-1] == "[]"


def test_an_unknown_command_is_a_wrong_use() -> None:
    code, _, err = invoke("nothing-of-that-name")
    assert code == 2
    assert "No such command" in err


def test_a_command_whose_part_is_not_installed_says_so(entries: dict[str, table.Entry]) -> None:
    entries["serve"] = table.Entry("serve", "cardsvc.not_installed:serve", "")
    code, out, err = invoke("serve", "--port", "1")
    assert (code, out) == (1, "")
    assert err == (
        "Error: ./city serve is not available in this installation: the part cardsvc.not_installed is missing.\n"
    )


def test_a_command_that_its_module_does_not_offer_says_so(entries: dict[str, table.Entry]) -> None:
    entries["serve"] = table.Entry("serve", "tests.cli.commands:commands", "")
    code, _, err = invoke("serve")
    assert code == 1
    assert "not available" in err


def test_our_own_errors_are_one_sentence_on_stderr(entries: dict[str, table.Entry]) -> None:
    entries["worker"] = table.Entry("worker", "tests.cli.commands:commands", "")
    assert invoke("worker") == (1, "", "Error: the file does not hold a receipt\n")


def test_with_json_our_own_errors_are_one_object_as_well(entries: dict[str, table.Entry]) -> None:
    entries["worker"] = table.Entry("worker", "tests.cli.commands:commands", "")
    code, out, err = invoke("worker", "--json")
    assert code == 1
    assert json.loads(out) == {
        "ok": False,
        "code": MalformedMessage.code,
        "message": "the file does not hold a receipt",
    }
    assert err == "Error: the file does not hold a receipt\n"


def test_a_bug_keeps_its_traceback(entries: dict[str, table.Entry]) -> None:
    entries["worker"] = table.Entry("worker", "tests.cli.commands:broken", "")
    result = CliRunner().invoke(root.root, ["worker"])
    assert isinstance(result.exception, ZeroDivisionError)


def test_test_is_answered_by_the_script() -> None:
    code, _, err = invoke("test", "-k", "receipt")
    assert (code, err) == (1, "Error: run it through the script: ./city test -k receipt\n")


def test_the_version_is_the_projects() -> None:
    code, out, _ = invoke("--version")
    assert code == 0
    assert f'version = "{out.split()[-1]}"' in (CHECKOUT / "pyproject.toml").read_text()


@pytest.mark.parametrize("entry", table.ENTRIES.values(), ids=list(table.ENTRIES))
def test_every_listed_command_explains_itself(entry: table.Entry) -> None:
    code, out, err = invoke(entry.name, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"Usage: ./city {entry.name} ")


def test_every_command_of_the_service_is_listed() -> None:
    commands = importlib.import_module("cardsvc.app").commands
    assert set(commands) <= set(table.ENTRIES)
