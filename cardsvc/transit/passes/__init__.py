"""Passes: what is on sale, how one is bought from a wallet, and what is left of those that are held."""

from cardsvc.transit.passes.handler import Selling
from cardsvc.transit.passes.queries import Holding, OnSale, held, on_sale

__all__ = ["Holding", "OnSale", "Selling", "held", "on_sale"]
