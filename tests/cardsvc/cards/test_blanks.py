"""The stock of blanks: taken in whole, used once, spoiled with a reason; the books agree with the delivery note."""

import csv
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cardsvc import cards, web
from cardsvc.cards import BlankState, Delivery, SpoilageReason
from cardsvc.cards.commands import cards as command
from cardsvc.clock import FixedClock
from cardsvc.settings import CardSettings
from cardsvc.vault import Vault
from tests.builders import CLERK, OFFICER, make_card, make_resident, staff_token

RandomBytes = Callable[[int], bytes]
DELIVERY = Delivery("November", "piv-aes128", "Card Works", date(2026, 11, 1), transport_key_reference="safe 2, bag 7")
REQUIRED = CardSettings(blanks_required=True)


class Store:
    """The store room, and a counter that takes blanks from it."""

    def __init__(self, session: Session, vault: Vault, clock: FixedClock, random_bytes: RandomBytes) -> None:
        self.session, self.vault, self.clock, self.random_bytes = session, vault, clock, random_bytes

    def take_in(self, *serials: str, delivery: Delivery = DELIVERY) -> cards.Reconciliation:
        return cards.take_in(
            self.session, delivery, serials, by=OFFICER, now=self.clock.now(), random_bytes=self.random_bytes
        )

    def order(self) -> UUID:
        now = self.clock.now()
        resident = make_resident(self.session, now)
        order = cards.request(self.session, resident.id, by=CLERK, now=now, random_bytes=self.random_bytes)
        return cards.approve(self.session, order.id, by=OFFICER, now=now).id

    def begin(self, card_id: UUID, serial: str | None, *, settings: CardSettings = REQUIRED) -> cards.Instructions:
        return cards.begin_personalisation(
            self.session,
            self.vault,
            card_id,
            by=CLERK,
            now=self.clock.now(),
            random_bytes=self.random_bytes,
            blank_serial=serial,
            settings=settings,
        )

    def spoil(self, serial: str, reason: SpoilageReason = SpoilageReason.DEFECTIVE) -> cards.Blank:
        return cards.spoil(self.session, serial, reason=reason, note="dropped", by=CLERK, now=self.clock.now())

    def state(self, serial: str) -> BlankState:
        return cards.blank(self.session, serial).state


@pytest.fixture
def store(session: Session, vault: Vault, clock: FixedClock, random_bytes: RandomBytes) -> Store:
    return Store(session, vault, clock, random_bytes)


def test_a_delivery_is_taken_in_whole_and_again_changes_nothing(store: Store) -> None:
    taken = store.take_in("A-1", "A-2", "A-3")
    assert (taken.delivered, taken.in_stock, taken.difference) == (3, 3, 0)
    assert store.take_in("A-3", "A-1", "A-2") == taken
    assert [step.to_state for step in cards.blank_history(store.session, "A-1")] == [BlankState.IN_STOCK]


def test_one_bad_row_keeps_all_out_and_every_bad_row_is_named(store: Store) -> None:
    store.take_in("A-1")
    with pytest.raises(cards.InvalidDelivery) as refused:
        store.take_in("B-1", "", "B-1", "A-1", "one two", delivery=Delivery("B", "piv-aes128", "?", date(2026, 11, 2)))
    codes = {row: problems[0].partition(":")[0] for row, problems in refused.value.fields.items()}
    assert codes == {
        "row 2": "invalid_serial",
        "row 3": "repeated_serial",
        "row 4": "known_serial",
        "row 5": "invalid_serial",
    }
    assert cards.blanks(store.session).blanks == (cards.blank(store.session, "A-1"),)
    with pytest.raises(cards.DeliveryExists):
        store.take_in("C-1")
    with pytest.raises(cards.InvalidDelivery):
        store.take_in(delivery=Delivery("Empty", "piv-aes128", "?", date(2026, 11, 2)))


def test_a_transport_key_itself_is_never_taken_in(store: Store) -> None:
    key = "404142434445464748494A4B4C4D4E4F"
    for pasted in (key, " ".join(key[i : i + 2] for i in range(0, 32, 2))):
        with pytest.raises(cards.InvalidDelivery) as refused:
            store.take_in("A-1", delivery=Delivery("X", "piv-aes128", "?", date(2026, 11, 2), None, pasted))
        assert key not in str(refused.value.fields)


def test_a_blank_becomes_one_card_and_another_attempt_on_it_is_the_same_blank(store: Store) -> None:
    store.take_in("A-1", "A-2")
    card_id = store.order()
    begun = store.begin(card_id, "A-1", settings=CardSettings(blanks_required=True, printed_information=True))
    assert begun.printed is not None
    assert begun.printed.serial == "A-1"
    assert cards.blank(store.session, "A-1").card_id == card_id
    store.begin(card_id, "A-1")
    store.begin(card_id, None)  # the counter that tears and tries again need not say it again
    assert len(cards.blank_history(store.session, "A-1")) == 2
    with pytest.raises(cards.BlankInUse):
        store.begin(store.order(), "A-1")
    assert cards.reconciliation(store.session)[0].difference == 0


def test_another_blank_for_the_same_card_spoils_the_first(store: Store) -> None:
    store.take_in("A-1", "A-2")
    card_id = store.order()
    store.begin(card_id, "A-1")
    store.begin(card_id, "A-2")
    assert (store.state("A-1"), store.state("A-2")) == (BlankState.SPOILED, BlankState.USED)
    register = cards.spoilage(store.session)
    assert [(step.serial, step.reason, step.card_id, step.actor) for step in register] == [
        ("A-1", SpoilageReason.TORN, card_id, CLERK)
    ]
    found = cards.reconciliation(store.session)[0]
    assert (found.in_stock, found.used, found.spoiled, found.returned, found.difference) == (0, 1, 1, 0, 0)


def test_a_city_that_keeps_stock_may_insist_on_the_blank(store: Store) -> None:
    card_id = store.order()
    with pytest.raises(cards.BlankNeeded):
        store.begin(card_id, None)
    with pytest.raises(cards.BlankNotFound):
        store.begin(card_id, "A-1")
    store.begin(card_id, "A-1", settings=CardSettings())  # no stock was ever taken in: the serial is only printed
    store.take_in("A-2")
    with pytest.raises(cards.BlankNotFound):
        store.begin(card_id, "A-1", settings=CardSettings())
    store.begin(card_id, None, settings=CardSettings())


def test_a_blank_of_another_product_is_refused(store: Store) -> None:
    store.take_in("C-1", delivery=Delivery("Big keys", "piv-aes256", "Card Works", date(2026, 11, 1)))
    with pytest.raises(cards.WrongBlank):
        store.begin(store.order(), "C-1")


def test_what_is_spoiled_or_sent_back_never_is_stock_again(store: Store) -> None:
    store.take_in("A-1", "A-2", "A-3")
    now = store.clock.now()
    assert store.spoil("A-1") == store.spoil("A-1", SpoilageReason.MISSING)
    assert [step.reason for step in cards.spoilage(store.session)] == [SpoilageReason.DEFECTIVE]
    back = cards.send_back(store.session, "A-2", by=OFFICER, now=now)
    assert cards.send_back(store.session, "A-2", by=OFFICER, now=now) == back
    with pytest.raises(cards.InvalidBlankMove):
        store.spoil("A-2")
    with pytest.raises(cards.InvalidBlankMove):
        cards.send_back(store.session, "A-1", by=OFFICER, now=now)
    with pytest.raises(cards.BlankInUse):
        store.begin(store.order(), "A-1")
    change = text("UPDATE blank SET state = 'in_stock', card_id = NULL WHERE serial = :serial")
    for serial in ("A-1", "A-2"):
        with pytest.raises(IntegrityError), store.session.begin_nested():
            store.session.execute(change, {"serial": serial})


def test_the_blank_of_a_card_in_somebodys_hands_is_not_written_off(store: Store) -> None:
    store.take_in("A-1")
    card_id = store.order()
    store.begin(card_id, "A-1")
    resident_id = cards.find(store.session, card_id).resident_id
    make_card(store.session, store.vault, resident_id, store.clock.now(), approved=True)
    with pytest.raises(cards.BlankInUse):
        store.spoil("A-1")


def test_a_delivery_short_of_its_note_shows_as_a_difference(store: Store) -> None:
    short = Delivery("Short", "piv-aes128", "Card Works", date(2026, 11, 1), delivered=5)
    assert store.take_in("A-1", "A-2", "A-3", delivery=short).difference == -2


# ------------------------------------------------------------------------------------------------- over the API and CLI


def test_officers_keep_the_stock_over_the_api(city: web.City, client: FlaskClient) -> None:
    officer, clerk = (staff_token(city, client, role) for role in ("card_officer", "clerk"))
    content = {
        "name": "November",
        "product": "piv-aes128",
        "delivered_by": "Card Works",
        "delivered_on": "2026-11-01",
        "serials": ["A-1", "A-2"],
    }
    url = "/v1/cards/blanks/deliveries"
    assert client.post(url, json=content, headers=clerk).status_code == 403
    dry = client.post(url, json={**content, "dry_run": True}, headers=officer)
    assert (dry.status_code, dry.get_json()["in_stock"]) == (201, 2)
    assert client.get(url, headers=clerk).get_json() == {"deliveries": []}
    assert client.post(url, json=content, headers=officer).status_code == 201
    assert client.post(url, json=content, headers=officer).status_code == 201
    refused = client.post(url, json={**content, "name": "More"}, headers=officer).get_json()
    assert (refused["code"], set(refused["errors"])) == ("invalid_delivery", {"row 1", "row 2"})
    spoiled = client.post("/v1/cards/blanks/A-1/spoilage", json={"reason": "misprinted"}, headers=clerk)
    assert spoiled.get_json()["state"] == "spoiled"
    assert client.post("/v1/cards/blanks/A-2/return", json={}, headers=officer).get_json()["state"] == "returned"
    one = client.get("/v1/cards/blanks/A-1", headers=clerk).get_json()
    assert [step["to_state"] for step in one["history"]] == ["in_stock", "spoiled"]
    assert client.get("/v1/cards/blanks/Z", headers=clerk).get_json()["code"] == "blank_not_found"
    register = client.get("/v1/cards/blanks/spoilage", headers=clerk).get_json()["spoiled"]
    assert [(step["serial"], step["reason"]) for step in register] == [("A-1", "misprinted")]
    listed = client.get("/v1/cards/blanks?state=returned", headers=clerk).get_json()
    assert ([blank["serial"] for blank in listed["blanks"]], listed["next"]) == (["A-2"], None)
    assert client.get(url, headers=clerk).get_json()["deliveries"][0]["difference"] == 0


def test_a_csv_of_serials_is_taken_in_from_the_command_line(city: web.City, engine: Engine, tmp_path: Path) -> None:
    assert engine is city.engine
    file = tmp_path / "serials.csv"
    with file.open("w", newline="", encoding="utf-8-sig") as opened:
        csv.writer(opened).writerows([["box", "serial"], ["1", "A-1"], ["1", "A-2"]])

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(command, ["blanks", *arguments], obj=lambda: city)
        return result.exit_code, result.stdout

    given = ["import", str(file), "--name", "Nov", "--delivered-by", "Card Works", "--delivered-on", "2026-11-01"]
    code, answer = run(*given, "--dry-run", "--json")
    assert (code, json.loads(answer)["delivery"]["in_stock"]) == (0, 2)
    assert json.loads(run("report", "--json")[1]) == {"deliveries": [], "agrees": True}
    assert run(*given)[1] == "2 blanks of delivery Nov are in stock.\n"
    assert run(*given)[0] == 0
    code, answer = run("import", str(file), "--name", "Dec", *given[4:], "--json")
    assert (code, set(json.loads(answer)["errors"])) == (1, {"row 1", "row 2"})
    assert run("spoil", "A-1", "--reason", "damaged")[0] == 0
    assert "A-1  damaged" in run("spoilage")[1]
    assert run("report") == (
        0,
        "Nov: delivered 2 = in stock 1 + used 0 + spoiled 1 + returned 0\nThe books agree.\n",
    )
    file.write_text("number\n1\n")
    assert json.loads(run(*given, "--json")[1])["errors"] == {"heading": ["missing_column: There is no column serial."]}
