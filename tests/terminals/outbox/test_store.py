import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from crypto.wire.batch import open_batch
from crypto.wire.transaction import (
    NO_PREVIOUS,
    Authorisation,
    Transaction,
    verify_authorisation,
)
from crypto.wire.transit import Tap
from terminals.outbox import (
    Balance,
    IntentPending,
    Outbox,
    OutboxForeign,
    Refusal,
    State,
    StorageFull,
    UnknownRecord,
)
from tests.terminals.outbox.records import CARD, CARD_ID, NOON, TAP, TERMINAL, Answer, chain, presence, tap


def tap_for_ever(outbox: Outbox) -> None:
    while True:
        tap(outbox)


def test_a_stored_record_is_signed_and_carries_the_next_sequence_and_the_hash_of_the_one_before(outbox: Outbox) -> None:
    first, second = tap(outbox), tap(outbox)
    assert (first.record.sequence, first.record.previous) == (1, NO_PREVIOUS)
    assert (second.record.sequence, second.record.previous) == (2, first.record.hash())
    assert Tap.decode(second.record) == TAP


def test_the_chain_goes_on_after_a_restart(path: Path) -> None:
    with Outbox(path, TERMINAL) as before:
        first = tap(before)
    with Outbox(path, TERMINAL) as after:
        second = tap(after)
        assert second.record.previous == first.record.hash()
        assert chain(after) == [first.record, second.record]


def test_two_programs_with_one_outbox_make_one_chain(path: Path) -> None:
    with Outbox(path, TERMINAL) as one, Outbox(path, TERMINAL) as other:
        made = [tap(one), tap(other), tap(one)]
        assert [stored.sequence for stored in made] == [1, 2, 3]
        assert made[2].record.previous == made[1].record.hash()


def test_a_card_that_leaves_before_it_signed_leaves_nothing(outbox: Outbox) -> None:
    def leave(_record: bytes) -> Sequence[Authorisation]:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        outbox.append(TAP, at_ms=NOON, authorise=leave)
    assert outbox.waiting() == 0
    assert tap(outbox).sequence == 1


def test_a_crash_after_the_card_signed_and_before_the_store_leaves_nothing(path: Path) -> None:
    class PowerCut(BaseException):
        pass

    def sign_then_die(record: bytes) -> Sequence[Authorisation]:
        presence(record)
        raise PowerCut

    with Outbox(path, TERMINAL) as outbox, pytest.raises(PowerCut):
        outbox.append(TAP, at_ms=NOON, authorise=sign_then_die)
    with Outbox(path, TERMINAL) as outbox:
        assert outbox.waiting() == 0


def test_a_crash_after_the_store_leaves_a_record_that_is_uploaded(path: Path) -> None:
    outbox = Outbox(path, TERMINAL)
    stored = tap(outbox)
    del outbox  # no close: the power went
    with Outbox(path, TERMINAL) as after:
        assert [record.record_id for record in chain(after)] == [stored.record_id]


def test_a_batch_is_signed_by_the_terminal_and_its_items_by_the_card(outbox: Outbox) -> None:
    tap(outbox)
    signed = outbox.batch(now_ms=NOON, policy_number=5)
    assert signed
    opened = open_batch(signed.content, TERMINAL.signer.public_key)
    assert (opened.terminal_id, opened.policy_number) == (TERMINAL.device_id, 5)
    transaction = Transaction.decode(opened.items[0])
    assert verify_authorisation(transaction.record_bytes, transaction.authorisations[0], CARD.public_key)


def test_a_batch_takes_the_oldest_first_and_never_more_than_the_limit(outbox: Outbox) -> None:
    made = [tap(outbox).record_id for _ in range(5)]
    signed = outbox.batch(now_ms=NOON, policy_number=1, limit=2)
    assert signed
    assert list(signed.record_ids) == made[:2]


def test_building_a_batch_twice_changes_nothing(outbox: Outbox) -> None:
    tap(outbox)
    assert chain(outbox) == chain(outbox)
    assert outbox.waiting() == 1


def test_an_answered_record_leaves_the_queue_and_keeps_its_receipt(outbox: Outbox) -> None:
    stored = tap(outbox)
    outbox.record_results([Answer(stored.record_id)])
    assert outbox.waiting() == 0
    assert outbox.batch(now_ms=NOON, policy_number=1) is None
    assert outbox.find(stored.record_id).state is State.ACCEPTED
    assert outbox.receipt(stored.record_id) == b"receipt"


def test_a_rejected_record_keeps_its_reason(outbox: Outbox) -> None:
    stored = tap(outbox)
    outbox.record_results([Answer(stored.record_id, "rejected", "too_old", "The record is older than 30 days.", None)])
    assert outbox.rejected()[0] == replace(
        stored, state=State.REJECTED, reason="too_old", detail="The record is older than 30 days."
    )


def test_the_first_answer_stands(outbox: Outbox) -> None:
    stored = tap(outbox)
    outbox.record_results([Answer(stored.record_id)])
    outbox.record_results([Answer(stored.record_id, "rejected", "too_old", "x", b"another")])
    found = outbox.find(stored.record_id)
    assert (found.state, found.reason, found.receipt) == (State.ACCEPTED, None, b"receipt")


def test_a_receipt_that_comes_late_is_added(outbox: Outbox) -> None:
    stored = tap(outbox)
    outbox.record_results([Answer(stored.record_id, receipt=None)])
    assert outbox.receipt(stored.record_id) is None
    outbox.record_results([Answer(stored.record_id)])
    assert outbox.receipt(stored.record_id) == b"receipt"


def test_of_several_balances_the_newest_by_the_services_clock_counts(outbox: Outbox) -> None:
    first, second, other = tap(outbox), tap(outbox), tap(outbox)
    assert outbox.balance(Tap.KIND, CARD_ID, 0) is None
    outbox.record_results([Answer(second.record_id, balance=Balance(80_00, NOON + 2))])
    outbox.record_results([Answer(first.record_id, balance=Balance(100_00, NOON + 1))])
    outbox.record_results([Answer(other.record_id)])  # from a service that tells none
    assert outbox.balance(Tap.KIND, CARD_ID, 0) == Balance(80_00, NOON + 2)
    assert outbox.balance(Tap.KIND, CARD_ID, NOON + 1) is None
    assert outbox.balance(Tap.KIND, TERMINAL.device_id, 0) is None


def test_the_first_answer_keeps_its_balance(outbox: Outbox) -> None:
    stored = tap(outbox)
    outbox.record_results([Answer(stored.record_id, balance=Balance(100_00, NOON))])
    outbox.record_results([Answer(stored.record_id, balance=Balance(1, NOON + 1)), Answer(stored.record_id)])
    assert outbox.balance(Tap.KIND, CARD_ID, 0) == Balance(100_00, NOON)


def test_a_file_of_an_older_program_gets_room_for_balances_and_loses_nothing(path: Path) -> None:
    with Outbox(path, TERMINAL) as outbox:
        stored = tap(outbox)
    with sqlite3.connect(path) as db:
        for column in ("balance_cents", "balance_at_ms"):
            db.execute(f"ALTER TABLE record DROP COLUMN {column}")
    db.close()
    with Outbox(path, TERMINAL) as outbox:
        assert outbox.find(stored.record_id) == stored
        outbox.record_results([Answer(stored.record_id, balance=Balance(100_00, NOON))])
    with Outbox(path, TERMINAL) as outbox:
        assert outbox.balance(Tap.KIND, CARD_ID, 0) == Balance(100_00, NOON)


def test_an_answer_for_a_record_this_terminal_never_made_changes_nothing(outbox: Outbox) -> None:
    stored = tap(outbox)
    outbox.record_results([Answer(CARD_ID)])
    assert outbox.find(stored.record_id).state is State.WAITING


def test_a_refused_batch_keeps_every_record_and_shows_why_until_one_is_taken(outbox: Outbox) -> None:
    stored = tap(outbox)
    refusal = Refusal(NOON, "device_revoked", "This terminal is revoked.")
    outbox.record_refusal(refusal)
    assert outbox.refusal() == refusal
    assert outbox.waiting() == 1
    outbox.record_results([Answer(stored.record_id)])
    assert outbox.refusal() is None


def test_the_same_intent_is_not_recorded_twice_while_it_waits(outbox: Outbox) -> None:
    stored = tap(outbox, intent="claim:1")
    with pytest.raises(IntentPending) as pending:
        tap(outbox, intent="claim:1")
    assert pending.value.record_id == stored.record_id
    assert tap(outbox, intent="claim:2").sequence == 2


def test_a_rejected_intent_may_be_tried_again(outbox: Outbox) -> None:
    stored = tap(outbox, intent="claim:1")
    outbox.record_results([Answer(stored.record_id, "rejected", "insufficient_funds", "x", None)])
    again = tap(outbox, intent="claim:1")
    assert outbox.by_intent("claim:1") == again


def test_the_records_of_a_card_are_found_by_kind_and_time(outbox: Outbox) -> None:
    tap(outbox, at_ms=NOON - 1)
    late = tap(outbox, at_ms=NOON)
    assert outbox.of_subject(Tap.KIND, CARD_ID, NOON) == (late,)
    assert outbox.of_subject(Tap.KIND, TERMINAL.device_id, 0) == ()
    assert outbox.latest(Tap.KIND) == late


def test_without_free_space_nobody_is_asked_to_sign(path: Path) -> None:
    def never(_record: bytes) -> Sequence[Authorisation]:
        raise AssertionError

    with Outbox(path, TERMINAL, free_bytes_min=2**62) as outbox, pytest.raises(StorageFull):
        outbox.append(TAP, at_ms=NOON, authorise=never)


def test_a_disk_that_fills_up_at_the_last_moment_stores_nothing(outbox: Outbox) -> None:
    tap(outbox)
    pages = outbox._db.execute("PRAGMA page_count").fetchone()[0]
    outbox._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StorageFull):
        tap_for_ever(outbox)
    stored = outbox.waiting()
    outbox._db.execute("PRAGMA max_page_count = 100000")
    assert tap(outbox).sequence == stored + 1


def test_another_terminals_outbox_is_refused_and_left_as_it_is(path: Path) -> None:
    with Outbox(path, TERMINAL) as outbox:
        tap(outbox)
    with pytest.raises(OutboxForeign):
        Outbox(path, replace(TERMINAL, device_id=CARD_ID))
    with Outbox(path, TERMINAL) as outbox:
        assert outbox.waiting() == 1


def test_a_damaged_outbox_is_refused_and_left_as_it_is(path: Path) -> None:
    path.write_bytes(b"not a database, but something worth keeping" * 100)
    with pytest.raises(OutboxForeign):
        Outbox(path, TERMINAL)
    assert path.read_bytes().startswith(b"not a database")


def test_an_unknown_record_is_a_clear_error(outbox: Outbox) -> None:
    with pytest.raises(UnknownRecord):
        outbox.receipt(CARD_ID)


def test_every_commit_reaches_the_disk(outbox: Outbox, path: Path) -> None:
    assert outbox._db.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL
    tap(outbox)
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as reader:
        assert reader.execute("SELECT count(*) FROM record").fetchone()[0] == 1
    reader.close()
