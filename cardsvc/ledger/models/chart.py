"""The versions of the chart of accounts, as they were adopted."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from cardsvc.db import Base, append_only


class ChartDocument(Base):
    """A chart's text under its hash. It is here before two people adopt it, so that both read the same."""

    __tablename__ = "chart_document"

    content_hash: Mapped[bytes] = mapped_column(primary_key=True)
    document: Mapped[str]


class ChartVersion(Base):
    """A chart came into force; the last one is. The one that comes with the software was adopted by nobody."""

    __tablename__ = "chart_version"
    __table_args__ = (sa.CheckConstraint("(adopted_by IS NULL) = (action_id IS NULL)", "by_two"),)

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content_hash: Mapped[bytes] = mapped_column(sa.ForeignKey("chart_document.content_hash"))
    adopted_at: Mapped[datetime]
    adopted_by: Mapped[UUID | None]  # who signed second
    action_id: Mapped[UUID | None]


append_only(ChartDocument.__table__)
append_only(ChartVersion.__table__)
