"""Batches that are opened and worked out at one moment and accepted at another, as the service does with large ones."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from cardsvc import transactions
from cardsvc.transactions.actions import opening
from tests.town import Town


def desk(town: Town) -> transactions.Desk:
    city = town.city
    return transactions.Desk(city.handlers.registry, city.vault, city.random_bytes)


def foreseen(town: Town, raw: bytes) -> transactions.Opened:
    """The batch with its signatures verified, and what its kinds foresee as things stand now."""
    here = desk(town)

    def work(session: Session) -> transactions.Opened:
        opened = transactions.open_batch(session, raw, desk=here)
        opening.foresee(session, opened, here.registry, town.clock.now())
        return opened

    return town.run(work)


def accepted(town: Town, *opened: transactions.Opened) -> Sequence[transactions.BatchAnswer]:
    """The answers to these batches, accepted together; each is one that can be."""
    now = town.clock.now()
    answers = town.run(lambda session: transactions.accept_opened(session, opened, desk=desk(town), now=now))
    assert all(isinstance(answer, transactions.BatchAnswer) for answer in answers), answers
    return [answer for answer in answers if isinstance(answer, transactions.BatchAnswer)]
