"""What a resident sees of the wallet, and that nobody else does."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from cardsvc import access, db, ledger, residents, wallets, web
from cardsvc.clock import FixedClock
from cardsvc.settings import CHEAP
from cardsvc.wallets import pages
from tests.builders import PASSWORD, app_with, make_resident

TODAY = date(2026, 11, 2)


def card(_session: Session, _resident_id: UUID) -> pages.CardLine | None:
    return pages.CardLine("active", date(2031, 11, 2))


def due(_session: Session, _resident_id: UUID, today: date) -> list[pages.DueLine]:
    assert today == TODAY
    return [pages.DueLine("Senior pension", "November", 100000, today + timedelta(days=20))]


def bills(_session: Session, _resident_id: UUID, today: date) -> list[pages.BillLine]:
    return [
        pages.BillLine("B-1", "Property tax 2025", 45000, today - timedelta(days=1)),
        pages.BillLine("B-2", "Property tax 2026", 46000, today),
    ]


@pytest.fixture
def app(city: web.City) -> Flask:
    return app_with(city, pages.make(pages.PageSources(card, due, bills)))


@pytest.fixture
def maria(city: web.City, clock: FixedClock) -> residents.Resident:
    """A resident with 80 pesos, of whose rides 12 are owed, who may sign in."""
    with db.unit_of_work(city.engine) as session:
        resident = make_resident(session, clock.now())
        wallet = wallets.open_wallets(session, [resident.id], clock.now())[resident.id]
        until = clock.now() + timedelta(days=30)
        rides = ledger.Purse(wallets.TRANSIT, until, 0, "equity:general")
        spec = wallets.purse_spec(wallet.id, "student-rides", rides)
        ledger.open_accounts(session, [spec, wallets.held_spec(wallet.id)], clock.now())
        main, owed = wallets.main_account(wallet.id), wallets.owed_account(wallet.id)
        for number, lines in enumerate(
            (
                (ledger.Line("equity:general", 9000), ledger.Line(main, -9000)),
                (ledger.Line(owed, 1200), ledger.Line("equity:general", -1200)),
                (ledger.Line("equity:general", 700), ledger.Line(spec.code, -700)),
            ),
            start=1,
        ):
            draft = ledger.Draft(UUID(int=number), ledger.EntryKind.ADJUSTMENT, lines, clock.now(), "a test's")
            assert isinstance(
                ledger.post(session, [draft], first_seq=number, recorded_at=clock.now())[0], ledger.Posted
            )
        act = ledger.holds.Act(UUID(int=9), clock.now(), "a test's")
        terms = ledger.holds.Terms("revenue:fees", "", 1000, until)
        draft = ledger.holds.place(
            act, terms, held=wallets.held_account(wallet.id), sources=(spec.code, main), amount_cents=1700
        )
        assert isinstance(ledger.post(session, [draft], first_seq=9, recorded_at=clock.now())[0], ledger.Refused)
        draft = ledger.holds.place(act, terms, held=wallets.held_account(wallet.id), sources=(main,), amount_cents=1000)
        assert isinstance(ledger.post(session, [draft], first_seq=9, recorded_at=clock.now())[0], ledger.Posted)
        access.set_resident_password(
            session,
            resident_id=resident.id,
            username="maria",
            password=PASSWORD,
            now=clock.now(),
            random_bytes=city.random_bytes,
            cost=CHEAP,
        )
    return resident


@pytest.fixture
def browser(app: Flask, maria: residents.Resident) -> FlaskClient:
    """Maria's browser, signed in."""
    client = app.test_client()
    token = client.get("/sign-in").text.split('name="csrf_token" value="')[1].split('"')[0]
    signed_in = client.post("/sign-in", data={"csrf_token": token, "username": "maria", "password": PASSWORD})
    assert signed_in.status_code == 302, signed_in.text
    return client


def test_the_wallet_page_shows_money_debt_card_dues_and_bills(browser: FlaskClient, maria: residents.Resident) -> None:
    answer = browser.get("/wallet")
    assert answer.status_code == 200
    for text in (maria.full_name, maria.number, "₱80.00", "₱12.00", "Senior pension", "₱1,000.00", "B-1", "B-2"):
        assert text in answer.text, text
    assert answer.text.count("Overdue") == 1  # a bill that is due today is not


def test_whoever_owes_a_fare_reads_that_gates_refuse_the_card_until_it_is_paid(
    browser: FlaskClient, city: web.City, maria: residents.Resident, clock: FixedClock
) -> None:
    sentence = "gates do not let your card in"
    assert sentence in browser.get("/wallet").text
    with db.unit_of_work(city.engine) as session:
        owed = wallets.owed_account(wallets.of_resident(session, maria.id).id)
        lines = ledger.Line("equity:general", 1200), ledger.Line(owed, -1200)
        paid = ledger.Draft(UUID(int=99), ledger.EntryKind.ADJUSTMENT, lines, clock.now(), "a test's")
        assert isinstance(ledger.post(session, [paid], first_seq=99, recorded_at=clock.now())[0], ledger.Posted)
    assert sentence not in browser.get("/wallet").text


def test_money_for_a_purpose_is_shown_with_its_last_moment_and_what_is_set_aside_beside_the_balance(
    browser: FlaskClient,
) -> None:
    text = " ".join(browser.get("/wallet").text.split())
    for shown in ("For rides", "₱7.00", "student-rides. Use by Dec 2, 2026, 7:59", "Set aside", "₱10.00"):
        assert shown in text, shown
    statement = " ".join(browser.get("/wallet/statement").text.split())
    assert "₱87.00" in statement  # the wallet and the purse together, without what is set aside
    assert "student-rides" in statement


def test_the_statement_shows_the_entries(browser: FlaskClient) -> None:
    answer = browser.get("/wallet/statement")
    assert answer.status_code == 200
    assert "₱90.00" in answer.text
    assert browser.get("/wallet/statement?after=nonsense").status_code in {400, 422}


def test_strangers_are_asked_to_sign_in(app: Flask) -> None:
    for path in ("/wallet", "/wallet/statement"):
        answer = app.test_client().get(path)
        assert (answer.status_code, answer.location.partition("?")[0]) == (302, "/sign-in")
