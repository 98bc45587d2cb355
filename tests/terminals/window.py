"""A counter's window in a browser without scripts: what a clerk sees and presses."""

import re

from flask.testing import FlaskClient

from terminals.card import LocalReader, SimulatedCard
from tests.terminals.service import PASSWORD, CityService

HOST = {"Host": "127.0.0.1"}
TOKEN = "t0ken"


class Window:
    def __init__(self, office: CityService, browser: FlaskClient, reader: LocalReader) -> None:
        self.office, self._browser, self.reader = office, browser, reader

    def get(self, path: str) -> str:
        return self._said(self._browser.get(f"/{TOKEN}/counter{path}", headers=HOST, follow_redirects=True).text)

    def post(self, path: str, **fields: str) -> str:
        answer = self._browser.post(f"/{TOKEN}/counter{path}", data=fields, headers=HOST, follow_redirects=True)
        assert answer.status_code == 200
        return self._said(answer.text)

    def sign_in(self, username: str) -> None:
        self.office.person(username)
        self.post("/sign-in", username=username, password=PASSWORD)

    def read(self, card: SimulatedCard) -> str:
        self.reader.insert(card)
        return self.post("/holder-pin")

    def identify(self) -> str:
        return self.post("/holder-pin/identity", means="document", note="passport P123")

    def _said(self, text: str) -> str:
        return re.sub(r"\s+", " ", text).replace("&#39;", "'")
