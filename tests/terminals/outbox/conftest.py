from collections.abc import Iterator
from pathlib import Path

import pytest

from terminals.outbox import Outbox
from tests.terminals.outbox.records import TERMINAL


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.sqlite"


@pytest.fixture
def outbox(path: Path) -> Iterator[Outbox]:
    with Outbox(path, TERMINAL) as opened:
        yield opened
