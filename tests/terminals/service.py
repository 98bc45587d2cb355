"""The city's real service in this process: an app over a database of its own, reached by a `Send`, not a socket."""

import secrets
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from uuid import UUID

from flask import Blueprint, Flask

from cardsvc import access, db, residents, web
from cardsvc.access.api import blueprint as access_api
from cardsvc.cards.api import blueprint as cards_api
from cardsvc.clock import FixedClock
from cardsvc.residents.api import make as residents_api
from cardsvc.settings import CHEAP, Environment, Settings
from cardsvc.vault import Vault
from terminals.client import Reply, ServiceClient, ServiceUnreachable, StaffClient
from tests.fixtures.databases import create_tables

URL = "http://127.0.0.1"
PASSWORD = "correct horse battery"


class InProcess:
    """A `Send` to a Flask app. It can lose a request, or an answer, as a network does."""

    def __init__(self, app: Flask) -> None:
        self._client = app.test_client(use_cookies=False)
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


class CardOffice:
    """The rooms that a counter needs to make cards, with a clerk and an officer."""

    def __init__(self, folder: Path, vault: Vault, clock: FixedClock, *more: Blueprint) -> None:
        self.clock = clock
        self.engine = db.make_engine(f"sqlite:///{folder / 'city.sqlite'}")
        create_tables(self.engine)
        settings = Settings(
            env=Environment.TEST,
            home=folder,
            database_url=str(self.engine.url),
            city_name="Maharlika City",
            log_origin=vault.log_origin,
            public_url=URL,
            vault_passphrase="not needed",
            bind_host="127.0.0.1",
            port=0,
        )
        app = Flask("office")
        web.init(app, web.City(settings, clock, self.engine, vault, handlers=None, random_bytes=secrets.token_bytes))
        web.register(app, access_api, residents_api(lambda *_: None), cards_api, *more)
        self.send = InProcess(app)
        self.client = ServiceClient(URL, self.send)
        for username, role in (("clara", "clerk"), ("oscar", "card_officer")):
            self._add(username, role)
        self.clerk: StaffClient = self.client.sign_in("clara", PASSWORD)
        self.officer: StaffClient = self.client.sign_in("oscar", PASSWORD)
        self._people = 0

    def close(self) -> None:
        self.engine.dispose()

    def approved_card(self) -> UUID:
        """A card of a new resident, ordered by the clerk and approved by the officer."""
        self._people += 1
        person = residents.Registration(
            family_name="Reyes",
            given_name="Juan",
            middle_name=f"Person {self._people}",
            birth_date=date(1990, 1, 1),
            sex=residents.Sex.MALE,
            barangay_code="BR-01",
            address="1 Rizal St.",
        )
        made = db.run(
            self.engine,
            lambda session: residents.register(
                session, person, by=self.clerk.session.staff_id, now=self.clock.now(), random_bytes=secrets.token_bytes
            ),
        )
        card_id = self.clerk.request_card(made.id).card_id
        return self.officer.approve_card(card_id).card_id

    def _add(self, username: str, role: str) -> None:
        db.run(
            self.engine,
            lambda session: access.add_staff(
                session,
                username=username,
                full_name=username.title(),
                roles=[role],
                password=PASSWORD,
                now=self.clock.now(),
                random_bytes=secrets.token_bytes,
                cost=CHEAP,
            ),
        )
