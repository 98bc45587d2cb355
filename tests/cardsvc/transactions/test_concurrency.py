"""Many senders at once, and a service that stops between two steps: each record counts once, the log has no gap."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event

from cardsvc import audit, transactions
from crypto.wire.transaction import Purpose
from tests.town import BUS_CENTS, Result, Terminal, Town, claim, tap

THREADS = 16
P = Purpose.PRESENCE


@pytest.fixture
def validator(town: Town) -> Terminal:
    town.tariff()
    return town.validator()


def at_once(town: Town, batches: list[bytes]) -> list[list[Result]]:
    """Every batch in a thread of its own, all let go together."""
    gate = threading.Barrier(len(batches))

    def send(raw: bytes) -> list[Result]:
        gate.wait()
        other = Town(town.city, town.client.application.test_client(), town.clock)
        return other.send(raw)

    with ThreadPoolExecutor(len(batches)) as pool:
        return list(pool.map(send, batches))


def test_one_batch_from_sixteen_senders_counts_once(town: Town, validator: Terminal) -> None:
    ana = town.person()
    for _ in range(5):
        validator.add(tap(), ana.signs(P))
    raw = validator.batch()
    answers = at_once(town, [raw] * THREADS)
    assert sum(not result.replayed for answer in answers for result in answer) == 5
    assert len({tuple(result.receipt for result in answer) for answer in answers}) == 1
    assert town.owed(ana) == 5 * BUS_CENTS
    assert town.check().transactions == town.count("log_leaf") == 5


def test_sixteen_batches_that_share_records_post_each_once(town: Town, validator: Terminal) -> None:
    ana = town.person()
    items = [validator.make(tap(), ana.signs(P))[1] for _ in range(THREADS + 2)]
    answers = at_once(town, [validator.batch(items[n : n + 3]) for n in range(THREADS)])
    fresh = [result.record_id for answer in answers for result in answer if not result.replayed]
    assert len(fresh) == len(set(fresh)) == len(items)
    assert town.owed(ana) == len(items) * BUS_CENTS
    assert town.check().transactions == len(items)


def test_one_entitlement_claimed_at_sixteen_kiosks_is_paid_once(town: Town) -> None:
    ana = town.person()
    entitlement = town.cycle(ana)[ana.resident_id]
    batches = []
    for kiosk in [town.kiosk() for _ in range(THREADS)]:
        kiosk.add(claim(entitlement), ana.signs(Purpose.CONSENT))
        batches.append(kiosk.batch())
    outcomes = sorted(answer[0].reason or "accepted" for answer in at_once(town, batches))
    assert outcomes == ["accepted"] + ["already_done"] * (THREADS - 1)
    assert town.balance(ana) == 500_00
    town.check()


class PowerFailureError(Exception):
    """Stands for the end of the process."""


def failing(town: Town, name: str, act: Callable[[], object]) -> None:
    """Do `act` while this event of the engine's connections ends the process."""

    def fail(*_: object) -> None:
        raise PowerFailureError

    event.listen(town.city.engine, name, fail)
    try:
        with pytest.raises(PowerFailureError):
            act()
    finally:
        event.remove(town.city.engine, name, fail)


def desk(town: Town) -> transactions.Desk:
    return transactions.Desk(town.city.handlers.registry, town.city.vault, town.city.random_bytes)


def test_a_crash_before_the_commit_leaves_nothing_and_the_batch_again_does_all(town: Town, validator: Terminal) -> None:
    ana = town.person()
    validator.add(tap(), ana.signs(P))
    raw, now = validator.batch(), town.clock.now()
    failing(
        town,
        "commit",
        lambda: town.run(lambda session: transactions.accept(session, raw, desk=desk(town), now=now)),
    )
    assert (town.count("transaction"), town.count("log_leaf"), town.owed(ana)) == (0, 0, 0)
    assert [result.replayed for result in town.send(raw)] == [False]
    assert town.owed(ana) == BUS_CENTS
    town.check()


def test_a_crash_before_the_checkpoint_loses_no_receipt(town: Town, validator: Terminal) -> None:
    ana = town.person()
    validator.add(tap(), ana.signs(P))
    raw, now = validator.batch(), town.clock.now()
    accepted = town.run(lambda session: transactions.accept(session, raw, desk=desk(town), now=now))
    [done] = accepted.results
    assert town.count("checkpoint") == 0
    answer = town.client.get(f"/v1/receipts/{done.record_id}")
    assert (answer.status_code, answer.get_json()["code"]) == (503, "receipt_not_ready")
    [again] = town.send(raw)
    assert (again.record_id, again.outcome, again.replayed) == (done.record_id, "accepted", True)
    assert town.verified(again).tree_size == 1
    assert town.owed(ana) == BUS_CENTS
    town.check()


def test_a_checkpoint_published_by_somebody_else_serves_as_well(town: Town, validator: Terminal) -> None:
    ana = town.person()
    validator.add(tap(), ana.signs(P))
    raw, now = validator.batch(), town.clock.now()
    town.run(lambda session: transactions.accept(session, raw, desk=desk(town), now=now))
    town.run(lambda session: audit.publish(session, town.city.vault, now, town.city.settings.log_head))
    validator.send_one(tap(), ana.signs(P))
    assert town.verified(town.send(raw)[0]).tree_size == 1
    town.check()


def test_an_erased_record_still_answers_without_a_receipt(town: Town, validator: Terminal) -> None:
    ana = town.person()
    validator.add(tap(), ana.signs(P))
    validator.add(tap(), ana.signs(P))
    raw = validator.batch()
    first, second = town.send(raw)
    assert first.record_id is not None
    erased = first.record_id
    town.run(lambda session: audit.erase(session, [erased]))
    one, two = town.send(raw)
    assert (one.outcome, one.receipt) == ("accepted", None)
    assert two.receipt == second.receipt
    assert town.client.get(f"/v1/receipts/{first.record_id}").status_code == 404
    town.check()
