"""A resident stops the own card, whatever the hour; wallet, claims and the rest follow to the new one."""

import dataclasses
from uuid import UUID

from cardsvc import access, cards
from cardsvc.cards import RevocationReason
from cardsvc.settings import CHEAP
from crypto.wire.transaction import Purpose
from tests.builders import CLERK, PASSWORD, make_card, staff_token
from tests.town import Person, Town, claim


def resident_headers(town: Town, person: Person) -> dict[str, str]:
    """A resident who signed in."""
    username = f"resident-{person.number.lower()}"
    now = town.clock.now()
    town.run(
        lambda session: access.set_resident_password(
            session, person.resident_id, username, PASSWORD, now, random_bytes=town.city.random_bytes, cost=CHEAP
        )
    )
    answer = town.client.post("/v1/sign-in", json={"username": username, "password": PASSWORD})
    return {"Authorization": f"Bearer {answer.get_json()['token']}"}


def test_a_resident_reports_the_own_card_lost_and_it_is_suspended_at_once(town: Town) -> None:
    ana = town.person()
    headers = resident_headers(town, ana)
    assert town.client.get("/v1/me/card", headers=headers).get_json()["state"] == "active"
    answer = town.client.post("/v1/me/card/suspension", json={"note": "left on the bus"}, headers=headers)
    assert (answer.status_code, answer.get_json()["state"]) == (200, "suspended")
    again = town.client.post("/v1/me/card/suspension", headers=headers)
    assert again.get_json() == answer.get_json()
    steps = town.run(lambda session: cards.history(session, ana.card.card_id))
    assert (steps[-2].actor, steps[-2].reason) == (ana.resident_id, "reported lost by its holder: left on the bus")
    assert (steps[-1].actor, steps[-1].reason) == (ana.resident_id, "reported lost by its holder")
    denied = town.run(lambda session: cards.denied_cards(session, town.clock.now()))
    assert denied == (ana.card.card_id,)


def test_only_a_holder_has_a_card_to_report(town: Town) -> None:
    ana = town.person()
    headers = resident_headers(town, ana)
    lost = RevocationReason.LOST
    town.run(lambda session: cards.revoke(session, ana.card.card_id, reason=lost, by=CLERK, now=town.clock.now()))
    for answer in (
        town.client.post("/v1/me/card/suspension", headers=headers),
        town.client.get("/v1/me/card", headers=headers),
    ):
        assert (answer.status_code, answer.get_json()["code"]) == (404, "no_card_held")
    clerk = staff_token(town.city, town.client, "clerk")
    assert town.client.post("/v1/me/card/suspension", headers=clerk).status_code == 403


def replaced(town: Town, person: Person) -> Person:
    """One visit: the lost card is replaced, another person approves, the new card is made and handed over."""
    url = f"/v1/cards/{person.card.card_id}"
    order = town.post(f"{url}/replacement", {"reason": "lost", "note": "on the bus"}, "clerk", status=201)
    assert (order["order_kind"], order["replaces"]) == ("replacement", str(person.card.card_id))
    town.post(f"/v1/cards/{order['id']}/approval", {}, "card_officer")
    now = town.clock.now()
    new = town.run(lambda session: make_card(session, town.city.vault, person.resident_id, now, approved=True))
    assert str(new.card_id) == order["id"]
    return dataclasses.replace(person, card=new)


def test_money_and_claims_follow_to_the_new_card_in_one_visit_and_the_old_card_is_nobodys(town: Town) -> None:
    old = town.rich_person(1_000_00)
    owed = town.cycle(old)[old.resident_id]
    new = replaced(town, old)
    assert town.balance(new) == 1_000_00
    kiosk = town.kiosk()
    refused = kiosk.send_one(claim(owed), old.signs(Purpose.CONSENT))
    assert (refused.outcome, refused.reason) == ("rejected", "card_not_active")
    accepted = kiosk.send_one(claim(owed), new.signs(Purpose.CONSENT))
    assert accepted.outcome == "accepted", accepted
    assert town.balance(new) == 1_500_00
    town.check()


def test_a_card_of_the_office_is_told_by_stable_codes(town: Town) -> None:
    ana = town.person()
    url = f"/v1/cards/{ana.card.card_id}"
    assert town.post(f"{url}/renewal", {}, "clerk", status=409)["code"] == "renewal_too_early"
    refused = town.post(f"{url}/replacement", {"reason": "deceased"}, "clerk", status=409)
    assert refused["code"] == "card_not_replaced"
    assert town.post(f"{url}/replacement", {"reason": "superseded"}, "clerk", status=422)["code"] == "invalid_fields"
    assert town.post(f"{url}/replacement", {"reason": "fraud"}, "clerk", status=409)["code"] == "identity_not_checked"
    made = town.post(f"{url}/replacement", {"reason": "fraud", "identity_checked": True}, "clerk", status=201)
    again = town.post(f"{url}/replacement", {"reason": "lost"}, "clerk", status=201)
    assert again["id"] == made["id"]
    missing = town.post(f"/v1/cards/{UUID(int=4)}/replacement", {"reason": "lost"}, "clerk", status=404)
    assert missing["code"] == "card_not_found"
    answer = town.client.get("/v1/cards/consequences", headers=town.token("clerk")).get_json()["consequences"]
    shown = {found["reason"]: found for found in answer}
    assert set(shown) == {reason.value for reason in RevocationReason}
    assert (shown["deceased"]["new_card"], shown["deceased"]["tell"]) == (
        "refused",
        ["register", "finance", "benefits"],
    )
