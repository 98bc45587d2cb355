"""Judges: foreign tools that say whether ours is right.

On a developer's machine a missing judge is a skip that prints why. With CITY_NOTHING_SKIPPED=1 (continuous integration)
it is a failure, so that a judge that stopped running is noticed.
"""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

NOTHING_SKIPPED = "CITY_NOTHING_SKIPPED"


def missing(reason: str) -> NoReturn:
    """Say that a judge is missing: skip here, fail where nothing may be skipped."""
    if os.environ.get(NOTHING_SKIPPED) == "1":
        pytest.fail(f"nothing may be skipped here: {reason}", pytrace=False)
    pytest.skip(reason)


def require(tool: str, package: str | None = None) -> str:
    """The path of a foreign program, or a skip (a failure in CI) that names the Debian package to install."""
    found = shutil.which(tool) or shutil.which(tool, path="/usr/sbin:/sbin")
    if found is None:
        missing(f"{tool} is not installed (apt-get install {package or tool})")
    return found


def require_file(path: Path, package: str) -> Path:
    """A file that a Debian package brings, or a skip (a failure in CI) that names the package."""
    if not path.exists():
        missing(f"{path} is not there (apt-get install {package})")
    return path
