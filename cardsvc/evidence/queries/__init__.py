"""What the tables hold, in the lines of an export; and the verdict over an export, which needs no tables."""

from cardsvc.evidence.queries.verifying import Verdict, verify
from cardsvc.evidence.queries.working import cores

__all__ = ["Verdict", "cores", "verify"]
