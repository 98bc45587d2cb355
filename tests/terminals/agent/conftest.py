"""A counter with its agent running."""

from collections.abc import Iterator

import pytest

from terminals.agent.app import Agent, create_agent
from terminals.card import LocalReader
from terminals.settings import TerminalKind
from tests.terminals.service import CityService
from tests.terminals.window import TOKEN, Window


@pytest.fixture
def window(office: CityService) -> Iterator[Window]:
    station, reader = office.station(TerminalKind.COUNTER), LocalReader()
    app = create_agent(TerminalKind.COUNTER, station, reader, token=TOKEN)
    agent: Agent = app.extensions["agent"]
    agent.watcher.start()
    yield Window(office, app.test_client(), reader)
    agent.close()
    station.close()
