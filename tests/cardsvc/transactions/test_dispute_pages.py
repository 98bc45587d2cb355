"""The dispute pages without a script: what is asked again, what is decided, and who may only look."""

from datetime import timedelta

import pytest
from flask import Flask

from crypto.wire.transaction import Purpose
from tests import surfing
from tests.builders import PASSWORD
from tests.surfing import Surfer
from tests.town import BUS_CENTS, Town, tap

P = Purpose.PRESENCE


class Case:
    """A disputed tap, at its page."""

    def __init__(self, town: Town, app: Flask) -> None:
        town.tariff()
        validator = town.validator()
        self.town, self.person = town, town.rich_person(100_00)
        record_id, item = validator.make(tap(), self.person.signs(P))
        town.clock.advance(timedelta(days=31))
        validator.send([item])
        self.path = f"/disputes/{record_id}"
        self.surfer: Surfer = surfing.staff(town, app, "finance")

    @property
    def key(self) -> str:
        return self.surfer.get(self.path).split('name="key" value="')[1].split('"')[0]


@pytest.fixture
def case(town: Town, app: Flask) -> Case:
    return Case(town, app)


def test_a_dispute_is_settled_once_by_its_page(case: Case) -> None:
    assert "came too late" in case.surfer.read("/disputes")
    key = case.key
    fields = {"key": key, "reason": "The gate was in the cellar", "password": PASSWORD}
    for _ in range(2):
        assert case.surfer.post(f"{case.path}/settle", **fields).status_code in {302, 303}
    assert case.town.balance(case.person) == 100_00 - BUS_CENTS
    page = case.surfer.read(case.path)
    assert "Settled" in page
    assert key in page
    case.town.check()


def test_what_is_missing_is_asked_for(case: Case) -> None:
    path = f"{case.path}/settle"
    assert "Say why" in case.surfer.refused(path, 422, key=case.key, reason="x", password=PASSWORD)
    assert "Enter your password" in case.surfer.refused(path, 422, key=case.key, reason="It counts")
    assert "Open this page again" in case.surfer.refused(path, 422, key="?", reason="It counts", password=PASSWORD)
    assert "Say why" in case.surfer.refused(f"{case.path}/refuse", 422, reason="")
    assert case.town.count("dispute_decision") == 0


def test_a_refused_dispute_is_not_settled_by_a_page_that_was_open_still(case: Case) -> None:
    key = case.key
    assert case.surfer.post(f"{case.path}/refuse", reason="A workshop's tap").status_code in {302, 303}
    fields = {"key": key, "reason": "It counts", "password": PASSWORD}
    assert "decided before" in case.surfer.refused(f"{case.path}/settle", 409, **fields)
    assert "decided before" in case.surfer.refused(f"{case.path}/refuse", 409, reason="Again")


def test_an_auditor_looks_and_decides_nothing(case: Case, app: Flask) -> None:
    auditor = surfing.staff(case.town, app, "auditor")
    assert "Decide" not in auditor.read(case.path).replace("To decide", "")
    assert auditor.post(f"{case.path}/refuse", reason="Not mine").status_code == 403


def test_the_terminals_page_says_what_is_wrong(case: Case, app: Flask) -> None:
    officer = surfing.staff(case.town, app, "card_officer")
    assert "Nothing is overdue" in officer.read("/terminals")
    clerk = surfing.staff(case.town, app, "clerk")
    clerk.get("/terminals", 403)
