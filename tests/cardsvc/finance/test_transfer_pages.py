"""Bank transfers in a browser: signed in and assigned by staff, the reference on a resident's wallet."""

import json
import re

from click.testing import CliRunner
from flask import Flask

from cardsvc import wallets
from cardsvc.finance.commands import finance
from tests.builders import PASSWORD
from tests.statements import Booked, camt053
from tests.surfing import resident, staff
from tests.town import Town

PATH = "/finance/transfers"


def brought(town: Town, *lines: tuple[int, str]) -> None:
    day = town.today()
    booked = [Booked(day, cents, f"B-{number}", text) for number, (cents, text) in enumerate(lines)]
    data = camt053("S-1", 0, booked, first=day, last=day)
    assert town.client.post("/v1/finance/statements", data=data, headers=town.token("finance")).status_code == 200


def test_a_resident_reads_the_reference_and_sees_the_money_that_came_with_it(town: Town, app: Flask) -> None:
    person = town.person()
    browser = resident(town, app, person)
    reference = wallets.reference_of(person.wallet_id)
    assert wallets.spaced(reference) in browser.read("/wallet")
    given = {"username": f"resident-{person.number.lower()}", "password": PASSWORD}
    token = town.client.post("/v1/sign-in", json=given).get_json()["token"]
    own = town.client.get("/v1/me/top-up-reference", headers={"Authorization": f"Bearer {token}"})
    assert own.get_json() == {"reference": reference, "printed": wallets.spaced(reference)}
    brought(town, (80_00, wallets.spaced(reference)))
    officer = staff(town, app, "finance")
    shown = officer.get(PATH)
    assert person.number in shown
    [line] = re.findall(r'name="line" value="([^"]+)"', shown)
    assert "No line of the bank" in officer.send(PATH, line=line, password=PASSWORD)
    page = browser.read("/wallet")
    assert "₱80.00" in page
    assert "Bank transfer" in page


def test_staff_find_out_whose_a_transfer_is_that_waits(town: Town, app: Flask) -> None:
    person = town.person()
    brought(town, (90_00, "RF99 unreadable"))
    officer = staff(town, app, "finance")
    [line] = re.findall(r'name="line" value="([^"]+)"', officer.get(PATH))
    assert "RF99 UNREADABLE" in officer.send(PATH, line=line, password=PASSWORD)
    [address] = re.findall(rf'href="({PATH}/[^"]+)"', officer.get(PATH))
    [key] = re.findall(r'name="key" value="([^"]+)"', officer.get(address))
    said = {"key": key, "number": person.number, "reason": "The slip shows it", "password": PASSWORD}
    assert "No resident has this number" in officer.refused(address, 409, **(said | {"number": "MK-999999-0"}))
    assert "Bank transfer that had waited" in officer.send(address, **said)
    assert town.balance(person) == 90_00
    assert "Nothing waits" in officer.read(PATH)
    officer.get(address, status=404)


def test_a_wrong_password_signs_nothing_in_and_readers_see_no_button(town: Town, app: Flask) -> None:
    person = town.person()
    brought(town, (80_00, wallets.reference_of(person.wallet_id)))
    officer = staff(town, app, "finance")
    [line] = re.findall(r'name="line" value="([^"]+)"', officer.get(PATH))
    assert "password" in officer.refused(PATH, 409, line=line, password="wrong").lower()
    assert "Sign them in" not in staff(town, app, "auditor").read(PATH)
    assert town.balance(person) == 0


def test_the_command_line_tells_references_and_what_is_to_be_signed(town: Town) -> None:
    person = town.person()
    runner = CliRunner()
    reference = wallets.reference_of(person.wallet_id)
    told = runner.invoke(finance, ["reference", person.number, "--json"], obj=lambda: town.city)
    assert json.loads(told.output) == {"reference": reference}
    assert runner.invoke(finance, ["transfers"], obj=lambda: town.city).output == "No transfers.\n"
    brought(town, (80_00, reference), (5_00, "RF00"))
    listed = json.loads(runner.invoke(finance, ["transfers", "--json"], obj=lambda: town.city).output)
    assert [(one["amount_cents"], one["wallet_id"]) for one in listed["incoming"]] == [
        (80_00, str(person.wallet_id)),
        (5_00, None),
    ]
    assert "to sign in" in runner.invoke(finance, ["transfers"], obj=lambda: town.city).output
