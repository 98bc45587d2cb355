"""Bank transfers: money that carries a reference reaches its wallet once, what does not waits for staff."""

from typing import Any
from uuid import UUID

from cardsvc import ledger, residents, transactions, wallets
from cardsvc.finance import queries
from crypto.wire.finance import BankTransfer
from crypto.wire.receipt import verify_receipt
from crypto.wire.transaction import Purpose
from tests.builders import PASSWORD
from tests.statements import Booked, camt053
from tests.town import Person, Town, tap

SUSPENSE = "suspense:transfers"
PATH = "/v1/finance/transfers"


def reference(person: Person) -> str:
    return wallets.reference_of(person.wallet_id)


def brought(town: Town, *lines: tuple[int, str], name: str = "S-1") -> list[str]:
    """A statement with these amounts and texts; the ids of its lines."""
    day = town.today()
    booked = [Booked(day, cents, f"B-{name}-{number}", text) for number, (cents, text) in enumerate(lines)]
    data = camt053(name, 0, booked, first=day, last=day)
    answer = town.client.post("/v1/finance/statements", data=data, headers=town.token("finance"))
    assert answer.status_code == 200, answer.text
    return [line["id"] for line in answer.get_json()[0]["lines"]]


def taken(town: Town, *line_ids: str, role: str = "finance", status: int = 200) -> Any:
    given: dict[str, Any] = {"password": PASSWORD} | ({"line_ids": list(line_ids)} if line_ids else {})
    return town.post(PATH, given, role, status=status)


def listed(town: Town, role: str = "auditor") -> Any:
    return town.client.get(PATH, headers=town.token(role)).get_json()


def assigned(town: Town, transfer_id: str, person: Person, role: str, key: UUID | None = None) -> Any:
    given = {"wallet_id": str(person.wallet_id), "reason": "His bank slip", "password": PASSWORD}
    return town.post(f"{PATH}/{transfer_id}/assignment", given, role, key=key or town.key())


def lines_of(town: Town, record_id: str) -> list[tuple[str, int]]:
    entry = town.run(lambda session: ledger.entry(session, UUID(record_id)))
    return [(line.account, line.amount_cents) for line in entry.lines]


def test_a_transfer_with_a_reference_tops_the_wallet_up_with_a_receipt(town: Town) -> None:
    person = town.person()
    brought(town, (250_00, f"Load {wallets.spaced(reference(person)).lower()} salamat"))
    [line] = listed(town)["incoming"]
    assert (line["reference"], line["wallet_id"], line["why"]) == (reference(person), str(person.wallet_id), "")
    answer = taken(town)
    [result] = answer["results"]
    assert (result["outcome"], result["wallet_id"], answer["left"]) == ("accepted", str(person.wallet_id), 0)
    assert (town.balance(person), town.balance_of("bank:main")) == (250_00, [250_00])
    receipt = town.client.get(f"/v1/receipts/{result['record_id']}", headers=town.token("finance"))
    assert verify_receipt(receipt.data, town.keys()).amount_cents == 250_00
    town.check()


def test_what_the_holder_owes_is_paid_first(town: Town) -> None:
    town.tariff()
    person = town.person()
    gate = town.validator()
    assert gate.send_one(tap(), person.signs(Purpose.PRESENCE)).outcome == "accepted"
    owed = town.owed(person)
    assert owed > 0
    brought(town, (100_00, reference(person)))
    [result] = taken(town)["results"]
    assert (town.owed(person), town.balance(person)) == (0, 100_00 - owed)
    assert lines_of(town, result["record_id"]) == [
        ("bank:main", 100_00),
        (wallets.owed_account(person.wallet_id), -owed),
        (wallets.main_account(person.wallet_id), owed - 100_00),
    ]
    town.check()


def test_a_line_is_credited_once_whatever_is_sent_again_and_whoever_sends_it(town: Town) -> None:
    person = town.person()
    [line] = brought(town, (70_00, reference(person)))
    first = taken(town, line)["results"][0]
    again = taken(town, line)["results"][0]
    assert (again["record_id"], again["replayed"]) == (first["record_id"], True)
    other = taken(town, line, role="treasurer")["results"][0]
    assert (other["outcome"], other["reason"]) == ("rejected", "already_done")
    assert brought(town, (70_00, reference(person))) == [line]  # the same file again
    assert taken(town)["results"] == []
    assert town.balance(person) == 70_00
    assert town.count("bank_transfer") == 1
    town.check()


def test_two_equal_transfers_of_a_day_are_two(town: Town) -> None:
    person = town.person()
    day = town.today()
    twice = [Booked(day, 50_00, reference(person))] * 2
    data = camt053("S-1", 0, twice, first=day, last=day)
    assert town.client.post("/v1/finance/statements", data=data, headers=town.token("finance")).status_code == 200
    assert len(taken(town)["results"]) == 2
    assert town.balance(person) == 100_00


def test_a_wrong_unknown_or_doubled_reference_waits_and_is_never_guessed(town: Town) -> None:
    person, other = town.person(), town.person()
    right = reference(person)
    wrong = right[:-1] + ("0" if right[-1] != "0" else "1")
    unknown = wallets.reference_of(UUID("018f3c5e-7c00-7abc-8def-0123456789ad"))
    brought(town, (10_00, wrong), (20_00, unknown), (30_00, f"{right} {reference(other)}"))
    results = taken(town)["results"]
    assert [(result["outcome"], result["wallet_id"]) for result in results] == [("accepted", None)] * 3
    assert town.balance_of(SUSPENSE, "bank:main") == [60_00, 60_00]
    assert (town.balance(person), town.balance(other)) == (0, 0)
    assert sorted(one["amount_cents"] for one in listed(town)["waiting"]) == [10_00, 20_00, 30_00]
    town.check()


def test_a_line_without_a_reference_is_left_to_finance_which_may_take_it_in_to_wait(town: Town) -> None:
    [line] = brought(town, (15_00, "Interest of October"))
    assert taken(town)["results"] == []
    [result] = taken(town, line)["results"]
    assert (result["reference"], result["wallet_id"], result["outcome"]) == (None, None, "accepted")
    assert town.balance_of(SUSPENSE) == [15_00]


def test_staff_assign_what_waits_once_and_a_large_sum_takes_another_person(town: Town) -> None:
    person = town.person()
    small, large = brought(town, (1_000_00, "RF00 small"), (1_000_01, "RF00 large"))
    first, second = (result["record_id"] for result in taken(town, small, large)["results"])
    if lines_of(town, first)[0][1] != 1_000_00:
        first, second = second, first
    key = town.key()
    assert assigned(town, first, person, "finance", key)["outcome"] == "accepted"
    assert assigned(town, first, person, "finance", key)["replayed"]
    assert assigned(town, first, person, "treasurer")["reason"] == "already_done"
    assert assigned(town, second, person, "finance")["reason"] == "not_permitted"
    assert assigned(town, second, person, "treasurer")["outcome"] == "accepted"
    assert (town.balance(person), town.balance_of(SUSPENSE)) == (2_000_01, [0])
    assert listed(town)["waiting"] == []
    town.check()


def test_money_of_a_reference_is_not_taken_for_a_deposit_of_the_same_amount(town: Town) -> None:
    person = town.person()
    town.fund(40_00, reference="F-1")
    [line] = brought(town, (40_00, reference(person)))
    statement = listed(town)["incoming"][0]
    assert statement["line_id"] == line
    assert taken(town)["results"][0]["outcome"] == "accepted"
    assert (town.balance(person), town.balance_of("bank:main")) == (40_00, [80_00])


def test_a_record_that_says_other_than_the_line_credits_nothing(town: Town) -> None:
    person, other = town.person(), town.person()
    brought(town, (40_00, reference(person)))
    [line] = listed(town)["incoming"]
    line_id = UUID(line["line_id"])
    line_hash = town.run(lambda session: queries.incoming_lines(session, [line_id])[line_id].line_hash)

    def send(body: BankTransfer, *roles: str) -> transactions.ItemResult:
        member = town.staff(*roles)
        desk = transactions.Desk(town.city.handlers.registry, town.city.vault, town.city.random_bytes)
        return town.run(
            lambda session: transactions.act(
                session,
                body,
                record_id=town.key(),
                staff_id=member.id,
                password=PASSWORD,
                desk=desk,
                now=town.clock.now(),
            )
        )

    by = town.staff("finance").id
    theirs = BankTransfer(by, line_hash, 40_00, "PHP", reference(person), other.wallet_id)
    assert send(theirs, "finance").reason == "unknown_reference"
    more = BankTransfer(by, line_hash, 41_00, "PHP", reference(person), person.wallet_id)
    assert send(more, "finance").reason == "wrong_amount"
    none = BankTransfer(by, bytes(32), 40_00, "PHP", reference(person), person.wallet_id)
    assert send(none, "finance").reason == "unknown_reference"
    right = BankTransfer(town.staff("clerk").id, line_hash, 40_00, "PHP", reference(person), person.wallet_id)
    assert send(right, "clerk").reason == "not_permitted"
    assert (town.balance(person), town.balance(other)) == (0, 0)


def taken_back(town: Town, entry_id: str, fund: str = "general") -> str:
    """A voucher of two that takes the entry back; its id."""
    said = {
        "fund": fund,
        "booked_on": town.today().isoformat(),
        "particulars": "Sent back to the sender",
        "document": "OUT-1",
        "reverses": entry_id,
    }
    proposed = town.post("/v1/finance/journal-entries", said, "finance", status=201)
    for role in ("finance", "treasurer"):
        path = f"/v1/actions/{proposed['action_id']}/signatures"
        town.post(path, {"password": PASSWORD}, role, status=201)
    return str(proposed["action_id"])


def test_a_voucher_of_two_sends_back_what_waits(town: Town) -> None:
    person = town.person()
    brought(town, (10_00, "RF00"))
    [result] = taken(town)["results"]
    taken_back(town, result["record_id"])
    assert town.balance_of(SUSPENSE, "bank:main") == [0, 0]
    assert listed(town)["waiting"] == []
    assert assigned(town, result["record_id"], person, "finance")["reason"] == "already_done"
    assert taken(town)["results"] == []
    town.check()


def test_what_was_assigned_wrongly_waits_again_once_that_is_taken_back(town: Town) -> None:
    person, other = town.person(), town.person()
    brought(town, (20_00, "RF00"), (30_00, "RF00"))
    transfer_id = {one["amount_cents"]: one["record_id"] for one in taken(town)["results"]}[20_00]
    wrong = assigned(town, transfer_id, other, "finance")
    said = {"fund": "general", "booked_on": town.today().isoformat(), "particulars": "Back", "document": "OUT-2"}
    refused = town.post("/v1/finance/journal-entries", said | {"reverses": transfer_id}, "finance", status=422)
    assert refused["code"] == "unfit_voucher"  # the other transfer's money is not given back for this one
    taken_back(town, wrong["record_id"], "trust")
    assert (town.balance(other), town.balance_of(SUSPENSE)) == (0, [50_00])
    assert assigned(town, transfer_id, person, "finance")["outcome"] == "accepted"
    assert (town.balance(person), town.balance_of(SUSPENSE)) == (20_00, [30_00])
    town.check()


def test_money_for_a_holder_who_died_waits(town: Town) -> None:
    person = town.person()
    died, now = residents.ResidentStatus.DECEASED, town.clock.now()
    by = town.staff("clerk").id
    town.run(
        lambda session: residents.change_status(session, person.resident_id, died, by=by, reason="Told us", now=now)
    )
    brought(town, (10_00, reference(person)))
    [result] = taken(town)["results"]
    assert (result["wallet_id"], town.balance(person), town.balance_of(SUSPENSE)) == (None, 0, [10_00])
    assert listed(town)["waiting"][0]["why"] == "The holder of this reference has died."


def test_the_reference_is_on_the_wallet_and_in_the_api(town: Town) -> None:
    person = town.person()
    purses = town.client.get(f"/v1/wallets/{person.wallet_id}/purses", headers=town.token("cashier")).get_json()
    assert purses["top_up_reference"] == reference(person)
    assert town.client.get("/v1/me/top-up-reference", headers=town.token("finance")).status_code == 403


def test_only_finance_signs_transfers_in_with_the_right_password(town: Town) -> None:
    person = town.person()
    brought(town, (10_00, reference(person)))
    taken(town, role="auditor", status=403)
    town.post(PATH, {"password": "wrong"}, "finance", status=403)
    assert taken(town, str(town.key()), status=404)["code"] == "unknown_line"
    assert town.balance(person) == 0
