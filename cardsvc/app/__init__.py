"""The service as a whole: rooms wired together, a city made of its parts, the commands that run it."""

from cardsvc.app.city import SchemaOutdated, app_of, assemble, build_city, create_app, init_city, make_schema
from cardsvc.app.commands import commands, open_city, settle_memory
from cardsvc.app.wiring import open_base_accounts, permits

__all__ = [
    "SchemaOutdated",
    "app_of",
    "assemble",
    "build_city",
    "commands",
    "create_app",
    "init_city",
    "make_schema",
    "open_base_accounts",
    "open_city",
    "permits",
    "settle_memory",
]
