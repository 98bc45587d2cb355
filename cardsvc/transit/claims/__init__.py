"""Claims of riders: opened from a ride, decided once by staff, paid by a signed record."""

from cardsvc.transit.claims.actions import REFUNDING
from cardsvc.transit.claims.handler import Refunding
from cardsvc.transit.claims.queries import claims_waiting, refunded_before

__all__ = ["REFUNDING", "Refunding", "claims_waiting", "refunded_before"]
