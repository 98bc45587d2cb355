"""Rides as their riders see them, and what riders have a right to."""

from cardsvc.transit.riding.actions import end_right, give_right
from cardsvc.transit.riding.queries import RideView, rides

__all__ = ["RideView", "end_right", "give_right", "rides"]
