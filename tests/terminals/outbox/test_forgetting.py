"""What a terminal forgets: settled records that are old, and nothing that somebody may still ask for."""

import multiprocessing
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from crypto.wire.finance import ShiftOpened
from crypto.wire.transit import Tap
from terminals.outbox import FORGOTTEN_MAX, Outbox, Stored, UnknownRecord
from tests.terminals.outbox.records import CARD_ID, NOON, TAP, TERMINAL, Answer, chain, presence, tap

LATER = NOON + 1000


def answered(outbox: Outbox, stored: Sequence[Stored], **said: object) -> None:
    outbox.record_results([Answer(one.record_id, **said) for one in stored])  # type: ignore[arg-type]


def sequences(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as opened:
        return [row[0] for row in opened.execute("SELECT sequence FROM record ORDER BY sequence")]


def test_what_was_accepted_long_ago_is_forgotten_and_the_chain_goes_on(outbox: Outbox, path: Path) -> None:
    made = [tap(outbox) for _ in range(4)]
    answered(outbox, made)
    assert outbox.forget(Tap.KIND, LATER) == 3
    assert sequences(path) == [4]  # the newest stays: the next record names its hash
    with pytest.raises(UnknownRecord):
        outbox.find(made[0].record_id)
    after = tap(outbox, at_ms=LATER)
    assert (after.record.sequence, after.record.previous) == (5, made[3].record.hash())
    assert chain(outbox) == [after.record]


def test_the_newest_stays_also_when_it_is_the_only_one_or_there_is_none(outbox: Outbox, path: Path) -> None:
    assert outbox.forget(Tap.KIND, LATER) == 0
    answered(outbox, [tap(outbox)])
    assert outbox.forget(Tap.KIND, LATER) == 0
    assert sequences(path) == [1]


def test_what_was_made_at_that_time_or_later_stays(outbox: Outbox, path: Path) -> None:
    answered(outbox, [tap(outbox, at_ms=NOON + number) for number in range(4)])
    assert outbox.forget(Tap.KIND, NOON + 1) == 1
    assert sequences(path) == [2, 3, 4]


def test_what_was_refused_stays(outbox: Outbox, path: Path) -> None:
    made = [tap(outbox) for _ in range(3)]
    answered(outbox, made[:1], outcome="rejected", reason="too_old", detail="Too old.")
    answered(outbox, made[1:])
    assert outbox.forget(Tap.KIND, LATER) == 1
    assert sequences(path) == [1, 3]
    assert [one.reason for one in outbox.rejected()] == ["too_old"]


def test_what_has_no_receipt_stays_until_it_came(outbox: Outbox, path: Path) -> None:
    made = [tap(outbox) for _ in range(3)]
    answered(outbox, made[:1], receipt=None)
    answered(outbox, made[1:])
    assert outbox.forget(Tap.KIND, LATER) == 1
    assert sequences(path) == [1, 3]
    answered(outbox, made[:1])
    assert outbox.forget(Tap.KIND, LATER) == 1
    assert sequences(path) == [3]


def test_what_waits_and_all_behind_it_stays(outbox: Outbox, path: Path) -> None:
    made = [tap(outbox) for _ in range(5)]
    answered(outbox, [made[0], made[1], made[3], made[4]])
    assert outbox.forget(Tap.KIND, LATER) == 2
    assert sequences(path) == [3, 4, 5]
    assert chain(outbox) == [made[2].record]


def test_records_of_another_kind_stay(outbox: Outbox, path: Path) -> None:
    shift = outbox.append(ShiftOpened(CARD_ID, 1_000_00, "PHP"), at_ms=NOON, authorise=presence, subject=CARD_ID)
    answered(outbox, [shift, tap(outbox), tap(outbox)])
    assert outbox.forget(Tap.KIND, LATER) == 1
    assert sequences(path) == [1, 3]
    assert outbox.latest(ShiftOpened.KIND) is not None


def fill(path: Path, count: int) -> None:
    """As a gate of an older release left it: many records, all settled."""
    with Outbox(path, TERMINAL) as opened:
        answered(opened, [tap(opened)])
    with closing(sqlite3.connect(path)) as direct:
        columns = "record_hash, transaction_bytes, kind, at_ms, intent, subject, state, receipt"
        direct.executemany(
            f"INSERT INTO record (sequence, record_id, {columns}) SELECT ?, ?, {columns} FROM record LIMIT 1",
            [(number, number.to_bytes(16, "big")) for number in range(2, count + 1)],
        )
        direct.commit()


def test_of_many_a_part_is_forgotten_at_a_time(path: Path) -> None:
    fill(path, FORGOTTEN_MAX + 20)
    with Outbox(path, TERMINAL) as outbox:
        assert [outbox.forget(Tap.KIND, LATER) for _ in range(3)] == [FORGOTTEN_MAX, 19, 0]
    assert sequences(path) == [FORGOTTEN_MAX + 20]


def test_the_room_is_used_again(path: Path) -> None:
    fill(path, 2000)
    with Outbox(path, TERMINAL) as outbox, closing(sqlite3.connect(path)) as beside:

        def pages() -> int:
            return int(beside.execute("PRAGMA page_count").fetchone()[0])

        full = pages()
        while outbox.forget(Tap.KIND, LATER):
            pass
        made = [tap(outbox, at_ms=LATER) for _ in range(300)]
        answered(outbox, made)
        assert pages() <= full


def test_finding_nothing_to_forget_looks_at_the_oldest_alone(path: Path) -> None:
    with Outbox(path, TERMINAL) as outbox, closing(sqlite3.connect(path)) as beside:
        tap(outbox)
        statements: list[str] = []
        outbox._db.set_trace_callback(statements.append)
        outbox.forget(Tap.KIND, NOON)
        outbox._db.set_trace_callback(None)
        [deleting] = [one for one in statements if one.startswith("DELETE")]
        plan = " / ".join(row[3] for row in beside.execute(f"EXPLAIN QUERY PLAN {deleting}"))
    assert "USING INDEX by_time (kind=? AND at_ms<?)" in plan
    assert "SCAN record" not in plan


def _forget_for_ever(path: Path, begun: Event) -> None:
    with Outbox(path, TERMINAL) as outbox:
        while outbox.forget(Tap.KIND, LATER):
            begun.set()


def test_killed_in_the_middle_it_loses_nothing_that_must_stay(path: Path) -> None:
    count = 40 * FORGOTTEN_MAX
    fill(path, count)
    with Outbox(path, TERMINAL) as outbox:
        last = tap(outbox)
    context = multiprocessing.get_context("spawn")
    begun = context.Event()
    process = context.Process(target=_forget_for_ever, args=(path, begun))
    process.start()
    assert begun.wait(60)
    process.kill()
    process.join()
    with closing(sqlite3.connect(path)) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    left = sequences(path)
    assert left == list(range(left[0], count + 2))  # whole transactions, from the oldest on
    assert (left[0] - 1) % FORGOTTEN_MAX == 0
    assert len(left) > 1, "it was killed too late to say anything"
    with Outbox(path, TERMINAL) as outbox:
        assert chain(outbox) == [last.record]
        after = outbox.append(TAP, at_ms=LATER, authorise=presence, subject=CARD_ID)
        assert after.record.previous == last.record.hash()
