"""A PIV card in software. It answers APDUs, keeps a card's rules, and is as secret as the file it lives in."""

from terminals.card.simulator.card import SimulatedCard
from terminals.card.simulator.state import CardFile, CardSettings, CardState, factory_key

__all__ = ["CardFile", "CardSettings", "CardState", "SimulatedCard", "factory_key"]
