"""The import contracts of pyproject.toml and the doors hold, and each of them fails when somebody breaks it."""

import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parent.parent
PACKAGES = ("cli", "bench", "demo", "cardsvc", "terminals", "crypto")
SETTINGS = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
CONTRACTS = {contract["id"]: contract["name"] for contract in SETTINGS}


@dataclass(frozen=True, slots=True)
class Plant:
    """Lines that break the contract (or the doors) when each stands at the end of its module."""

    breaks: str
    lines: dict[str, str]


# An empty line only makes sure that the module exists.
PLANTS = (
    Plant("packages", {"cardsvc.planted": "import terminals"}),
    Plant("packages", {"terminals.planted": "import cardsvc"}),
    Plant("packages", {"crypto.planted": "import demo"}),
    Plant("packages", {"cardsvc.planted": "import bench"}),
    Plant("cli", {"cli.planted": "import demo"}),
    Plant("cli", {"cli.planted": "import flask"}),
    Plant("crypto-pure", {"crypto.planted": "import sqlite3"}),
    Plant("crypto-pure", {"crypto.wire.transaction": "import time"}),
    Plant("crypto-layers", {"crypto.errors": "import crypto.cose", "crypto.cose": ""}),
    Plant("crypto-layers", {"crypto.no_layer_names_this": ""}),
    Plant("wire", {"crypto.wire.transit": "import crypto.wire.taxes", "crypto.wire.taxes": ""}),
    Plant("wire", {"crypto.wire.no_layer_names_this": ""}),
    Plant("terminals-layers", {"terminals.counter.planted": "import terminals.kiosk", "terminals.kiosk.planted": ""}),
    Plant("terminals-layers", {"terminals.no_layer_names_this": ""}),
    Plant("terminals-libraries", {"terminals.counter.planted": "import flask"}),
    Plant("terminals-libraries", {"terminals.card.session": "import smartcard"}),
    Plant("reader", {"terminals.kiosk.planted": "import terminals.card.pcsc", "terminals.card.pcsc": ""}),
    Plant("rooms", {"cardsvc.money": "import cardsvc.transit", "cardsvc.transit.rules": ""}),
    Plant("rooms", {"cardsvc.transit.actions": "import cardsvc.taxes", "cardsvc.taxes.rules": ""}),
    Plant("rooms", {"cardsvc.no_layer_names_this": ""}),
    Plant("inside-a-room", {"cardsvc.ledger.rules": "import cardsvc.ledger.models", "cardsvc.ledger.models": ""}),
    Plant("inside-a-room", {"cardsvc.ledger.helpers": ""}),
    Plant("rules", {"cardsvc.ledger.rules": "import sqlalchemy"}),
    Plant("rules", {"cardsvc.ledger.rules": "import cardsvc.vault"}),
    Plant("web-at-the-edge", {"cardsvc.ledger.actions": "import flask"}),
    Plant("web-at-the-edge", {"cardsvc.ledger.queries": "import cardsvc.web"}),
    Plant("cycles", {"crypto.planted": "import crypto.planted_too", "crypto.planted_too": "import crypto.planted"}),
    Plant("doors", {"cardsvc.finance.actions": "import cardsvc.ledger.models", "cardsvc.ledger.models": ""}),
    Plant("doors", {"cardsvc.finance.actions": "from cardsvc.ledger.rules import x", "cardsvc.ledger.rules": ""}),
    Plant("doors", {"terminals.kiosk.planted": "import terminals.card.session", "terminals.card.session": ""}),
    Plant("doors", {"demo.planted": "import cardsvc.ledger.actions", "cardsvc.ledger.actions": ""}),
)


def run(checkout: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a checker on the checkout's own packages, never on those that this process has loaded."""
    # a wide terminal keeps each contract's name and verdict on one line
    environment = {**os.environ, "PYTHONPATH": str(checkout), "COLUMNS": "400"}
    environment.pop("PYTHONSAFEPATH", None)
    return subprocess.run(
        command, cwd=checkout, env=environment, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def check_contracts(checkout: Path, *only: str) -> subprocess.CompletedProcess[str]:
    lint_imports = Path(sys.executable).parent / "lint-imports"
    limits = [argument for contract in only for argument in ("--contract", contract)]
    return run(checkout, str(lint_imports), "--no-cache", "--no-logo", *limits)


def check_doors(checkout: Path) -> subprocess.CompletedProcess[str]:
    return run(checkout, sys.executable, str(CHECKOUT / "tests" / "doors.py"))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the packages in which a violation may be planted."""
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__", "static", "templates", "*.json")
        shutil.copytree(CHECKOUT / package, tmp_path / package, ignore=ignored)
    return tmp_path


def plant(checkout: Path, module: str, line: str) -> None:
    """Append the line to the module, making the module and the packages above it where they are missing."""
    *parents, name = module.split(".")
    folder = checkout
    for parent in parents:
        folder /= parent
        folder.mkdir(exist_ok=True)
        (folder / "__init__.py").touch()
    place = folder / name / "__init__.py" if (folder / name).is_dir() else folder / f"{name}.py"
    with place.open("a") as file:
        file.write(f"\n{line}\n")


def test_every_contract_is_kept() -> None:
    report = check_contracts(CHECKOUT)
    assert report.returncode == 0, report.stdout
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken." in report.stdout


def test_rooms_are_entered_by_their_door() -> None:
    report = check_doors(CHECKOUT)
    assert report.returncode == 0, report.stdout


def test_a_module_that_no_room_may_have_is_met_only_where_it_was_excused() -> None:
    """import-linter excuses a name everywhere; this keeps the excuse to the packages that are no rooms."""
    (rooms,) = (contract for contract in SETTINGS if contract["id"] == "inside-a-room")
    excused = {path for name in rooms["exhaustive_ignores"] for path in (CHECKOUT / "cardsvc").glob(f"*/{name}.py")}
    assert {path.parent.name for path in excused} <= {"web", "migrations", "vault"}


def test_every_contract_has_a_planted_violation() -> None:
    assert {planted.breaks for planted in PLANTS} == {*CONTRACTS, "doors"}


@pytest.mark.parametrize("planted", PLANTS, ids=lambda planted: f"{planted.breaks}-{next(iter(planted.lines))}")
def test_a_planted_violation_is_found(planted: Plant, copy: Path) -> None:
    for module, line in planted.lines.items():
        plant(copy, module, line)
    if planted.breaks == "doors":
        report = check_doors(copy)
        verdict = "past the door, import the room instead: " + next(iter(planted.lines))
    else:
        report = check_contracts(copy, planted.breaks)
        verdict = f"{CONTRACTS[planted.breaks]} BROKEN"
    assert report.returncode == 1, report.stdout
    assert verdict in report.stdout
