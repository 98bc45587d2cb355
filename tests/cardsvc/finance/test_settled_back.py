"""A settled dispute is taken back by two people like the record it stands for, and a shift's count knows of both."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from cardsvc.finance.queries import day_sheet
from crypto.wire.transaction import Purpose
from tests.builders import PASSWORD
from tests.town import BUS_CENTS, FLOAT_CENTS, Town, claim, tap, top_up

P, LATE = Purpose.PRESENCE, timedelta(days=31)


def settle(town: Town, record_id: UUID | None) -> UUID:
    given = {"reason": "The counter was in the cellar", "password": PASSWORD}
    key = town.key()
    done = town.post(f"/v1/disputes/{record_id}/settlement", given, "finance", key=key)
    assert done["outcome"] == "accepted", done
    return key


def take_back(town: Town, entry_id: UUID, *, fund: str = "trust", status: int = 201) -> Any:
    said = {
        "fund": fund,
        "booked_on": town.today().isoformat(),
        "particulars": "It never happened",
        "document": "Letter 7",
        "reverses": str(entry_id),
    }
    proposed = town.post("/v1/finance/journal-entries", said, "finance", status=status)
    for role in ("finance", "treasurer") if status == 201 else ():
        town.post(f"/v1/actions/{proposed['action_id']}/signatures", {"password": PASSWORD}, role, status=201)
    return proposed


def difference(town: Town, day: Any) -> int | None:
    [drawer] = town.run(lambda session: day_sheet(session, day)).drawers
    return drawer.difference_cents


def test_a_settled_top_up_counts_in_a_shift_that_was_counted_and_is_taken_back_by_two(town: Town) -> None:
    counter, shift_id = town.till()
    ana, day = town.person(), town.today()
    _, late = counter.make(top_up(shift_id, 200_00), ana.signs(P))
    assert town.close_shift(counter, shift_id, FLOAT_CENTS + 200_00).outcome == "accepted"
    assert difference(town, day) == 200_00
    town.clock.advance(LATE)
    [refused] = counter.send([late])
    settled = settle(town, refused.record_id)
    assert (town.balance(ana), difference(town, day)) == (200_00, 0)
    take_back(town, settled)
    assert (town.balance(ana), difference(town, day)) == (0, 200_00)
    assert "taken back before" in take_back(town, settled, status=422)["detail"]
    town.check()


def test_a_settled_tap_is_taken_back_and_a_settled_claim_is_not(town: Town) -> None:
    town.tariff()
    ana, validator, kiosk = town.rich_person(100_00), town.validator(), town.kiosk()
    entitlement = town.cycle(ana)[ana.resident_id]
    validator.add(tap(), ana.signs(P))
    kiosk.add(claim(entitlement), ana.signs(Purpose.CONSENT))
    town.clock.advance(LATE)
    [tapped], [claimed] = validator.send(), kiosk.send()
    ride, benefit = settle(town, tapped.record_id), settle(town, claimed.record_id)
    assert town.balance(ana) == 100_00 - BUS_CENTS + 500_00
    take_back(town, ride)
    assert town.balance(ana) == 100_00 + 500_00
    assert "a state of its own" in take_back(town, benefit, status=422)["detail"]
    town.check()
