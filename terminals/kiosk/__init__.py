"""The kiosk: what residents do themselves, with their card and PIN."""

from terminals.kiosk.desk import Kiosk, Outcome, Seen

__all__ = ["Kiosk", "Outcome", "Seen"]
