"""Somebody in a browser without JavaScript: signs in through the form, reads pages, sends their forms."""

import re

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cardsvc import access
from cardsvc.settings import CHEAP
from tests.builders import PASSWORD
from tests.town import Person, Town


class Surfer:
    """A browser of its own, signed in."""

    def __init__(self, app: Flask, username: str, password: str = PASSWORD) -> None:
        self.client: FlaskClient = app.test_client()
        answer = self.post("/sign-in", username=username, password=password)
        assert answer.status_code == 302, answer.text

    def read(self, path: str, status: int = 200) -> str:
        """The page's words, as a reader sees them: no markup, one blank between words."""
        return words(self.get(path, status))

    def get(self, path: str, status: int = 200) -> str:
        """The page's source."""
        answer = self.client.get(path)
        assert answer.status_code == status, answer.text
        return answer.text

    def post(self, path: str, **fields: str) -> TestResponse:
        page = self.client.get("/sign-in?again=1").text
        token = page.split('name="csrf_token" value="')[1].split('"')[0]
        return self.client.post(path, data={"csrf_token": token, **fields})

    def send(self, path: str, **fields: str) -> str:
        """Send a form that is taken; the page it leads to, as words."""
        answer = self.post(path, **fields)
        assert answer.status_code == 303, words(answer.text)
        return self.read(answer.location)

    def refused(self, path: str, status: int, **fields: str) -> str:
        """Send a form that is not taken; the page that says why, as words."""
        answer = self.post(path, **fields)
        assert answer.status_code == status, words(answer.text)
        return words(answer.text)


def words(source: str) -> str:
    main = source.split("<main", 1)[-1].split("</main>", maxsplit=1)[0]
    return " ".join(re.sub(r"<[^>]*>", " ", main).split()).replace("&#39;", "'")


def staff(town: Town, app: Flask, *roles: str) -> Surfer:
    return Surfer(app, town.staff(*roles).username)


def resident(town: Town, app: Flask, person: Person) -> Surfer:
    """A resident who may sign in, and did."""
    username = f"resident-{person.number.lower()}"
    now, random_bytes = town.clock.now(), town.city.random_bytes
    town.run(
        lambda session: access.set_resident_password(
            session, person.resident_id, username, PASSWORD, now, random_bytes=random_bytes, cost=CHEAP
        )
    )
    return Surfer(app, username)
