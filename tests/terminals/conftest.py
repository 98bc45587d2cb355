"""A whole city for terminals that need their service."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cardsvc.clock import FixedClock
from cardsvc.vault import Vault
from tests.terminals.service import CityService


@pytest.fixture
def office(tmp_path: Path, vault: Vault, clock: FixedClock) -> Iterator[CityService]:
    """The city's service in this process."""
    opened = CityService(tmp_path, vault, clock)
    yield opened
    opened.close()
