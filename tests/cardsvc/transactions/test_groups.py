"""Batches that are accepted together: each as if it had come alone, and one that cannot be spoils only itself."""

import secrets
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from cardsvc import cards, devices, transactions
from cardsvc.transactions import BatchAnswer, Desk, Item, Opened, Plan, Rejected, Taking
from cardsvc.transit import Tapping
from crypto.keys import SoftwareSigner
from crypto.wire.batch import Batch, sign_batch
from crypto.wire.ids import uuid7
from crypto.wire.transaction import Purpose
from crypto.wire.transit import Tap
from tests import builders
from tests.town import BUS_CENTS, Terminal, Town, tap

P = Purpose.PRESENCE


@pytest.fixture
def validator(town: Town) -> Terminal:
    town.tariff()
    return town.validator()


def desk(town: Town) -> Desk:
    return Desk(town.city.handlers.registry, town.city.vault, town.city.random_bytes)


def taking(town: Town, made: Desk | None = None) -> Taking:
    return Taking(town.city.engine, made or desk(town), kept=town.city.settings.log_head)


def together(town: Town, *raws: bytes) -> list[BatchAnswer | Exception]:
    now = town.clock.now()
    return town.run(lambda session: [*transactions.accept_many(session, raws, desk=desk(town), now=now)])


def told(answer: BatchAnswer | Exception) -> list[tuple[str, str | None, bool]]:
    assert isinstance(answer, BatchAnswer), answer
    return [(r.outcome, None if r.reason is None else r.reason.value, r.replayed) for r in answer.results]


def test_batches_accepted_together_are_answered_each_in_its_order(town: Town, validator: Terminal) -> None:
    people, other = [town.person() for _ in range(3)], town.validator()
    for person in people:
        validator.add(tap(), person.signs(P))
        other.add(tap(), person.signs(P))
    first, second = validator.batch(), other.batch()
    one, two = together(town, first, second)
    assert told(one) == told(two) == [("accepted", None, False)] * 3
    assert isinstance(one, BatchAnswer)
    assert isinstance(two, BatchAnswer)
    assert (one.device_id, two.device_id) == (validator.device_id, other.device_id)
    assert [r.leaf_index for r in (*one.results, *two.results)] == list(range(6))
    assert town.owed(people[0]) == 2 * BUS_CENTS
    assert town.check().transactions == 6


def revoke(town: Town, terminal: Terminal) -> None:
    now = town.clock.now()
    town.run(lambda session: devices.revoke(session, terminal.device_id, by=builders.OFFICER, reason="stolen", now=now))


def test_a_batch_that_cannot_be_accepted_spoils_only_itself(town: Town, validator: Terminal) -> None:
    ana, stranger = (
        town.person(),
        Terminal(
            town,
            builders.SoftwareTerminal(UUID(int=5), devices.DeviceKind.VALIDATOR, SoftwareSigner.from_secret(5), b""),
        ),
    )
    gone = town.validator()
    validator.add(tap(), ana.signs(P))
    stranger.add(tap(), ana.signs(P))
    gone.add(tap(), ana.signs(P))
    good, unknown, revoked = validator.batch(), stranger.batch(), gone.batch()
    town.run(
        lambda session: devices.revoke(
            session, gone.device_id, by=builders.OFFICER, reason="gone", now=town.clock.now()
        )
    )
    broken = good[:-1] + bytes([good[-1] ^ 1])
    answers = together(town, unknown, broken, b"nonsense", revoked, good)
    codes = [answer.code for answer in answers[:4] if isinstance(answer, Exception)]  # type: ignore[attr-defined]
    assert codes == ["unknown_terminal", "invalid_signature", "malformed", "terminal_revoked"]
    assert told(answers[4]) == [("accepted", None, False)]
    assert town.check().transactions == 1


def test_the_same_batch_twice_in_a_group_counts_once(town: Town, validator: Terminal) -> None:
    ana = town.person()
    validator.add(tap(), ana.signs(P))
    raw = validator.batch()
    one, two = together(town, raw, raw)
    assert told(one) == [("accepted", None, False)]
    assert told(two) == [("accepted", None, True)]
    assert town.owed(ana) == BUS_CENTS
    assert town.check().transactions == town.count("batch") == 1


def test_another_batch_under_the_same_id_in_a_group_is_refused_whole(town: Town, validator: Terminal) -> None:
    ana = town.person()
    batch_id = uuid7(1, bytes(10))
    validator.add(tap(), ana.signs(P))
    first = validator.batch(batch_id=batch_id)
    validator.add(tap(), ana.signs(P))
    shared = validator.waiting[0]
    second = validator.batch(batch_id=batch_id)
    third = validator.batch([shared])
    one, two, three = together(town, first, second, third)
    assert told(one) == [("accepted", None, False)]
    assert getattr(two, "code", None) == "batch_id_conflict"
    assert told(three) == [("accepted", None, False)]  # what the refused one brought was not taken
    assert town.owed(ana) == 2 * BUS_CENTS
    town.check()


def test_one_tap_under_two_ids_is_charged_once_even_within_a_batch(town: Town, validator: Terminal) -> None:
    ana, at = town.person(), town.clock.now()
    for _ in range(2):
        validator.add(tap(), ana.signs(P), at=at)
    assert [result.reason for result in validator.send()] == [None, "already_done"]
    assert town.owed(ana) == BUS_CENTS
    town.check()


def test_two_gates_may_read_one_card_in_the_same_millisecond(town: Town, validator: Terminal) -> None:
    ana, other, at = town.person(), town.validator(), town.clock.now()
    validator.add(tap(), ana.signs(P), at=at)
    other.add(tap(), ana.signs(P), at=at)
    one, two = together(town, validator.batch(), other.batch())
    assert told(one) == told(two) == [("accepted", None, False)]


def opened(town: Town, raw: bytes) -> Opened:
    return town.run(lambda session: transactions.open_batch(session, raw, desk=desk(town)))


def taken(town: Town, *batches: Opened) -> list[BatchAnswer | Exception]:
    now = town.clock.now()
    return town.run(lambda session: [*transactions.accept_opened(session, batches, desk=desk(town), now=now)])


def test_a_block_between_the_signatures_and_the_lock_counts(town: Town, validator: Terminal) -> None:
    ana = town.person()
    validator.add(tap(), ana.signs(P))
    ready = opened(town, validator.batch())
    later = town.clock.now() - timedelta(hours=1)

    def block(session: Session) -> None:
        cards.suspend(session, ana.card.card_id, by=builders.CLERK, reason="lost", now=later)

    town.run(block)
    [answer] = taken(town, ready)
    assert told(answer) == [("rejected", "card_not_active", False)]
    town.check()


def test_a_revocation_between_the_signatures_and_the_lock_counts(town: Town, validator: Terminal) -> None:
    ana = town.person()
    validator.add(tap(), ana.signs(P))
    ready = opened(town, validator.batch())
    town.run(
        lambda session: devices.revoke(
            session, validator.device_id, by=builders.OFFICER, reason="gone", now=town.clock.now()
        )
    )
    [answer] = taken(town, ready)
    assert getattr(answer, "code", None) == "terminal_revoked"
    assert town.count("transaction") == 0


class Poisoned(Tapping):
    """Breaks on one fare, as a bug would."""

    def plan(self, session: Session, items: Sequence[Item], now: datetime, /) -> list[Plan | Rejected]:
        if any(item.says(Tap).stop_id == "poison" for item in items):
            raise ZeroDivisionError
        return super().plan(session, items, now)


def test_what_breaks_one_batch_of_a_group_breaks_only_that_one(town: Town, validator: Terminal) -> None:
    ana = town.person()
    registry = {**town.city.handlers.registry, int(Tap.KIND): Poisoned()}
    way_in = taking(town, Desk(registry, town.city.vault, town.city.random_bytes))
    raws = []
    for stop in ("ayala", "poison", "ayala", "ayala"):
        gate = town.validator()
        gate.add(Tap("bus", stop, "flat", BUS_CENTS, "PHP", 1, 1), ana.signs(P))
        raws.append(gate.batch())
    with ThreadPoolExecutor(len(raws)) as pool:
        answers = list(pool.map(lambda raw: _or_error(way_in, town, raw), raws))
    assert [isinstance(answer, ZeroDivisionError) for answer in answers] == [False, True, False, False]
    assert town.owed(ana) == 3 * BUS_CENTS
    assert town.check().transactions == 3


def _or_error(way_in: Taking, town: Town, raw: bytes) -> BatchAnswer | Exception:
    try:
        return way_in.take(raw, town.clock.now()).answer
    except Exception as error:  # noqa: BLE001 - the test looks at it
        return error


class PowerFailureError(Exception):
    """Stands for the end of the process."""


@pytest.mark.parametrize("after", [False, True], ids=["the commit fails", "the answer is lost"])
def test_nothing_is_told_before_the_commit_and_what_was_lost_is_told_again(
    town: Town, validator: Terminal, after: bool
) -> None:
    """If the work was done and the commit fails, nothing is there; if only the answer is lost, all of it is. Either
    way the same batch again gets its first answers.
    """
    ana, way_in = town.person(), taking(town)
    for _ in range(3):
        validator.add(tap(), ana.signs(P))
    raw = validator.batch()

    def fail(connection: object) -> None:
        if after and writes:
            connection.connection.commit()  # type: ignore[attr-defined]  # durable, and nobody hears of it
        if writes:
            raise PowerFailureError

    writes: list[bool] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.lstrip().upper().startswith(("INSERT INTO BATCH", 'INSERT INTO "BATCH')):
            writes.append(True)

    event.listen(town.city.engine, "before_cursor_execute", note)
    event.listen(town.city.engine, "commit", fail)
    try:
        with pytest.raises(PowerFailureError):
            way_in.take(raw, town.clock.now())
    finally:
        event.remove(town.city.engine, "commit", fail)
        event.remove(town.city.engine, "before_cursor_execute", note)
    assert town.count("transaction") == (3 if after else 0)
    taken = way_in.take(raw, town.clock.now())
    assert told(taken.answer) == [("accepted", None, after)] * 3
    assert len(taken.receipts) == 3
    assert town.owed(ana) == 3 * BUS_CENTS
    assert town.check().transactions == 3


def test_ten_thousand_duplicates_from_sixteen_senders_post_once_each(town: Town, validator: Terminal) -> None:
    """Sixteen senders, each with all of 625 records in batches of other sizes, in another order."""
    ana, senders, records = town.person(), 16, 625
    items = [validator.make(tap(), ana.signs(P))[1] for _ in range(records)]
    way_in, gate = taking(town), threading.Barrier(senders)

    def send(number: int) -> list[bool]:
        size = 100 + 17 * number
        own = items[number * 31 % records :] + items[: number * 31 % records]
        raws = [batch(town, validator, own[start : start + size]) for start in range(0, records, size)]
        gate.wait()
        answers = [way_in.commit(raw, town.clock.now()) for raw in raws]
        assert all(result.outcome == "accepted" for answer in answers for result in answer.results)
        return [result.replayed for answer in answers for result in answer.results]

    with ThreadPoolExecutor(senders) as pool:
        replayed = [one for sender in pool.map(send, range(senders)) for one in sender]
    assert len(replayed) == senders * records == 10_000
    assert replayed.count(False) == records
    assert town.owed(ana) == records * BUS_CENTS
    assert town.count("entry") == town.count("transaction") == town.count("log_leaf") == records
    town.check()


def batch(town: Town, terminal: Terminal, items: Sequence[bytes]) -> bytes:
    """A batch of its own id, whatever thread makes it."""
    at_ms = 1_793_577_600_000
    batch_id = uuid7(at_ms, secrets.token_bytes(10))
    return sign_batch(Batch(batch_id, terminal.device_id, at_ms, 0, tuple(items)), terminal.enrolled.signer)
