import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parent.parent
SKIPPING = """
import pytest

@pytest.mark.skip(reason="no reader here")
def test_that_needs_a_reader(): ...
"""


def run_skipping_test(folder: Path, *, nothing_skipped: bool) -> subprocess.CompletedProcess[str]:
    (folder / "conftest.py").write_text("from tests.conftest import pytest_sessionfinish as pytest_sessionfinish\n")
    (folder / "test_skipping.py").write_text(SKIPPING)
    own = {"PYTHONPATH": str(CHECKOUT), "CITY_NOTHING_SKIPPED": "1" if nothing_skipped else "0", "PYTEST_ADDOPTS": ""}
    environment = {**os.environ, **own}
    command = [sys.executable, "-m", "pytest", "-ra", "-p", "no:cacheprovider", "--rootdir", str(folder), str(folder)]
    return subprocess.run(command, env=environment, cwd=folder, check=False, capture_output=True, text=True)


def test_a_skip_says_why_and_passes_on_a_developers_machine(tmp_path: Path) -> None:
    run = run_skipping_test(tmp_path, nothing_skipped=False)
    assert run.returncode == pytest.ExitCode.OK
    assert "no reader here" in run.stdout


def test_a_skip_fails_where_nothing_may_be_skipped(tmp_path: Path) -> None:
    run = run_skipping_test(tmp_path, nothing_skipped=True)
    assert run.returncode == pytest.ExitCode.TESTS_FAILED
    assert "1 skipped" in run.stdout
