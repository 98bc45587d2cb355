"""House rules are code: each failure names the place and what to do about it."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).parent.parent
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50
LOCKS = ("requirements.lock", "requirements-accel.lock", "requirements-dev.lock", "requirements-terminal.lock")

# Only these may look at the wall clock or ask for an id out of nothing; everybody else is handed the time.
CLOCKS = {
    "cardsvc/clock.py",
    "terminals/settings.py",
    "demo/clock.py",
    "crypto/commands/certificates.py",  # a command without a city, for which --at gives the time
    "tests/simulation/test_the_service_under_fire.py",  # the service it kills runs by the machine's clock
}


def project() -> dict[str, Any]:
    return tomllib.loads((CHECKOUT / "pyproject.toml").read_text())


def tree() -> Iterator[Path]:
    """Every file of the project's own, whether already committed or not."""
    for folder, names, files in os.walk(CHECKOUT):
        names[:] = [name for name in names if name not in {".git", ".venv", ".judges", "var", "static"}]
        names[:] = [
            name for name in names if not name.endswith("_cache") and name not in {"__pycache__", ".hypothesis"}
        ]
        yield from (Path(folder) / name for name in files)


def sources() -> Iterator[Path]:
    for path in tree():
        if path.suffix == ".py" and "migrations/versions" not in path.as_posix():
            yield path


def name_of(path: Path) -> str:
    return path.relative_to(CHECKOUT).as_posix()


def run(*module_and_arguments: str) -> None:
    command = [sys.executable, "-m", *module_and_arguments]
    result = subprocess.run(command, cwd=CHECKOUT, check=False, capture_output=True, text=True)
    assert result.returncode == 0, f"{result.stdout}{result.stderr}"


def test_ruff_finds_nothing() -> None:
    run("ruff", "check", "--no-cache", "--output-format", "concise", ".")


def test_the_code_is_formatted() -> None:
    run("ruff", "format", "--no-cache", "--check", ".")


def test_mypy_strict_finds_nothing() -> None:
    run("mypy")


def test_files_stay_readable() -> None:
    long = {
        name_of(path): lines for path in sources() if (lines := len(path.read_text().splitlines())) >= FILE_LINES_MAX
    }
    assert not long, f"a file has fewer than {FILE_LINES_MAX} lines; find the two ideas in it and part them: {long}"


def test_functions_stay_readable() -> None:
    long = [
        f"{name_of(path)}:{node.lineno} {node.name}"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno + 1 >= FUNCTION_LINES_MAX
    ]
    assert not long, f"a function has fewer than {FUNCTION_LINES_MAX} lines; name its steps: {long}"


def test_only_the_clocks_read_the_clock() -> None:
    # ruff bans the calls (TID251); what is left is that nobody waves the ban away
    waved = [name_of(path) for path in sources() if re.search(r"noqa:.*\bTID251", path.read_text())]
    mine = name_of(Path(__file__))
    assert set(waved) <= CLOCKS | {mine}, "take the time (or the id) as an argument instead"


def test_every_noqa_names_its_rule() -> None:
    bare = [name_of(path) for path in sources() if re.search(r"#\s*noqa(?!:)\b", path.read_text())]
    assert not set(bare) - {name_of(Path(__file__))}, f"write '# noqa: CODE' and why: {bare}"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_file_has_a_hash_and_no_address(lock: str) -> None:
    text = (CHECKOUT / lock).read_text()
    assert "://" not in text, "a lock names what, never where from"
    for requirement in re.split(r"\n(?=\S)", text.replace("\\\n", " ")):
        if requirement.strip() and not requirement.startswith("#"):
            assert "==" in requirement, requirement
            assert "--hash=sha256:" in requirement, f"no hash: {requirement}"


def locked(lock: str) -> dict[str, str]:
    pairs = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\\n]+)", (CHECKOUT / lock).read_text(), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pairs}


@pytest.mark.parametrize(
    ("group", "lock"),
    [
        ("", "requirements.lock"),
        ("service", "requirements.lock"),
        ("accel", "requirements-accel.lock"),
        ("terminal", "requirements-terminal.lock"),
        ("dev", "requirements-dev.lock"),
    ],
)
def test_the_locks_answer_the_project_file(group: str, lock: str) -> None:
    metadata = project()["project"]
    wanted = map(Requirement, metadata["optional-dependencies"][group] if group else metadata["dependencies"])
    versions = locked(lock)
    for requirement in wanted:
        version = versions.get(canonicalize_name(requirement.name))
        assert version, f"{requirement} is not in {lock}: lock again (docs/development.md says how)"
        assert requirement.specifier.contains(version, prereleases=True), f"{lock} has {version} for {requirement}"


def test_test_and_service_run_on_the_same_versions() -> None:
    service, dev = locked("requirements.lock"), locked("requirements-dev.lock")
    assert {name: dev.get(name) for name in service} == service


def packages() -> Iterator[str]:
    """The packages that have a page of their own: the six at the top, and each room of the two that have rooms."""
    for package in ("cli", "crypto", "terminals", "cardsvc", "demo", "bench"):
        yield package
    for package in ("terminals", "cardsvc"):
        for door in sorted((CHECKOUT / package).glob("*/__init__.py")):
            yield f"{package}-{door.parent.name}"


def test_every_package_has_a_page_and_the_index_names_it() -> None:
    index = (CHECKOUT / "docs" / "index.md").read_text()
    missing = [name for name in packages() if not (CHECKOUT / "docs" / f"{name}.md").exists()]
    assert not missing, f"write docs/NAME.md after docs/template.md: {missing}"
    unlisted = [name for name in packages() if f"({name}.md)" not in index]
    assert not unlisted, f"list the page in docs/index.md: {unlisted}"


def test_every_link_between_pages_leads_somewhere() -> None:
    for page in [CHECKOUT / "README.md", *(CHECKOUT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{name_of(page)} links to {target}, which is not there"


def test_the_tree_names_no_machine_of_ours() -> None:
    private = re.compile(rb"(?<![\w.])/(?:work|root)/")
    named = [name_of(path) for path in tree() if path != Path(__file__) and private.search(path.read_bytes())]
    assert not named, f"a path of one machine means nothing on another: {named}"


def test_the_scripts_parse_and_may_be_run() -> None:
    for script in ("city", ".ci/run", ".ci/bare"):
        assert os.access(CHECKOUT / script, os.X_OK), f"chmod +x {script}"
        subprocess.run(["/bin/sh", "-n", script], cwd=CHECKOUT, check=True)


def test_the_changelog_knows_the_version() -> None:
    version = project()["project"]["version"]
    assert f"## [{version}]" in (CHECKOUT / "CHANGELOG.md").read_text()
