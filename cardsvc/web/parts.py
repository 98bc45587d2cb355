"""What a request may reach: the city's parts, and the time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast

from flask import current_app
from sqlalchemy import Engine

from cardsvc.clock import Clock
from cardsvc.settings import Settings
from cardsvc.vault import Vault

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class City:
    """The parts of one running city. `handlers` is `transactions.Registry`; that room stands above this one."""

    settings: Settings
    clock: Clock
    engine: Engine
    vault: Vault
    handlers: Any
    random_bytes: Callable[[int], bytes]


def city() -> City:
    """Parts of the city that serves this request."""
    return cast("City", current_app.extensions["city"])


def now() -> datetime:
    """The time by the city's clock, aware, UTC. Edges read it once and pass it on."""
    return city().clock.now()


def public(view: View) -> View:
    """Say that anybody may ask this. `access` marks everything else; a test finds the routes that nobody marked."""
    view.city_access = "public"  # type: ignore[attr-defined]
    return view
