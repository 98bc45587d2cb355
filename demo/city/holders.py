"""The demo's own residents: their cards are whole simulated cards, made at a counter and kept in files."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from crypto import keys
from crypto.wire.transaction import Authorisation
from demo.cast import CASHIER, OFFICER, terminal_home
from demo.city.people import Person
from terminals.card import CardFile, LocalReader, PivSession, SimulatedCard
from terminals.client import Send, ServiceClient
from terminals.counter import Personalisation
from terminals.settings import TerminalKind, TerminalSettings
from terminals.station import CityCard, enrol, presence

PIN: Final = "246810"
_CITY = "http://127.0.0.1"


@dataclass(frozen=True, slots=True)
class Holder:
    """`name` is the card file's, and the user name of those who have `signs_in`."""

    name: str
    person: Person
    signs_in: bool = False

    @property
    def password(self) -> str:
        return f"demo password of {self.name}"

    @property
    def full_name(self) -> str:
        return f"{self.person.given_name} {self.person.family_name}"

    def card_file(self, home: Path) -> Path:
        return home / "cards" / f"{self.name}.json"


def _holder(name: str, given: str, middle: str, family: str, born: date, sex: str, *, signs_in: bool = False) -> Holder:
    address = f"{len(given) * 7} Kalayaan Ave, Poblacion"
    person = Person(family, given, middle, born, sex, "1380300020", "Poblacion", address, None)
    return Holder(name, person, signs_in)


# Two seniors, a student, a solo parent, a senior of more than eighty: each has something to claim and a bill to pay.
HOLDERS: Final = (
    _holder("maria", "Maria", "Santiago", "Reyes", date(1954, 3, 8), "F", signs_in=True),
    _holder("jose", "Jose", "Marasigan", "Bautista", date(1958, 11, 2), "M"),
    _holder("ana", "Ana Liza", "Cordero", "Mendoza", date(2006, 6, 19), "F"),
    _holder("grace", "Grace", "Evangelista", "Navarro", date(1992, 1, 24), "F"),
    _holder("pedro", "Pedro", "Alonzo", "Dimaculangan", date(1943, 8, 30), "M"),
)


@dataclass(frozen=True, slots=True)
class HeldCard:
    """A holder's card in a reader of its own: it signs through the terminals' own session."""

    card_id: UUID
    resident_id: UUID
    reader: LocalReader
    public_key: EllipticCurvePublicKey

    def tapped(self, record_bytes: bytes) -> Authorisation:
        """9E: the card was there."""
        with PivSession(self.reader.connect()) as session:
            session.select()
            [authorisation] = presence(session, CityCard(self.card_id, self.public_key))(record_bytes)
        return authorisation


def make_cards(send: Send, home: Path, code: str, resident_ids: Sequence[UUID], *, seed: int) -> list[HeldCard]:
    """Request, approve and personalise each holder's card at the demo's counter, and keep it in its file.

    `code` enrols that counter: it is the one that works beside the service later.
    """
    client = ServiceClient(_CITY, send)
    kind = TerminalKind.COUNTER
    counter = enrol(TerminalSettings(kind, _CITY, terminal_home(home, kind), name=f"The demo {kind}"), code, send=send)
    clerk = client.sign_in(CASHIER.username, CASHIER.password)
    officer = client.sign_in(OFFICER.username, OFFICER.password)
    made = []
    for holder, resident_id in zip(HOLDERS, resident_ids, strict=True):
        chance = random.Random(f"card of {holder.name}:{seed}").randbytes
        card_id = officer.approve_card(clerk.request_card(resident_id).card_id).card_id
        card = SimulatedCard.blank(random_bytes=chance)
        reader = LocalReader(f"counter with the card of {holder.name}")
        reader.insert(card)
        point = _personalise(Personalisation(clerk, card_id, counter, random_bytes=chance), reader)
        _keep(holder.card_file(home), card)
        made.append(HeldCard(card_id, resident_id, reader, keys.load_point(point)))
    return made


def _personalise(work: Personalisation, reader: LocalReader) -> bytes:
    """The point of the card's 9E key."""
    with PivSession(reader.connect()) as session:
        done = work.make(session)
        work.hand_over(session, done, bytearray(PIN.encode()), bytearray(PIN.encode()))
    return done.point


def _keep(path: Path, card: SimulatedCard) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    CardFile(path).save(card.state)
