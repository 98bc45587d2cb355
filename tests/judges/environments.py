"""Judges from PyPI whose dependencies disagree with ours live in environments of their own, under `.judges/`.

    python -m tests.judges            makes all that are missing
    python -m tests.judges yubikit    makes one

Tests ask `judge_python`; the judge runs as a process of its own.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.judging import missing

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = ROOT / ".judges"
PINNED: Final = {
    "yubikit": ("yubikey-manager==5.9.2", "pyscard==2.3.1"),
    "jcecard": ("jcecard==0.1.0",),
    # Debian brings vicc (vsmartcard-vpicc), but not the library it calls Crypto
    "vicc": ("pycryptodome==3.23.0",),
    "gtfs": ("gtfs-guru==1.0.0",),
    "tides": ("frictionless==5.21.0",),
    "beancount": ("beancount==3.2.3",),
    "hordak": ("django-hordak==2.0.0", "psycopg[binary]==3.3.9"),
    "http-api": ("schemathesis==4.32.5", "openapi-spec-validator==0.9.0"),
}


def judge_python(name: str) -> str:
    """The interpreter of a judge's environment, or a skip (a failure in CI) that says how to make it."""
    if not _complete(name):
        missing(f"the judge {name} is not installed (python -m tests.judges {name})")
    return str(FOLDER / name / "bin" / "python")


def make(name: str) -> None:
    """Make the environment, or make it again when its pins changed. Needs PyPI."""
    if _complete(name):
        return
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    uv = shutil.which("uv")
    python = str(folder / "bin" / "python")
    if uv is not None:
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
        install = [uv, "pip", "install", "--quiet", "--python", python]
    else:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        install = [python, "-m", "pip", "install", "--quiet"]
    subprocess.run([*install, *PINNED[name]], check=True)
    _marker(name).write_text("\n".join(PINNED[name]))  # last, so that half an environment is made again


def _complete(name: str) -> bool:
    marker = _marker(name)
    return marker.exists() and marker.read_text() == "\n".join(PINNED[name])


def _marker(name: str) -> Path:
    return FOLDER / name / "pinned"
