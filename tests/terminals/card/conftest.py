"""A citizen card, readers to put it in, and a session with it."""

from collections.abc import Iterator

import pytest

from terminals import card
from tests.card_builders import IssuedCard, issued_card
from tests.pcsc_fixtures import pcsc_daemon, pcsc_slot, pcsc_slots

__all__ = ["pcsc_daemon", "pcsc_slot", "pcsc_slots"]


@pytest.fixture
def issued() -> IssuedCard:
    return issued_card()


@pytest.fixture
def reader(issued: IssuedCard) -> card.LocalReader:
    reader = card.LocalReader()
    reader.insert(issued.card)
    return reader


@pytest.fixture
def session(reader: card.LocalReader) -> Iterator[card.PivSession]:
    with card.PivSession(reader.connect()) as session:
        session.select()
        yield session
