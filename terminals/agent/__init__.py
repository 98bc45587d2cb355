"""The local web agent: a kiosk's or a counter's pages for one browser, beside one reader."""

from terminals.agent.app import Agent, Port, create_agent
from terminals.agent.guard import protect
from terminals.agent.look import dress

__all__ = ["Agent", "Port", "create_agent", "dress", "protect"]
