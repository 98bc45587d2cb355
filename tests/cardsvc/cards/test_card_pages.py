"""The pages of card officers and clerks, as somebody without JavaScript uses them."""

from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask

from cardsvc import access, cards
from cardsvc.app.wiring import ACTIONS
from cardsvc.cards import queries
from tests import surfing
from tests.builders import CLERK, PASSWORD, make_resident
from tests.surfing import Surfer
from tests.town import Person, Town

NOTE = {"name": "DN-7", "product": "piv-aes128", "delivered_by": "Thales", "delivered_on": "2026-11-02"}


@pytest.fixture
def officer(town: Town, app: Flask) -> Surfer:
    return surfing.staff(town, app, "card_officer")


@pytest.fixture
def clerk(town: Town, app: Flask) -> Surfer:
    return surfing.staff(town, app, "clerk")


def ordered(town: Town, by: UUID = CLERK) -> cards.Card:
    def work(session: object) -> cards.Card:
        resident = make_resident(session, town.clock.now())  # type: ignore[arg-type]
        return cards.request(
            session,  # type: ignore[arg-type]
            resident.id,
            by=by,
            now=town.clock.now(),
            random_bytes=town.city.random_bytes,
        )

    return town.run(work)


def state(town: Town, card_id: UUID) -> str:
    return town.run(lambda session: cards.find(session, card_id)).state.value


def test_the_first_page_of_an_officer_and_a_clerk_leads_to_their_work(officer: Surfer, clerk: Surfer) -> None:
    page = officer.get("/account")
    for path in ("/cards", "/cards/stock", "/cards/many", "/residents/pairs", "/actions"):
        assert f'href="{path}"' in page
        officer.get(path)
    assert 'href="/cards/many"' not in clerk.get("/account")
    assert 'href="/cards/many"' not in clerk.get("/cards")


def test_orders_are_listed_the_oldest_first_with_their_ages(town: Town, officer: Surfer) -> None:
    old = ordered(town)
    town.clock.advance(timedelta(days=4))
    new = ordered(town)
    officer = Surfer(officer.client.application, town.staff("card_officer").username)  # four days later
    source = officer.get("/cards")
    assert source.index(str(old.id)) < source.index(str(new.id))
    assert "4 days" in surfing.words(source)
    only_old = officer.get("/cards?stage=requested&older_than=3d")
    assert str(old.id) in only_old
    assert str(new.id) not in only_old
    assert str(old.id) not in officer.get("/cards?stage=approved")
    assert "Nothing waits here." in officer.read("/cards?stage=approved")
    assert "3d" in officer.read("/cards?older_than=soon")


def test_the_queue_goes_on_where_a_page_ends(town: Town, officer: Surfer, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [ordered(town) for _ in range(3)]
    found, after = [], None
    for _ in range(4):
        page = town.run(lambda session, after=after: queries.waiting(session, after=after, limit=1))  # type: ignore[misc]
        found += [card.id for card in page.cards]
        after = page.next
        if after is None:
            break
    assert found == sorted(card.id for card in made)
    assert officer.get("/cards?after=nonsense")


def test_a_person_is_found_by_number_name_and_card(town: Town, officer: Surfer) -> None:
    ana = town.person()
    assert ana.number in officer.read(f"/cards?q={ana.number}")
    assert ana.number in officer.read("/cards?q=maria dela")
    assert officer.client.get(f"/cards?q={ana.card.card_id}").location == f"/cards/{ana.card.card_id}"
    assert "Nobody is found" in officer.read("/cards?q=zzzz")
    assert "at least two letters" in officer.read("/cards?q=m")


def test_whoever_is_shown_can_read_it(town: Town, app: Flask, officer: Surfer) -> None:
    ana = town.person()
    officer.get(f"/cards/{ana.card.card_id}")
    officer.get(f"/cards?q={ana.number}")
    told = surfing.resident(town, app, ana).read("/wallet/looks")
    assert "Card officer" in told
    assert "Why: looking at a card" in told
    assert "Why: looking for a card" in told


def test_an_order_is_approved_by_another_person_only(town: Town, app: Flask, officer: Surfer) -> None:
    card = ordered(town, by=UUID(str(town.staff("card_officer").id)))
    assert "another card officer approves it" in officer.read(f"/cards/{card.id}")
    assert "Approve the order" not in officer.read(f"/cards/{card.id}")
    assert "may not approve it" in officer.refused(f"/cards/{card.id}/approval", 403)
    other = surfing.staff(town, app, "card_officer", "clerk")
    assert "To make" in other.send(f"/cards/{card.id}/approval")
    assert state(town, card.id) == "approved"


def test_the_history_says_who_when_and_why(town: Town, officer: Surfer) -> None:
    ana = town.person()
    shown = officer.send(f"/cards/{ana.card.card_id}/suspension", reason="left on the bus")
    assert town.staff("card_officer").full_name in shown
    assert "left on the bus" in shown
    assert state(town, ana.card.card_id) == "suspended"
    assert "found" in officer.send(f"/cards/{ana.card.card_id}/resumption", reason="found")
    assert state(town, ana.card.card_id) == "active"
    refused = officer.refused(f"/cards/{ana.card.card_id}/suspension", 422, reason=" ")
    assert "Say why" in refused
    assert "at most 150" in officer.refused(f"/cards/{ana.card.card_id}/suspension", 422, reason="x" * 151)


def test_before_a_card_ends_the_page_says_what_follows(town: Town, officer: Surfer) -> None:
    ana = town.person()
    path = f"/cards/{ana.card.card_id}/ending"
    first = officer.read(path)
    assert "Why does it end?" in first
    assert "Stolen" in first
    assert "Renewed" not in first  # nobody chooses it
    follows = officer.read(f"{path}?reason=stolen")
    for text in (cards.CONSEQUENCES[cards.RevocationReason.STOLEN].wallet, "the auditor", "This cannot be taken back"):
        assert text in follows
    assert state(town, ana.card.card_id) == "active"
    assert "Say whether a new card" in officer.refused(path, 422, reason="stolen", note="")
    assert state(town, ana.card.card_id) == "active"


def test_a_lost_card_is_replaced_in_one_step(town: Town, clerk: Surfer) -> None:
    ana = town.person()
    path = f"/cards/{ana.card.card_id}/ending"
    assert "No new card now" not in clerk.read(f"{path}?reason=lost")
    assert "died" not in clerk.read(path)  # a clerk ends a card only to order the next
    order = clerk.send(path, reason="lost", note="on the bus", then="new")
    assert "Replacement" in order
    assert "To approve" in order
    assert state(town, ana.card.card_id) == "revoked"
    assert "lost: on the bus" in clerk.read(f"/cards/{ana.card.card_id}")


def test_only_an_officer_ends_a_card_without_a_new_one(town: Town, officer: Surfer, clerk: Surfer) -> None:
    ana = town.person()
    path = f"/cards/{ana.card.card_id}/ending"
    clerk.refused(path, 403, reason="deceased", then="none")
    assert state(town, ana.card.card_id) == "active"
    assert "The holder died" in officer.send(path, reason="deceased", then="none")
    assert state(town, ana.card.card_id) == "revoked"
    officer.get(path)
    assert "Cut up" in officer.send(f"/cards/{ana.card.card_id}/destruction")


def test_after_fraud_a_new_card_needs_the_person_identified(town: Town, officer: Surfer) -> None:
    ana = town.person()
    path = f"/cards/{ana.card.card_id}/ending"
    assert "identified anew" in officer.read(f"{path}?reason=fraud")
    officer.send(path, reason="fraud", then="none")
    assert "There is a problem" in officer.refused(path, 409, reason="fraud", then="new")
    assert "Replacement" in officer.send(path, reason="fraud", then="new", identity_checked="yes")


def test_an_order_is_withdrawn(town: Town, officer: Surfer) -> None:
    card = ordered(town)
    assert "Withdraw the order" in officer.read(f"/cards/{card.id}")
    officer.send(f"/cards/{card.id}/ending", reason="withdrawn", then="none")
    assert state(town, card.id) == "revoked"


def test_renewal_waits_for_its_window(town: Town, app: Flask, clerk: Surfer) -> None:
    ana = town.person()
    assert "It can be renewed from" in clerk.read(f"/cards/{ana.card.card_id}")
    assert "may be renewed from" in clerk.refused(f"/cards/{ana.card.card_id}/renewal", 409)
    town.clock.advance(timedelta(days=5 * 365 - 60))
    later = surfing.staff(town, app, "clerk")
    assert "Renewal" in later.send(f"/cards/{ana.card.card_id}/renewal")
    assert "Followed by" in later.read(f"/cards/{ana.card.card_id}")
    assert state(town, ana.card.card_id) == "active"


def test_a_delivery_is_checked_taken_in_and_spoiled_from(town: Town, officer: Surfer, clerk: Surfer) -> None:
    checked = officer.post("/cards/stock/delivery", **NOTE, serials="B-1\nB-2", do="check")
    assert "2 serials are in order" in surfing.words(checked.text)
    assert "No delivery was taken in yet." in officer.read("/cards/stock")
    shown = officer.send("/cards/stock/delivery", **NOTE, serials="B-1\nB-2", do="take")
    assert "DN-7" in shown
    assert "Agrees" in shown
    assert "row 2" in officer.refused("/cards/stock/delivery", 422, **(NOTE | {"name": "DN-8"}), serials="B-3 B-1")
    assert "looks like a key" in officer.refused(
        "/cards/stock/delivery", 422, **(NOTE | {"name": "DN-8"}), serials="B-3", transport_key_reference="A0" * 16
    )
    assert "Choose the reason" in clerk.refused("/cards/stock/spoilage", 422, serial="B-1")
    spoiled = clerk.send("/cards/stock/spoilage", serial="B-1", reason="misprinted", note="upside down")
    assert "upside down" in spoiled
    assert "Sent back" in officer.send("/cards/stock/return", serial="B-2")
    officer.refused("/cards/stock/return", 409, serial="B-1")
    assert "B-9" in officer.read("/cards/stock?serial=B-9")
    clerk.refused("/cards/stock/return", 403, serial="B-2")
    clerk.get("/cards/stock/delivery", 403)


def sign(town: Town, action_id: UUID, *roles: str) -> None:
    member, now = town.staff(*roles), town.clock.now()

    def work(session: object) -> None:
        found = access.action(session, action_id, now)  # type: ignore[arg-type]
        signature = access.sign_action_as(session, member.id, PASSWORD, found.action_bytes)  # type: ignore[arg-type]
        access.sign_action(session, ACTIONS, action_id, by=member.id, signature=signature, now=now)  # type: ignore[arg-type]

    town.run(work)


def planned(*people: Person) -> dict[str, str]:
    ids = "\n".join(str(person.card.card_id) for person in people)
    return {"kind": "suspend", "reason": "a bad batch", "card_ids": ids}


def test_many_cards_are_planned_proposed_signed_by_two_and_renewed(town: Town, officer: Surfer) -> None:
    one, two = town.person(), town.person()
    given = planned(one, two)
    plan = officer.post("/cards/many/new", **given)
    assert plan.status_code == 200
    assert "2 cards would change" in surfing.words(plan.text)
    assert "Nothing was decided about many cards yet." in officer.read("/cards/many")
    proposed = officer.post("/cards/many/new", **given, do="propose")
    assert proposed.status_code == 303
    action_id = UUID(proposed.location.rpartition("/")[2])
    assert "Suspend 2 cards: a bad batch" in officer.read(proposed.location)
    assert state(town, one.card.card_id) == "active"
    assert "Not done" in officer.read("/cards/many")
    sign(town, action_id, "card_officer")
    sign(town, action_id, "admin")
    assert [state(town, person.card.card_id) for person in (one, two)] == ["suspended", "suspended"]
    assert "Cards changed 2" in officer.read(f"/cards/many/{action_id}")
    assert "2 new cards were ordered. That was all." in officer.send(f"/cards/many/{action_id}/renewals", after="")
    assert "0 new cards were ordered." in officer.send(f"/cards/many/{action_id}/renewals", after="")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"kind": ""}, "Choose what is to be done."),
        ({"reason": ""}, "Say why"),
        ({"card_ids": ""}, "There is a problem"),
        ({"card_ids": "x"}, "Write whole ids"),
        ({"authority": "xy"}, "hexadecimal"),
        ({"personalised_from": "soon"}, "Give a day"),
        ({"personalised_until": "9999-12-31"}, "Give a day"),
        ({"kind": "revoke"}, "reason of the revocation"),
    ],
)
def test_what_is_wrong_with_a_plan_is_said(town: Town, officer: Surfer, changes: dict[str, str], says: str) -> None:
    given = {"kind": "suspend", "reason": "why", "card_ids": str(UUID(int=5))} | changes
    assert says in officer.refused("/cards/many/new", 422, **given)


def test_a_plan_that_means_nobody_is_not_proposed(town: Town, officer: Surfer) -> None:
    given = {"kind": "suspend", "reason": "why", "batch": "none such"}
    assert "Nobody is meant" in surfing.words(officer.post("/cards/many/new", **given).text)
    officer.refused("/cards/many/new", 409, **given, do="propose")


def test_others_are_refused_and_a_form_needs_its_token(town: Town, app: Flask) -> None:
    ana = town.person()
    cashier, auditor = surfing.staff(town, app, "cashier"), surfing.staff(town, app, "auditor")
    for path in ("/cards", f"/cards/{ana.card.card_id}", f"/cards/{ana.card.card_id}/ending", "/cards/many"):
        cashier.get(path, 403)
    for path in ("/cards/stock", "/cards/many"):
        auditor.get(path)
    auditor.get("/cards", 403)
    officer = surfing.staff(town, app, "card_officer")
    bare = officer.client.post(f"/cards/{ana.card.card_id}/suspension", data={"reason": "x"})
    assert bare.status_code == 400
    assert state(town, ana.card.card_id) == "active"
    officer.get(f"/cards/{UUID(int=1)}", 404)
    officer.get(f"/cards/many/{UUID(int=1)}", 404)


def test_a_resident_reads_and_blocks_the_own_card(town: Town, app: Flask) -> None:
    ana = town.person()
    hers = surfing.resident(town, app, ana)
    assert "Your card is in use" in hers.read("/wallet/card")
    assert "You can renew it at the counter from" in hers.read("/wallet/card")
    assert "It is blocked at once." in hers.read("/wallet/card/lost")
    assert state(town, ana.card.card_id) == "active"
    assert "at most 150" in hers.refused("/wallet/card/lost", 422, note="x" * 151)
    told = hers.send("/wallet/card/lost", note="on the bus")
    assert "Your card is blocked for now" in told
    assert "You found it?" in told
    assert state(town, ana.card.card_id) == "suspended"
    assert "Your card is blocked for now" in hers.send("/wallet/card/lost", note="again")
    officer = surfing.staff(town, app, "card_officer")
    assert "The holder" in officer.read(f"/cards/{ana.card.card_id}")
    order = officer.send(f"/cards/{ana.card.card_id}/ending", reason="lost", then="new")
    assert "Replacement" in order
    assert "waits for approval" in hers.read("/wallet/card")
    hers.get("/wallet/card/lost", 404)
    hers.refused("/wallet/card/lost", 404)
    officer.get("/wallet/card", 403)


def test_a_card_blocked_by_the_city_says_so_to_its_holder(town: Town, app: Flask) -> None:
    ana = town.person()
    town.run(lambda session: cards.suspend(session, ana.card.card_id, reason="why", by=CLERK, now=town.clock.now()))
    told = surfing.resident(town, app, ana).read("/wallet/card")
    assert "The city blocked it." in told
    assert "You found it?" not in told
