"""The tray: the demo's cards, and which one is in which virtual reader. A small page for this machine's browser."""

import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flask import Flask, redirect, render_template, request
from werkzeug.wrappers import Response

import terminals.agent
from demo.readers import Slot
from terminals.agent import Port, dress, protect
from terminals.card import CardError, SimulatedCard

_STATIC: Final = Path(terminals.agent.__file__).parent / "static"
_TOKEN_BYTES: Final = 16
_BAD_REQUEST: Final = 400


@dataclass(frozen=True, slots=True)
class TrayCard:
    """A card on the tray: what is written on it, and the file it lives in (a blank one is made when there is none)."""

    name: str
    title: str
    file: Path


@dataclass(frozen=True, slots=True)
class Place:
    """A reader as the page shows it; `card` is the one in it."""

    number: int
    title: str
    reader: str
    card: TrayCard | None


class Tray:
    """Moves cards between tray and readers. A card is in one place at a time."""

    def __init__(self, slots: Sequence[tuple[str, Slot]], cards: Sequence[TrayCard]) -> None:
        self.cards = tuple(cards)
        self._slots = tuple(slots)
        self._in: dict[int, TrayCard] = {}
        self._lock = threading.Lock()

    def places(self) -> list[Place]:
        return [Place(n, title, slot.name, self._in.get(n)) for n, (title, slot) in enumerate(self._slots)]

    def free(self) -> list[TrayCard]:
        """The cards that lie on the tray."""
        return [card for card in self.cards if card not in self._in.values()]

    def insert(self, number: int, name: str) -> None:
        """Put a card into a reader; the one in it comes back. Raises: LookupError: no such card; ReaderUnavailable."""
        card = next(card for card in self.free() if card.name == name)
        with self._lock:
            self._remove(number)
            self._slots[number][1].hand.insert(SimulatedCard.from_file(card.file))
            self._in[number] = card

    def remove(self, number: int) -> None:
        with self._lock:
            self._remove(number)

    def _remove(self, number: int) -> None:
        self._slots[number][1].hand.remove()
        self._in.pop(number, None)


def create_tray(tray: Tray, *, city_name: str, pin: str, port: Port) -> tuple[Flask, str]:
    """The page's app, to be bound to a loopback address, and the path of the page; the token in it is of this start."""
    token = secrets.token_bytes(_TOKEN_BYTES).hex()
    app = Flask(
        "demo.tray",
        root_path=str(Path(__file__).parent),
        static_folder=str(_STATIC),
        static_url_path=f"/{token}/static",
    )
    protect(app, token, lambda: port.number)
    dress(app, city_name=city_name, base=f"/{token}", random_bytes=secrets.token_bytes)

    @app.get("/<token>/")
    def page() -> str:
        return render_template("tray/tray.html", places=tray.places(), cards=tray.free(), pin=pin)

    @app.post("/<token>/insert")
    def insert() -> Response | tuple[str, int]:
        try:
            tray.insert(int(request.form["reader"]), request.form["card"])
        except (CardError, LookupError, ValueError, StopIteration) as error:
            return render_template("tray/tray.html", places=tray.places(), cards=tray.free(), pin=pin, wrong=error), 400
        return redirect(f"/{token}/", 303)

    @app.post("/<token>/remove")
    def remove() -> Response:
        tray.remove(int(request.form["reader"]))
        return redirect(f"/{token}/", 303)

    return app, f"/{token}/"
