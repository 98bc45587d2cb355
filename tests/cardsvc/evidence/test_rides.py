"""What riders pay is proved too: a tap says what its gate showed, and a tariff makes another amount of it."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from cardsvc.evidence.rules import tables
from crypto.wire.transaction import Purpose
from crypto.wire.transit import PassBought, Tap
from tests.evidence import export, tampered, verify
from tests.town import BUS_CENTS, Person, Terminal, Town, tap

HOLD_CENTS = 28_00


@pytest.fixture
def ridden(town: Town) -> dict[str, UUID]:
    """Every way in which a ride can cost something else than the gate showed; the tap of each, by its name."""
    town.tariff()
    till = town.till()
    ana, ben, eva = (town.rich_person(500_00, till=till) for _ in range(3))
    right = {"resident_id": str(ben.resident_id), "category": "senior", "valid_from": "2026-01-01"}
    town.post("/v1/transit/rights", right | {"valid_to": "2026-12-31", "reason": "OSCA 1234"}, "clerk", status=201)
    gate, taps = town.validator(), dict[str, UUID]()
    for _ in range(8):  # 104.00 a day by bus, which is eight rides
        _ride(town, gate, ana, tap())
    taps["capped"] = _ride(town, gate, ana, tap())
    taps["of a senior"] = _ride(town, gate, ben, tap())
    _ride(town, gate, eva, _rail("in", "metro-magallanes"))
    taps["an exit"] = _ride(town, gate, eva, _rail("out", "metro-ayala"))
    taps["an exit at the maximum fare"] = _ride(town, gate, eva, _rail("out", "metro-ayala"))
    weekly = PassBought("bus-week", 1, town.today(), 150_00, "PHP")
    assert town.kiosk().send_one(weekly, eva.signs(Purpose.CONSENT)).outcome == "accepted"
    taps["under a pass"] = _ride(town, gate, eva, tap())
    taps["owed"] = _ride(town, gate, town.person(), tap())
    return taps


def _rail(direction: str, stop: str) -> Tap:
    return Tap("rail", stop, direction, HOLD_CENTS if direction == "in" else 0, "PHP", 1, 1)


def _ride(town: Town, gate: Terminal, person: Person, said: Tap) -> UUID:
    town.clock.advance(timedelta(minutes=10))
    sent = gate.send_one(said, person.signs(Purpose.PRESENCE))
    assert sent.outcome == "accepted", sent
    assert sent.record_id is not None
    return sent.record_id


def test_what_rides_came_to_is_proved(town: Town, ridden: dict[str, UUID], tmp_path: Path) -> None:
    folder = export(town, tmp_path / "export")
    verdict = verify(folder, town.city.vault.city_keys().format())
    assert verdict.findings == ()
    assert verdict.holds
    amount = tables.JOURNAL.place("amount_cents")
    lines = [line for file in (folder / "journal").iterdir() for line in file.read_bytes().splitlines()]
    rows = [line.split(b"\t") for line in lines]
    kept = {fields[tables.JOURNAL.place("record_id")]: fields[amount] for fields in rows}
    came_to = {name: int(kept[one.hex.encode()]) for name, one in ridden.items()}
    assert came_to == {
        "capped": 0,
        "of a senior": BUS_CENTS * 80 // 100,
        "an exit": 0,  # 13.00 of the hold go back
        "an exit at the maximum fare": HOLD_CENTS,
        "under a pass": 0,
        "owed": BUS_CENTS,
    }


def test_a_fare_that_its_entry_did_not_take_is_named(town: Town, ridden: dict[str, UUID], tmp_path: Path) -> None:
    statement = 'UPDATE "transaction" SET amount_cents = amount_cents + 1 WHERE kind = 10'
    verdict = tampered(town, tmp_path / "export", "transaction", statement)
    named = {finding.subject for finding in verdict.findings if finding.code == "record"}
    assert {f"record {one}" for one in ridden.values()} <= named
    assert {finding.code for finding in verdict.findings} == {"record"}
