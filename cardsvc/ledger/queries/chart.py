"""The chart of accounts that is in force, its history, and what accounts are called."""

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.ledger.models import Account, ChartDocument, ChartVersion
from cardsvc.ledger.rules import Fund
from cardsvc.ledger.rules.patterns import Chart, Pattern, read_chart

_INTERFUND = {
    "en": "Due to (or from) other funds",
    "fil": "Dapat ibigay sa (o tanggapin mula sa) ibang pondo",
}
"""What `interfund:<fund>` is called: it is computed, never opened, so no chart has it."""

# A chart is read once for each version, not for each account that is opened.
_read = functools.lru_cache(maxsize=4)(read_chart)


@dataclass(frozen=True, slots=True)
class Version:
    """A chart as it came into force. `adopted_by` and `action_id` are None for what came with the software."""

    number: int
    content_hash: bytes
    document: str
    adopted_at: datetime
    adopted_by: UUID | None
    action_id: UUID | None

    @property
    def chart(self) -> Chart:
        return _read(self.document)


_VERSIONS = sa.select(
    ChartVersion.number,
    ChartVersion.content_hash,
    ChartDocument.document,
    ChartVersion.adopted_at,
    ChartVersion.adopted_by,
    ChartVersion.action_id,
).join_from(ChartVersion, ChartDocument)


def history(session: Session) -> list[Version]:
    """Every version, the newest first."""
    return [Version(*row) for row in session.execute(_VERSIONS.order_by(ChartVersion.number.desc()))]


def version(session: Session) -> Version | None:
    """The version in force; None in a ledger that never adopted a chart."""
    row = session.execute(_VERSIONS.order_by(ChartVersion.number.desc()).limit(1)).one_or_none()
    return None if row is None else Version(*row)


def chart(session: Session) -> Chart | None:
    """The chart in force; None in a ledger that never adopted one, where any account may be opened."""
    found = version(session)
    return None if found is None else found.chart


def patterns(session: Session, codes: Iterable[str]) -> dict[str, Pattern | None]:
    """What the chart in force says of each code; None: nothing."""
    found = chart(session)
    return {code: None if found is None else found.find(code) for code in codes}


def document(session: Session, content_hash: bytes) -> str | None:
    return session.scalar(sa.select(ChartDocument.document).where(ChartDocument.content_hash == content_hash))


def titles(session: Session, codes: Iterable[str], language: str = "en") -> dict[str, str]:
    """What accounts and control accounts (`wallet:*:main`, `interfund:sef`) are called; the code itself where no chart
    says.
    """
    found = chart(session)
    interfund = dict.fromkeys((f"interfund:{fund}" for fund in Fund), _INTERFUND.get(language, _INTERFUND["en"]))
    return {code: interfund.get(code) or (code if found is None else found.title_of(code, language)) for code in codes}


def used_patterns(session: Session, of: Chart) -> set[str]:
    """The chart's patterns that have accounts."""
    found: set[str] = set()
    for code in session.scalars(sa.select(Account.code).execution_options(yield_per=10_000)):
        pattern = of.find(code)
        if pattern is not None:
            found.add(pattern.pattern)
    return found


def unknown_accounts(session: Session, of: Chart) -> list[str]:
    """Codes of open accounts that the chart does not know: none, or what was opened before there was a chart."""
    codes = session.scalars(sa.select(Account.code).where(Account.closed_at.is_(None)).order_by(Account.code))
    return [code for code in codes if of.find(code) is None]
