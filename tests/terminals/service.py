"""The city's real service in this process: the whole app over its own database, reached by a `Send`, not a socket."""

import functools
import json
import secrets
import tempfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy.orm import Session

from cardsvc import access, app, db, devices, transit
from cardsvc.clock import FixedClock, business_date
from cardsvc.settings import CHEAP
from cardsvc.vault import Vault
from crypto import keys
from crypto.wire.ids import uuid7
from terminals.card import SimulatedCard
from terminals.client import Reply, ServiceClient, ServiceUnreachable, StaffClient
from terminals.counter import Personalisation
from terminals.outbox import Identity
from terminals.settings import TerminalKind, TerminalSettings
from terminals.station import Station, enrol
from tests import apps
from tests.builders import CLERK, make_city
from tests.terminals.city import session

FEED = Path(__file__).parents[2] / "demo" / "city" / "gtfs"
URL = "http://localhost"
PASSWORD = "correct horse battery"
PIN = b"24681357"
STAFF = {
    "clara": ["clerk"],
    "oscar": ["card_officer"],
    "carlo": ["cashier"],
    "bella": ["benefits_officer"],
    "andres": ["benefits_approver"],
    "cora": ["cashier", "clerk"],
    "tessa": ["treasurer", "finance"],
    "fina": ["finance"],
    "admin": ["admin"],
    "beata": ["admin"],
}


class InProcess:
    """A `Send` to a Flask app. It can lose a request, or an answer, as a network does."""

    def __init__(self, served: Flask) -> None:
        self._client = served.test_client(use_cookies=False)
        self.sent = 0
        self.lose_request: int | None = None
        self.lose_answer: int | None = None
        self.off = False

    def __call__(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        self.sent += 1
        if self.off or self.sent == self.lose_request:
            raise ServiceUnreachable(URL)
        answer = self._client.open(path, method=method, headers=dict(headers), data=body)
        if self.sent == self.lose_answer:
            raise ServiceUnreachable(URL)
        return Reply(answer.status_code, answer.data)


class StationClock:
    """A terminal's clock that agrees with the city's."""

    def __init__(self, clock: FixedClock) -> None:
        self._clock = clock

    def now_ms(self) -> int:
        return int(self._clock.now().timestamp() * 1000)


@functools.cache
def _empty_city() -> bytes:
    """A database with every revision's tables and nobody in it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "city.sqlite")
        engine = db.make_engine(f"sqlite:///{file}")
        app.make_schema(engine)
        engine.dispose()
        return file.read_bytes()


class CityService:
    """A city with its staff signed in, and what the tests of terminals need from its offices."""

    def __init__(self, folder: Path, vault: Vault, clock: FixedClock) -> None:
        self.folder, self.clock = folder, clock
        (folder / "city.sqlite").write_bytes(_empty_city())
        self.engine = db.make_engine(f"sqlite:///{folder / 'city.sqlite'}")
        self.city = make_city(self.engine, vault, clock)
        self._app = apps.lend(self.city)
        self.send = InProcess(self._app)
        self.client = ServiceClient(URL, self.send)
        self.staff: dict[str, StaffClient] = {}
        self._people = 0
        self._counter: Identity | None = None

    def close(self) -> None:
        apps.give_back(self._app)
        self.engine.dispose()

    def person(self, username: str) -> StaffClient:
        """Somebody of `STAFF`, signed in."""
        if username not in self.staff:
            db.run(
                self.engine,
                lambda session: access.add_staff(
                    session,
                    username=username,
                    full_name=username.title(),
                    roles=STAFF[username],
                    password=PASSWORD,
                    now=self.clock.now(),
                    random_bytes=secrets.token_bytes,
                    cost=CHEAP,
                ),
            )
            self.staff[username] = self.client.sign_in(username, PASSWORD)
        return self.staff[username]

    @property
    def counter(self) -> Identity:
        """An enrolled counter where cards are made, which has no folder; enrolled without a call over HTTP."""
        if self._counter is None:
            self._counter = self.enrolled(devices.DeviceKind.COUNTER)
        return self._counter

    def enrolled(self, kind: devices.DeviceKind) -> Identity:
        """A new terminal of this kind."""
        signer, now = keys.SoftwareSigner.generate(), self.clock.now()
        spki = keys.spki(signer.public_key)

        def take_in(session: Session) -> devices.Enrolment:
            code = devices.invite(session, kind, "A desk", by=UUID(int=0), now=now, random_bytes=secrets.token_bytes)
            proof = signer.sign(devices.enrolment_statement(code, spki))
            vault = self.city.vault
            return devices.enrol(session, vault, code, spki, proof, now=now, random_bytes=secrets.token_bytes)

        done = db.run(self.engine, take_in)
        return Identity(done.device_id, TerminalKind(kind), "A desk", signer, done.certificate, "")

    @property
    def clerk(self) -> StaffClient:
        return self.person("clara")

    def ask(self, username: str, method: str, path: str, content: object, *, media: str = "application/json") -> Any:
        """A call that no terminal makes, by a member of staff; money with an id of its own."""
        token = self.person(username).session.token
        record_id = uuid7(int(self.clock.now().timestamp() * 1000), secrets.token_bytes(10))
        headers = {"Authorization": f"Bearer {token}", "Content-Type": media, "Idempotency-Key": str(record_id)}
        body = content.encode() if isinstance(content, str) else json.dumps(content).encode()
        reply = self.send(method, path, headers, body)
        assert reply.status < 300, reply.body
        return json.loads(reply.body) if reply.body else None

    def resident(self) -> Any:
        self._people += 1
        return self.ask(
            "clara",
            "POST",
            "/v1/residents",
            {
                "family_name": "Reyes",
                "given_name": "Juan",
                "middle_name": f"Person {self._people}",
                "birth_date": "1990-01-01",
                "sex": "M",
                "barangay_code": "BR-01",
                "address": "1 Rizal St.",
            },
        )

    def approved_card(self, resident_id: UUID | None = None) -> UUID:
        """A card, of a new resident unless told, ordered by the clerk and approved by the officer."""
        resident_id = resident_id or UUID(self.resident()["id"])
        card_id = self.clerk.request_card(resident_id).card_id
        return self.person("oscar").approve_card(card_id).card_id

    def active_card(self, resident_id: UUID | None = None) -> SimulatedCard:
        """A card made and handed over; its PIN is `PIN`."""
        card, card_id = SimulatedCard.blank(), self.approved_card(resident_id)
        work = Personalisation(self.clerk, card_id, self.counter, random_bytes=secrets.token_bytes)
        work.hand_over(session(card), work.make(session(card)), bytearray(PIN), bytearray(PIN))
        return card

    def station(self, kind: TerminalKind) -> Station:
        """A terminal, invited, enrolled and with a policy."""
        by = self.person("admin").session.staff_id
        code = db.run(
            self.engine,
            lambda session: devices.invite(
                session,
                devices.DeviceKind(kind),
                kind,
                by=by,
                now=self.clock.now(),
                random_bytes=secrets.token_bytes,
            ),
        )
        settings = TerminalSettings(kind, URL, self.folder / kind)
        enrol(settings, code, send=self.send)
        station = Station.open(settings, send=self.send, clock=StationClock(self.clock))
        station.refresh()
        return station

    def fund_vault(self, cents: int) -> None:
        """Cash from the bank in the vault, for the floats."""
        content = {"amount_cents": cents, "currency": "PHP", "password": PASSWORD, "reference": "W-1"}
        self.ask("tessa", "POST", "/v1/finance/funding", {**content, "account_code": "equity:general"})
        self.ask("tessa", "POST", "/v1/finance/withdrawals", content)

    def card_price(self, cents: int, issue: str = "lost") -> None:
        """From today an issue of this kind costs so much, as two of finance signed it."""
        payload = {"issue": issue, "valid_from": business_date(self.clock.now()).isoformat(), "amount_cents": cents}
        said = {"kind": "cards.price", "payload": payload | {"currency": "PHP"}}
        action = self.ask("tessa", "POST", "/v1/actions", said)
        for name in ("tessa", "fina"):
            self.ask(name, "POST", f"/v1/actions/{action['id']}/signatures", {"password": PASSWORD})

    def entitlement(self, resident_id: UUID, cents: int) -> None:
        """An approved cycle that pays this resident."""
        self.ask("bella", "POST", "/v1/benefits/programmes", {"code": "RICE", "name": "Rice subsidy"})
        funding = {"amount_cents": cents, "currency": "PHP", "password": PASSWORD, "reference": "F-1"}
        self.ask("tessa", "POST", "/v1/finance/funding", {**funding, "account_code": "benefits:RICE:fund"})
        cycle = self.ask(
            "bella",
            "POST",
            "/v1/benefits/cycles",
            {
                "programme": "RICE",
                "label": "November",
                "claim_until": (business_date(self.clock.now()) + timedelta(days=30)).isoformat(),
                "count": 1,
                "total_cents": cents,
                "lines": [{"resident_id": str(resident_id), "amount_cents": cents}],
            },
        )
        self.ask("andres", "POST", f"/v1/benefits/cycles/{cycle['id']}/approval", {"password": PASSWORD})

    def bill(self, resident_number: str, pesos: str) -> None:
        due = (business_date(self.clock.now()) + timedelta(days=30)).isoformat()
        heading = "number,tdn,owner_name,resident_number,year,quarter,basic,sef,due_on"
        row = f"B-1,TD-1,Juan Reyes,{resident_number},2026,,{pesos},{pesos},{due}"
        self.ask("tessa", "POST", "/v1/taxes/bills", f"{heading}\n{row}\n", media="text/csv")

    def tariff(self) -> None:
        """The demo city's, in force, with passes on sale."""
        feed = {path.name: path.read_bytes() for path in sorted(FEED.glob("*.txt"))}
        now = self.clock.now()
        db.run(self.city.engine, lambda session: transit.import_feed(session, feed, valid_from=now, by=CLERK, now=now))
