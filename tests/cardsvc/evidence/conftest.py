"""A town with something of everything in its books, and its evidence written out."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cardsvc import audit, db, evidence
from cardsvc.app import wiring
from crypto.wire.benefits import Claim
from crypto.wire.taxes import TaxPayment
from crypto.wire.transaction import Purpose
from tests.town import Town, tap

Export = Callable[[str], Path]


@pytest.fixture
def busy(town: Town) -> Town:
    """Money fetched, cash taken, taps (one refused, one on credit), a benefit claimed, two taxes paid, one top-up taken
    back.
    """
    town.tariff()
    till = town.till()
    ana, ben = town.rich_person(till=till), town.person()
    validator, kiosk = town.validator(), town.kiosk()
    for person in (ana, ben, ana):
        validator.add(tap(), person.signs(Purpose.PRESENCE))
    validator.add(tap(1), ana.signs(Purpose.PRESENCE))
    validator.send()
    for resident_id, entitlement_id in town.cycle(ana).items():
        assert resident_id == ana.resident_id
        kiosk.send_one(Claim(entitlement_id, 500_00, "PHP"), ana.signs(Purpose.CONSENT))
    for bill in town.bills("100.00", "20.00", person=ana):
        kiosk.send_one(TaxPayment(bill.id, bill.total_cents, "PHP"), ana.signs(Purpose.CONSENT))
    return town


@pytest.fixture
def exported(tmp_path: Path) -> Callable[[Town, str], Path]:
    """Writes a town's evidence into a folder of this name."""

    def write(town: Town, name: str) -> Path:
        now = town.clock.now()
        town.run(lambda session: audit.publish(session, town.city.vault, now))
        with db.unit_of_work(town.city.engine, read_only=True) as session:
            evidence.export(
                session, town.city.vault, tmp_path / name, program="test", now=now, progress=lambda _done, _all: None
            )
        return tmp_path / name

    return write


def verify(folder: Path, keys_text: str | None = None) -> evidence.Verdict:
    return evidence.verify(folder, keys_text=keys_text, permits=wiring.permits(), jobs=1)
