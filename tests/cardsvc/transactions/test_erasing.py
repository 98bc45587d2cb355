"""One resident leaves the log by the word of two people; the log, the books and everybody else's receipts stand."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from cardsvc import audit, transactions
from crypto import tlog
from crypto.wire.receipt import leaf_data, verify_receipt
from crypto.wire.transaction import Purpose
from tests.builders import PASSWORD
from tests.town import Person, Town, top_up


@pytest.fixture
def two(town: Town) -> tuple[Person, Person, dict[str, UUID]]:
    """Two residents with a top-up each, and Ana's that was refused."""
    counter, shift_id = town.till()
    ana, ben = town.person(), town.person()
    results = {
        "ana": counter.send_one(top_up(shift_id, 500_00), ana.signs(Purpose.PRESENCE)),
        "ben": counter.send_one(top_up(shift_id, 300_00), ben.signs(Purpose.PRESENCE)),
        "ana's refused": counter.send_one(top_up(shift_id, 50_001_00), ana.signs(Purpose.PRESENCE)),
    }
    return ana, ben, {name: UUID(str(result.record_id)) for name, result in results.items()}


def receipt_of(town: Town, record_id: UUID) -> bytes:
    return town.run(lambda session: transactions.receipt(session, town.city.vault, record_id))


def propose(town: Town, payload: dict[str, Any], *, role: str = "auditor", status: int = 201) -> Any:
    return town.post("/v1/actions", {"kind": "log.erase", "payload": payload}, role, status=status)


def erase(town: Town, person: Person) -> None:
    action = propose(town, {"resident_id": str(person.resident_id)})
    assert "2 records" in action["summary"]
    assert "entries, the signed records and the register stay" in action["summary"]
    for role in ("auditor", "admin"):
        town.post(f"/v1/actions/{action['id']}/signatures", {"password": PASSWORD}, role, status=201)


def test_an_erased_resident_leaves_the_log_and_nothing_else(
    town: Town, two: tuple[Person, Person, dict[str, UUID]]
) -> None:
    ana, ben, records = two
    given = {name: receipt_of(town, record_id) for name, record_id in records.items()}
    balances = [town.balance(person) for person in (ana, ben)]
    before = town.client.get("/log/checkpoint").text
    erase(town, ana)

    town.check()  # books, transactions and the whole log, with the records behind its leaves
    assert [town.balance(person) for person in (ana, ben)] == balances  # money entries stay
    assert town.client.get("/log/checkpoint").text == before  # nothing that was signed changed
    for name in ("ana", "ana's refused"):
        with pytest.raises(transactions.UnknownReceipt):
            receipt_of(town, records[name])
    assert receipt_of(town, records["ben"]) == given["ben"]
    for receipt in given.values():  # what people hold verifies for ever, and against today's log
        verify_receipt(receipt, town.keys())

    def proofs(session: Session) -> None:
        head = audit.newest(session)
        assert head is not None
        salts = audit.salts(session, list(records.values()))
        assert {name for name, record_id in records.items() if salts[record_id] is None} == {"ana", "ana's refused"}
        for index in range(head.tree_size):
            leaf = audit.leaf(session, index)
            assert tlog.leaf_hash(leaf_data(leaf.commitment)) == leaf.leaf_hash
            proof = audit.inclusion(session, index, head.tree_size)
            tlog.verify_inclusion(leaf.leaf_hash, index, head.tree_size, proof, head.root)

    town.run(proofs)


def test_the_log_grows_on_after_an_erasure(town: Town, two: tuple[Person, Person, dict[str, UUID]]) -> None:
    ana, ben, _records = two
    erase(town, ana)
    counter, shift_id = town.till()
    result = counter.send_one(top_up(shift_id, 100_00), ben.signs(Purpose.PRESENCE))
    town.verified(result)
    town.check()


def test_what_the_log_forgot_is_what_two_people_signed_that_it_should(
    town: Town, two: tuple[Person, Person, dict[str, UUID]]
) -> None:
    ana, _ben, records = two
    assert town.run(transactions.check_erasures) == transactions.ErasuresChecked(0, 0)
    erase(town, ana)
    assert town.run(transactions.check_erasures) == transactions.ErasuresChecked(1, 2)
    town.run(lambda session: audit.erase(session, [records["ben"]]))
    with pytest.raises(transactions.UnprovedErasure, match=f"{records['ben']}.*no two people signed"):
        town.run(transactions.check_erasures)


def test_a_leaf_that_still_speaks_between_erased_ones_is_noticed(
    town: Town, two: tuple[Person, Person, dict[str, UUID]]
) -> None:
    ana, _ben, _records = two
    erase(town, ana)
    counter, shift_id = town.till()
    later = [counter.send_one(top_up(shift_id, 100_00), ana.signs(Purpose.PRESENCE)).record_id for _ in range(2)]
    assert town.run(transactions.check_erasures).erased == 2  # what comes later speaks again
    town.run(lambda session: audit.erase(session, [UUID(str(later[1]))]))
    with pytest.raises(transactions.UnprovedErasure, match=f"{later[0]}.*says still"):
        town.run(transactions.check_erasures)


def test_nobody_erases_alone_and_only_a_resident(town: Town, two: tuple[Person, Person, dict[str, UUID]]) -> None:
    ana, _ben, records = two
    propose(town, {"resident_id": str(ana.resident_id)}, role="clerk", status=403)
    for payload in ({}, {"resident_id": "x"}, {"resident_id": str(ana.resident_id), "more": 1}):
        propose(town, payload, status=422)
    action = propose(town, {"resident_id": str(ana.resident_id)})
    town.post(f"/v1/actions/{action['id']}/signatures", {"password": PASSWORD}, "auditor", status=201)
    town.post(f"/v1/actions/{action['id']}/signatures", {"password": PASSWORD}, "clerk", status=403)
    assert receipt_of(town, records["ana"])
