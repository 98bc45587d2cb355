"""Chains of terminals from their records over HTTP: gaps, late records, forks of a copied terminal, and garbage."""

from datetime import timedelta

import pytest

from cardsvc import devices
from cardsvc.devices import MISSING_OVERDUE, ChainReport, ForkWhy
from crypto.keys import SoftwareSigner
from crypto.wire.batch import Batch, sign_batch
from crypto.wire.transaction import NO_PREVIOUS, Authorisation, Purpose, Record, Transaction
from tests.town import Person, Terminal, Town, tap

P = Purpose.PRESENCE


@pytest.fixture
def validator(town: Town) -> Terminal:
    town.tariff()
    return town.validator()


@pytest.fixture
def ana(town: Town) -> Person:
    return town.rich_person()


def report(town: Town, terminal: Terminal) -> ChainReport:
    now = town.clock.now()
    return town.run(lambda session: devices.chain_report(session, terminal.device_id, now))


def items(terminal: Terminal, ana: Person, count: int) -> list[bytes]:
    """The next records of the terminal's chain, each with its item's bytes."""
    return [terminal.make(tap(), ana.signs(P))[1] for _ in range(count)]


def ranges(found: ChainReport) -> list[tuple[int, int]]:
    return [(gap.first, gap.last) for gap in found.missing]


def test_a_whole_chain_has_nothing_missing(town: Town, validator: Terminal, ana: Person) -> None:
    validator.send(items(validator, ana, 4))
    found = report(town, validator)
    assert (found.device.last_sequence, found.is_whole, found.closed) == (4, True, ())


def test_a_gap_shrinks_is_parted_and_closes_as_records_come_late(town: Town, validator: Terminal, ana: Person) -> None:
    one, two, three, four, five, six = items(validator, ana, 6)
    validator.send([one, six])
    seen_at = town.clock.now()
    assert ranges(report(town, validator)) == [(2, 5)]
    town.clock.advance(timedelta(hours=1))
    validator.send([three])
    assert ranges(report(town, validator)) == [(2, 2), (4, 5)]
    town.clock.advance(timedelta(hours=1))
    validator.send([five, two])
    assert ranges(report(town, validator)) == [(4, 4)]
    assert report(town, validator).closed == ()
    town.clock.advance(timedelta(hours=1))
    validator.send([four])
    found = report(town, validator)
    assert (found.is_whole, found.overdue) == (True, False)
    [closed] = found.closed
    assert (closed.first, closed.last, closed.seen_at, closed.closed_at) == (2, 5, seen_at, town.clock.now())
    town.check()


def test_batches_in_another_order_and_the_same_again_are_no_anomaly(
    town: Town, validator: Terminal, ana: Person
) -> None:
    made = items(validator, ana, 6)
    later, earlier = validator.batch(made[3:]), validator.batch(made[:3])
    for raw in (later, earlier, later, earlier):
        town.send(raw)
    found = report(town, validator)
    assert (found.is_whole, [(gap.first, gap.last) for gap in found.closed]) == (True, [(1, 3)])


def test_a_gap_is_overdue_after_a_day(town: Town, validator: Terminal, ana: Person) -> None:
    validator.send(items(validator, ana, 3)[2:])
    town.clock.advance(MISSING_OVERDUE - timedelta(seconds=1))
    assert not report(town, validator).overdue
    town.clock.advance(timedelta(seconds=1))
    assert report(town, validator).overdue
    assert town.run(lambda session: devices.terminals_missing(session, town.clock.now())) == 1


def clone(terminal: Terminal) -> Terminal:
    """A copy of the terminal, key and chain, as a thief makes it."""
    return Terminal(terminal.town, terminal.enrolled, terminal.sequence, terminal.previous)


def test_a_cloned_terminal_shows_as_a_fork_with_both_records(town: Town, validator: Terminal, ana: Person) -> None:
    validator.send(items(validator, ana, 2))
    copy = clone(validator)
    mine, its = validator.record(tap()), copy.record(tap(), at=town.clock.now() + timedelta(seconds=1))
    for terminal, record in ((validator, mine), (copy, its)):
        encoded = record.encode()
        [result] = terminal.send([Transaction(encoded, (ana.signs(P)(encoded),)).encode()])
        assert result.outcome == "accepted"  # nothing is dropped: whose it is must be found out first
    found = report(town, validator)
    [seen] = found.forks
    assert (seen.fork.sequence, seen.fork.why) == (3, ForkWhy.PLACE)
    assert (seen.fork.record_id, seen.fork.record_hash) == (its.record_id, its.hash())
    assert (seen.fork.other_id, seen.fork.other_hash) == (mine.record_id, mine.hash())
    # each goes on; whoever is not at the end of the chain forks with every record
    copy.send(items(copy, ana, 1))
    validator.send(items(validator, ana, 1))
    whys = {(seen.fork.sequence, seen.fork.why) for seen in report(town, validator).forks}
    assert {(3, ForkWhy.PLACE), (4, ForkWhy.PLACE)} <= whys
    assert town.run(lambda session: devices.terminals_forked(session, town.clock.now())) == 1
    town.check()


def test_a_clone_that_runs_ahead_names_another_record_before_it(town: Town, validator: Terminal, ana: Person) -> None:
    copy = clone(validator)
    validator.send(items(validator, ana, 1))
    copy.record(tap())
    second = copy.record(tap())
    encoded = second.encode()
    copy.send([Transaction(encoded, (ana.signs(P)(encoded),)).encode()])
    [seen] = report(town, validator).forks
    assert (seen.fork.sequence, seen.fork.why, seen.fork.record_id) == (2, ForkWhy.PREVIOUS, second.record_id)
    assert seen.fork.other_hash == validator.previous


def test_a_record_in_a_gap_must_fit_its_neighbours(town: Town, validator: Terminal, ana: Person) -> None:
    one, _, three = items(validator, ana, 3)
    validator.send([one, three])
    other = clone(Terminal(town, validator.enrolled, 1, b"?" * 32))
    other.send(items(other, ana, 1))
    found = report(town, validator)
    assert (ranges(found), sorted(seen.fork.sequence for seen in found.forks)) == ([], [2, 3])


def test_a_second_record_at_a_place_that_was_filled_late_is_a_fork(
    town: Town, validator: Terminal, ana: Person
) -> None:
    one, two, three = items(validator, ana, 3)
    validator.send([one, three])
    validator.send([two])
    assert report(town, validator).is_whole
    copy = Terminal(town, validator.enrolled, 1, NO_PREVIOUS)
    copy.send(items(copy, ana, 1))
    assert [seen.fork.sequence for seen in report(town, validator).forks] == [2]


def test_what_nobody_can_be_held_to_makes_no_gap_and_no_fork(town: Town, validator: Terminal, ana: Person) -> None:
    validator.send(items(validator, ana, 1))
    thief = SoftwareSigner.generate()
    record = Record.of(
        tap(),
        record_id=town.key(),
        terminal_id=validator.device_id,
        sequence=10**12,
        previous=NO_PREVIOUS,
        at_ms=0,
    ).encode()
    forged = Transaction(record, (Authorisation(P, ana.signs(P)(b"x").cose),)).encode()
    unsigned = Transaction(record, ()).encode()
    validator.send([forged, unsigned, b"garbage", forged])
    stranger = sign_batch(Batch(town.key(), validator.device_id, 0, 0, (forged,)), thief)
    answer = town.client.post("/v1/transactions", data=stranger, content_type="application/cbor")
    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid_signature")
    found = report(town, validator)
    assert (found.is_whole, found.device.last_sequence) == (True, 1)
    assert (town.count("device_missing"), town.count("device_fork"), town.count("device_anomaly")) == (0, 0, 0)


def test_a_jump_of_a_trillion_is_one_row(town: Town, validator: Terminal, ana: Person) -> None:
    validator.sequence = 10**12
    validator.send(items(validator, ana, 1))
    assert (town.count("device_missing"), report(town, validator).missing_count) == (1, 10**12)


def test_a_record_outside_the_chain_is_the_portals_alone(town: Town, validator: Terminal, ana: Person) -> None:
    validator.sequence = -1
    [result] = validator.send(items(validator, ana, 1))
    assert (result.outcome, result.reason) == ("rejected", "not_permitted")
    assert [seen.fork.sequence for seen in report(town, validator).forks] == [0]
