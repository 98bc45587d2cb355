"""A town with something of everything in its books."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from cardsvc import audit
from cardsvc.clock import FixedClock
from crypto.wire.benefits import Claim
from crypto.wire.finance import CardPaid
from crypto.wire.taxes import TaxPayment
from crypto.wire.transaction import Purpose
from crypto.wire.transit import PassBought
from tests.partners import Partners, three
from tests.prices import LOST_CENTS, replaced, set_price
from tests.town import Person, Terminal, Town, tap


@pytest.fixture
def partners(town: Town, tmp_path: Path) -> Iterator[Partners]:
    """Three witnesses of the town's log."""
    clock, log = FixedClock(town.clock.now()), town.city.vault.note_signer().verifier
    with three(tmp_path / "partners", clock, log) as found:
        yield found


@pytest.fixture
def busy(town: Town, partners: Partners) -> Town:
    """Money fetched, cash paid in, taps (one refused, one on credit, one of a card that is lost later), a benefit
    claimed, two taxes paid, a pass bought, a card paid, one top-up taken back, and an item that nobody can be held to.
    Three witnesses have signed two heads of the log.
    """
    town.tariff()
    till = town.till()
    ana, ben = town.rich_person(till=till), town.person()
    _ride(town, ana, ben)
    witnessed(town, partners)
    kiosk = town.kiosk()
    for entitlement_id in town.cycle(ana).values():
        assert kiosk.send_one(Claim(entitlement_id, 500_00, "PHP"), ana.signs(Purpose.CONSENT)).outcome == "accepted"
    for bill in town.bills("100.00", "20.00", person=ana):
        paid = kiosk.send_one(TaxPayment(bill.id, bill.total_cents, "PHP"), ana.signs(Purpose.CONSENT))
        assert paid.outcome == "accepted"
    _replace(town, town.person(), till)
    weekly = PassBought("bus-week", 1, town.today(), 150_00, "PHP")
    assert kiosk.send_one(weekly, ana.signs(Purpose.CONSENT)).outcome == "accepted"
    witnessed(town, partners)
    return town


def witnessed(town: Town, partners: Partners) -> None:
    """The log's present head, signed by all three."""
    now = town.clock.now()
    town.run(lambda session: audit.publish(session, town.city.vault, now))
    file = partners.folder / "witnesses.txt"
    file.write_text(partners.policy(2))
    around = audit.outside(replace(town.city.settings, witnesses=file))
    asked = audit.cosign(town.city.engine, town.city.vault, around, now)
    assert [one.state for one in asked] == [audit.State.COSIGNED] * 3, asked


def _replace(town: Town, who: Person, till: tuple[Terminal, UUID]) -> None:
    set_price(town, LOST_CENTS)
    paid = CardPaid(town.staff("cashier").id, till[1], replaced(town, who), LOST_CENTS, "PHP")
    assert till[0].send_one(paid, town.staff_signs("cashier")).outcome == "accepted"


def _ride(town: Town, ana: Person, ben: Person) -> None:
    validator = town.validator()
    for person in (ana, ben, ana):
        validator.add(tap(), person.signs(Purpose.PRESENCE))
    validator.add(tap(currency="USD"), ana.signs(Purpose.PRESENCE))
    results = validator.send()
    assert [result.outcome for result in results] == ["accepted", "accepted", "accepted", "rejected"]
