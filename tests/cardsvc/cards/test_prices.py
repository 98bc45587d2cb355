"""What a card costs: by kind of issue and day, set by two; and that no card leaves the counter unpaid."""

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from cardsvc import cards
from cardsvc.cards import CardNotPaid, CardState, RevocationReason
from cardsvc.cards.commands import cards as command
from cardsvc.cards.rules import Issue, issue_after
from tests.builders import CLERK, make_resident
from tests.prices import LOST_CENTS, by_two, fee, hand_over, replaced, set_price, waive
from tests.town import Town

DAY = timedelta(days=1)
R = RevocationReason


def state(town: Town, card_id: object) -> CardState:
    return town.run(lambda session: cards.find(session, card_id).state)  # type: ignore[arg-type]


def test_every_reason_for_which_a_card_ends_has_a_kind_of_issue() -> None:
    assert {issue_after(reason) for reason in (None, *RevocationReason)} == set(Issue) - {Issue.FIRST}
    assert issue_after(R.SUPERSEDED) is Issue.RENEWAL


def test_without_a_price_a_card_is_free_and_handed_over_as_before(town: Town) -> None:
    ana = town.person()
    order = replaced(town, ana)
    assert fee(town, order) == ("lost", 0, "free")
    assert hand_over(town, ana).card_id == order


def test_the_newest_price_that_holds_counts_by_day(town: Town) -> None:
    ana, today = town.person(), town.today()
    set_price(town, 80_00)
    set_price(town, 120_00, day=today + DAY)
    set_price(town, 100_00)  # of two that begin on one day the one set last
    set_price(town, 0, day=today + 2 * DAY)
    order = replaced(town, ana)
    assert fee(town, order) == ("lost", 100_00, "due")
    town.clock.advance(DAY)
    assert fee(town, order) == ("lost", 120_00, "due")
    town.clock.advance(DAY)
    assert fee(town, order) == ("lost", 0, "free")
    assert hand_over(town, ana).card_id == order


def test_the_api_says_every_price_and_what_holds_today(town: Town) -> None:
    set_price(town, 100_00)
    set_price(town, 30_00, "damaged", town.today() + DAY)
    found = town.client.get("/v1/cards/prices", headers=town.token("clerk")).get_json()
    assert [(one["issue"], one["amount_cents"]) for one in found["prices"]] == [("damaged", 30_00), ("lost", 100_00)]
    assert {one["issue"]: one["amount_cents"] for one in found["today"] if one["amount_cents"]} == {"lost": 100_00}


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount_cents": -1},
        {"amount_cents": 10_000_01},
        {"amount_cents": "100.00"},
        {"issue": "superseded"},
        {"valid_from": "soon"},
        {"currency": "USD"},
        {"note": "x"},
    ],
)
def test_a_price_that_cannot_be_is_not_proposed(town: Town, wrong: dict[str, object]) -> None:
    payload = {"issue": "lost", "valid_from": town.today().isoformat(), "amount_cents": 1, "currency": "PHP"}
    answer = town.post("/v1/actions", {"kind": "cards.price", "payload": payload | wrong}, "finance", status=422)
    assert answer["code"] == "unsuitable_action"
    assert town.count("card_price") == 0


def test_no_price_holds_for_days_that_are_over(town: Town) -> None:
    assert set_price(town, 1_00, day=town.today() - DAY, last=422)["code"] == "unsuitable_action"
    assert town.count("card_price") == 0


def test_who_is_not_of_finance_sets_no_price(town: Town) -> None:
    payload = {"issue": "lost", "valid_from": town.today().isoformat(), "amount_cents": 1, "currency": "PHP"}
    for role in ("card_officer", "clerk", "admin"):
        answer = town.post("/v1/actions", {"kind": "cards.price", "payload": payload}, role, status=403)
        assert answer["code"] == "not_your_action"


def test_a_card_with_a_price_is_not_handed_over_unpaid(town: Town) -> None:
    set_price(town, LOST_CENTS)
    ana = town.person()
    order = replaced(town, ana)
    with pytest.raises(CardNotPaid, match=r"costs ₱100\.00, and that is not paid"):
        hand_over(town, ana)
    assert state(town, order) is CardState.APPROVED  # nothing of the unit stayed


def test_two_people_waive_a_price_once(town: Town) -> None:
    set_price(town, LOST_CENTS)
    ana = town.person()
    order = replaced(town, ana)
    done = waive(town, order)
    assert "Indigent" in done["summary"]
    assert fee(town, order) == ("lost", LOST_CENTS, "waived")
    assert waive(town, order, last=409)["code"] == "card_fee_not_due"
    assert hand_over(town, ana).card_id == order
    town.check()


def test_a_waiver_needs_somebody_of_finance_and_a_reason(town: Town) -> None:
    set_price(town, LOST_CENTS)
    order = replaced(town, town.person())
    payload = {"card_id": str(order), "reason": "Indigent"}
    assert by_two(town, "cards.waiver", payload, "card_officer", "admin", last=403)["code"] == "not_your_action"
    for wrong in ({"reason": ""}, {"card_id": "x"}, {"more": "x"}):
        town.post("/v1/actions", {"kind": "cards.waiver", "payload": payload | wrong}, "finance", status=422)
    assert fee(town, order) == ("lost", LOST_CENTS, "due")


def test_a_free_card_needs_no_waiver(town: Town) -> None:
    assert waive(town, replaced(town, town.person()), last=409)["code"] == "card_fee_not_due"


@pytest.mark.parametrize(("reason", "issue"), [(R.LOST, "lost"), (R.STOLEN, "stolen"), (R.DAMAGED, "damaged")])
def test_each_reason_has_its_own_price(town: Town, reason: R, issue: str) -> None:
    for cents, each in enumerate(("lost", "stolen", "damaged"), 1):
        set_price(town, cents * 10_00, each)
    order = replaced(town, town.person(), reason)
    assert fee(town, order)[:2] == (issue, {"lost": 10_00, "stolen": 20_00, "damaged": 30_00}[issue])


def test_a_plain_order_after_a_lost_card_is_no_first_card(town: Town) -> None:
    set_price(town, LOST_CENTS)
    ana = town.person()
    now, chance = town.clock.now(), town.city.random_bytes
    town.run(lambda session: cards.revoke(session, ana.card.card_id, reason=R.LOST, by=CLERK, now=now))
    order = town.run(lambda session: cards.request(session, ana.resident_id, by=CLERK, now=now, random_bytes=chance))
    assert fee(town, order.id) == ("lost", LOST_CENTS, "due")


def test_a_first_card_and_a_renewal_have_their_own_prices(town: Town) -> None:
    ana, chance, now = town.person(), town.city.random_bytes, town.clock.now()
    for cents, issue in ((LOST_CENTS, "lost"), (30_00, "first"), (50_00, "renewal")):
        set_price(town, cents, issue)
    renewed = town.run(
        lambda session: cards.renew(session, ana.card.card_id, window_days=4000, by=CLERK, now=now, random_bytes=chance)
    )
    assert fee(town, renewed.id) == ("renewal", 50_00, "due")
    resident = town.run(lambda session: make_resident(session, now))
    first = town.run(lambda session: cards.request(session, resident.id, by=CLERK, now=now, random_bytes=chance))
    assert fee(town, first.id) == ("first", 30_00, "due")


def test_the_command_line_says_the_prices(town: Town) -> None:
    set_price(town, LOST_CENTS)
    spoken = CliRunner().invoke(command, ["prices"], obj=lambda: town.city)
    assert "lost            ₱100.00" in spoken.output
    assert "free" in spoken.output
    said = json.loads(CliRunner().invoke(command, ["prices", "--json"], obj=lambda: town.city).output)
    assert (said["today"]["lost"], said["today"]["first"], said["currency"]) == (LOST_CENTS, 0, "PHP")
    assert [one["amount_cents"] for one in said["prices"]] == [LOST_CENTS]
