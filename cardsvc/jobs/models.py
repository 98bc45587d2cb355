"""The table of jobs."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from cardsvc.db import Base


class Job(Base):
    __tablename__ = "job"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    payload: Mapped[str]  # JSON
    run_after: Mapped[datetime]
    attempts: Mapped[int]  # failed ones
    state: Mapped[str]
    last_error: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'done', 'failed')", name="state"),
        Index(None, "state", "run_after"),
    )
