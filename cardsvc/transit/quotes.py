"""What a ride would cost by the city's own tariff: one answer for the command and for the API."""

from datetime import datetime

from sqlalchemy.orm import Session

from cardsvc.clock import MANILA
from cardsvc.transit import rules, versions


def quote(session: Session, asked: rules.Asked) -> rules.Answer | None:
    """Price the ride by the tariff in force when it begins; None where there was none. Raises: InvalidQuote."""
    version = versions.in_force(session, rules.read_time("at", asked.at, MANILA))
    return None if version is None else ask(version.feed, asked, version.tariff)


def ask(feed: rules.FareFeed, asked: rules.Asked, tariff: rules.TariffVersion | None = None) -> rules.Answer:
    """Price the ride by a feed; times without an offset are its agency's. Raises: InvalidQuote."""
    begins = rules.read_time("at", asked.at, feed.zone)
    ends: datetime = rules.read_time("arrive", asked.arrive, feed.zone) if asked.arrive else begins
    question = rules.Question(
        asked.from_stop, asked.to_stop, begins, ends, asked.network, asked.categories, asked.medium
    )
    return rules.quote(feed, question, tariff=tariff)
