"""What writes an export."""

from cardsvc.evidence.actions.exporting import Exported, Progress, export

__all__ = ["Exported", "Progress", "export"]
