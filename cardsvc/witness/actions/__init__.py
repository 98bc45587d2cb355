"""The witness: what it does with a checkpoint, and how it is asked."""

from cardsvc.witness.actions.serving import make_server
from cardsvc.witness.actions.witnessing import Witness

__all__ = ["Witness", "make_server"]
