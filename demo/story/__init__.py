"""The story: one resident's life on real parts, in a city that exists for a minute."""

from demo.story.play import play
from demo.story.values import Check, Report, Step

__all__ = ["Check", "Report", "Step", "play"]
