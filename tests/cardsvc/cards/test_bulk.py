"""Many cards at once: who is meant, two signatures, a line in every history, and new cards afterwards."""

import json
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from click.testing import CliRunner
from cryptography.x509 import SubjectKeyIdentifier
from flask.testing import FlaskClient
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cardsvc import access, cards, db, residents, web
from cardsvc.cards import BulkKind, BulkOrder, CardState, Criteria, OrderKind, RevocationReason
from cardsvc.cards.commands import cards as command
from cardsvc.cards.rules import cards_hash
from cardsvc.clock import FixedClock
from cardsvc.settings import CardSettings
from cardsvc.vault import Vault
from tests.builders import CLERK, OFFICER, PASSWORD, CardKeys, make_card, make_resident, make_staff

RandomBytes = Callable[[int], bytes]
HANDLERS = access.handlers_by_kind(cards.BULK)
WHY = "keys of this product are weak"


class Board:
    """Two officers, and the cards of a town."""

    def __init__(self, session: Session, vault: Vault, clock: FixedClock, random_bytes: RandomBytes) -> None:
        self.session, self.vault, self.clock, self.random_bytes = session, vault, clock, random_bytes
        self.one, self.other = (make_staff(session, clock.now(), "card_officer") for _ in range(2))

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def many(self, count: int) -> list[UUID]:
        """Active cards, taken in together."""
        reports = []
        for _ in range(count):
            card_id, card_keys = cards.new_card_id(self.random_bytes), CardKeys.make()
            asked = cards.batch_challenges(self.vault, card_id)
            reports.append(
                cards.IssueReport(
                    card_id,
                    make_resident(self.session, self.now).id,
                    card_keys.proofs(card_id, asked.possession),
                    card_keys.readback(card_id, asked.readback),
                    card_keys.handover(card_id, asked.readback),
                )
            )
        made = cards.issue_many(
            self.session,
            self.vault,
            reports,
            by=CLERK,
            approver=OFFICER,
            now=self.now,
            random_bytes=self.random_bytes,
        )
        return sorted(card.card_id for card in made)

    def propose(self, order: BulkOrder) -> cards.Bulk:
        """Proposed, and signed by the proposer."""
        proposed, action = cards.propose_bulk(
            self.session, order, by=self.one.id, now=self.now, random_bytes=self.random_bytes
        )
        self.sign(action.id, self.one)
        return proposed

    def sign(self, action_id: UUID, member: access.StaffMember) -> None:
        action = access.action(self.session, action_id, self.now)
        signature = access.sign_action_as(self.session, member.id, PASSWORD, action.action_bytes)
        access.sign_action(self.session, HANDLERS, action_id, by=member.id, signature=signature, now=self.now)

    def do(self, order: BulkOrder) -> cards.Bulk:
        proposed = self.propose(order)
        self.sign(proposed.id, self.other)
        return cards.bulk(self.session, proposed.id)

    def states(self, card_ids: Sequence[UUID]) -> list[CardState]:
        return [cards.find(self.session, card_id).state for card_id in card_ids]


@pytest.fixture
def board(session: Session, vault: Vault, clock: FixedClock, random_bytes: RandomBytes) -> Board:
    return Board(session, vault, clock, random_bytes)


def suspend(**criteria: object) -> BulkOrder:
    return BulkOrder(BulkKind.SUSPEND, Criteria(**criteria), WHY)  # type: ignore[arg-type]


def test_two_people_suspend_many_cards_and_each_has_a_line_in_its_history(board: Board) -> None:
    mine = board.many(25)
    board.clock.advance(timedelta(minutes=5))
    found = board.do(suspend(product="piv-aes128"))
    assert (found.card_count, found.changed) == (25, 25)
    assert (found.proposed_by, found.approved_by) == (board.one.id, board.other.id)
    assert set(board.states(mine)) == {CardState.SUSPENDED}
    card = cards.find(board.session, mine[0])
    assert card.blocked_at == card.state_since == board.now
    last = cards.history(board.session, mine[0])[-1]
    assert (last.from_state, last.to_state, last.actor) == (CardState.ACTIVE, CardState.SUSPENDED, board.other.id)
    assert last.reason == f"bulk {found.id}: {WHY}"
    assert cards.denied_cards(board.session, board.now) == tuple(mine)
    assert cards.denied_by_two(board.session) == {card_id.bytes for card_id in mine}


def test_a_plan_writes_nothing_and_says_who_is_meant_and_who_stays(board: Board) -> None:
    mine = board.many(23)
    cards.suspend(board.session, mine[0], reason="?", by=CLERK, now=board.now)
    planned = cards.plan(board.session, suspend(card_ids=tuple(mine)))
    assert (planned.count, len(planned.sample)) == (22, 20)
    assert [(one.state, one.count, one.moves) for one in planned.states] == [
        (CardState.ACTIVE, 22, True),
        (CardState.SUSPENDED, 1, False),
    ]
    assert planned.list_hash == cards_hash(mine[1:])
    assert board.states(mine[1:]) == [CardState.ACTIVE] * 22
    assert cards.bulks(board.session) == ()


def test_criteria_narrow_each_other(board: Board) -> None:
    early = board.many(2)
    board.clock.advance(timedelta(days=1))
    late = board.many(3)
    made = {"personalised_from": board.now, "personalised_until": board.now + timedelta(seconds=1)}

    def meant(**criteria: object) -> int:
        return cards.plan(board.session, suspend(**criteria)).count

    own = board.vault.certificate("card-ca").extensions.get_extension_for_class(SubjectKeyIdentifier)
    identifier = own.value.key_identifier
    assert meant(**made) == 3
    assert meant(personalised_until=board.now) == 2
    assert meant(product="piv-aes256", **made) == 0
    assert meant(authority=identifier) == 5
    assert meant(authority=bytes(20)) == 0
    assert meant(authority=identifier, card_ids=(early[0], late[0], UUID(int=4)), **made) == 1


def test_the_cards_of_a_delivery_of_blanks_are_found(board: Board) -> None:
    delivery = cards.Delivery("Weak ones", "piv-aes128", "Card Works", date(2026, 11, 1))
    cards.take_in(board.session, delivery, ["A-1", "A-2"], by=OFFICER, now=board.now, random_bytes=board.random_bytes)
    order = cards.request(
        board.session,
        make_resident(board.session, board.now).id,
        by=CLERK,
        now=board.now,
        random_bytes=board.random_bytes,
    )
    cards.approve(board.session, order.id, by=OFFICER, now=board.now)
    cards.begin_personalisation(
        board.session,
        board.vault,
        order.id,
        by=CLERK,
        now=board.now,
        random_bytes=board.random_bytes,
        blank_serial="A-2",
        settings=CardSettings(),
    )
    make_card(board.session, board.vault, order.resident_id, board.now, approved=True)
    board.many(2)
    assert [card.id for card in cards.plan(board.session, suspend(batch="Weak ones")).sample] == [order.id]


def test_one_person_alone_changes_nothing(board: Board) -> None:
    mine = board.many(2)
    proposed = board.propose(suspend(card_ids=tuple(mine)))
    with pytest.raises(access.SameSigner):
        board.sign(proposed.id, board.one)
    clerk = make_staff(board.session, board.now, "clerk")
    with pytest.raises(access.NotYourAction):
        board.sign(proposed.id, clerk)
    with pytest.raises(access.NotYourAction):
        cards.propose_bulk(
            board.session,
            suspend(card_ids=tuple(mine)),
            by=clerk.id,
            now=board.now,
            random_bytes=board.random_bytes,
        )
    assert board.states(mine) == [CardState.ACTIVE] * 2
    assert cards.bulk(board.session, proposed.id).executed_at is None
    with pytest.raises(IntegrityError), board.session.begin_nested():
        cards.execute_bulk(
            board.session, proposed.id, list_hash=proposed.list_hash, approver=board.one.id, now=board.now
        )


def test_what_became_of_a_card_since_the_proposal_stands_and_new_cards_are_not_drawn_in(board: Board) -> None:
    mine = board.many(3)
    proposed = board.propose(suspend(product="piv-aes128"))
    cards.revoke(board.session, mine[0], reason=RevocationReason.LOST, by=CLERK, now=board.now)
    late = board.many(1)
    board.sign(proposed.id, board.other)
    done = cards.bulk(board.session, proposed.id)
    assert (done.card_count, done.changed) == (3, 2)
    assert board.states([*mine, *late]) == [
        CardState.REVOKED,
        CardState.SUSPENDED,
        CardState.SUSPENDED,
        CardState.ACTIVE,
    ]


def test_a_list_that_is_not_the_signed_one_is_not_carried_out(board: Board) -> None:
    mine = board.many(2)
    proposed = board.propose(suspend(card_ids=tuple(mine)))
    with pytest.raises(cards.BulkListChanged):
        cards.execute_bulk(
            board.session, proposed.id, list_hash=cards_hash(mine[:1]), approver=board.other.id, now=board.now
        )


def test_done_twice_is_done_once(board: Board) -> None:
    mine = board.many(2)
    done = board.do(suspend(card_ids=tuple(mine)))
    cards.resume(board.session, mine[0], reason="checked", by=OFFICER, holder_has_it=True, now=board.now)
    again = cards.execute_bulk(board.session, done.id, list_hash=done.list_hash, approver=board.other.id, now=board.now)
    assert again == done
    assert board.states(mine) == [CardState.ACTIVE, CardState.SUSPENDED]


def test_a_false_alarm_is_taken_back_for_the_same_cards_and_no_others(board: Board) -> None:
    mine = board.many(3)
    cards.suspend(board.session, mine[0], reason="somebody's own reason", by=CLERK, now=board.now)
    stopped = board.do(suspend(product="piv-aes128"))
    back = board.do(BulkOrder(BulkKind.RESUME, Criteria(bulk_id=stopped.id), "checked: they are good"))
    assert back.changed == 2
    assert board.states(mine) == [CardState.SUSPENDED, CardState.ACTIVE, CardState.ACTIVE]
    assert cards.find(board.session, mine[1]).blocked_at is None


def test_a_card_reported_stolen_meanwhile_stays_stopped_when_the_alarm_is_taken_back(board: Board) -> None:
    mine = board.many(3)
    stopped = board.do(suspend(product="piv-aes128"))
    board.clock.advance(timedelta(hours=1))
    holder = cards.find(board.session, mine[0]).resident_id
    cards.suspend_own(board.session, holder, note="stolen", now=board.now)
    cards.resume(board.session, mine[1], reason="checked", by=OFFICER, now=board.now, holder_has_it=True)
    cards.suspend(board.session, mine[1], reason="lost after all", by=CLERK, now=board.now)
    for criteria in (Criteria(bulk_id=stopped.id), Criteria(product="piv-aes128"), Criteria(card_ids=tuple(mine))):
        assert cards.plan(board.session, BulkOrder(BulkKind.RESUME, criteria, WHY)).count == 1
    back = board.do(BulkOrder(BulkKind.RESUME, Criteria(bulk_id=stopped.id), "all well"))
    assert (back.card_count, back.changed) == (1, 1)
    assert board.states(mine) == [CardState.SUSPENDED, CardState.SUSPENDED, CardState.ACTIVE]


def test_a_card_reported_stolen_after_the_proposal_is_not_resumed(board: Board) -> None:
    mine = board.many(2)
    stopped = board.do(suspend(product="piv-aes128"))
    board.clock.advance(timedelta(hours=1))
    back = board.propose(BulkOrder(BulkKind.RESUME, Criteria(bulk_id=stopped.id), "all well"))
    cards.suspend_own(board.session, cards.find(board.session, mine[0]).resident_id, note="stolen", now=board.now)
    board.sign(back.id, board.other)
    assert cards.bulk(board.session, back.id).changed == 1
    assert board.states(mine) == [CardState.SUSPENDED, CardState.ACTIVE]


def test_many_cards_are_revoked_with_a_reason_and_blocked_since_they_were_suspended(board: Board) -> None:
    mine = board.many(2)
    at = board.now
    cards.suspend(board.session, mine[0], reason="?", by=CLERK, now=at)
    board.clock.advance(timedelta(hours=1))
    board.do(BulkOrder(BulkKind.REVOKE, Criteria(card_ids=tuple(mine)), WHY, RevocationReason.FRAUD))
    first, second = (cards.find(board.session, card_id) for card_id in mine)
    assert (first.state, first.revoked_reason, first.blocked_at) == (CardState.REVOKED, RevocationReason.FRAUD, at)
    assert second.blocked_at == board.now
    with pytest.raises(cards.NoCardsMeant):
        board.do(BulkOrder(BulkKind.RESUME, Criteria(card_ids=tuple(mine)), "please"))


def test_a_decision_says_which_cards_and_a_revocation_says_why() -> None:
    with pytest.raises(cards.CriteriaMissing):
        Criteria()
    with pytest.raises(cards.InvalidBulk):
        BulkOrder(BulkKind.REVOKE, Criteria(product="x"), WHY)
    with pytest.raises(cards.InvalidBulk):
        BulkOrder(BulkKind.SUSPEND, Criteria(product="x"), WHY, RevocationReason.LOST)
    with pytest.raises(cards.InvalidBulk):
        BulkOrder(BulkKind.REVOKE, Criteria(product="x"), WHY, RevocationReason.SUPERSEDED)


def test_new_cards_are_ordered_some_at_a_time_and_nobody_gets_two(board: Board) -> None:
    mine = board.many(5)
    stopped = board.do(suspend(product="piv-aes128"))
    moved = cards.find(board.session, mine[1]).resident_id
    residents.change_status(board.session, moved, residents.ResidentStatus.MOVED, by=CLERK, reason="?", now=board.now)
    ordered = cards.find(board.session, mine[4]).resident_id
    own = cards.request(board.session, ordered, by=CLERK, now=board.now, random_bytes=board.random_bytes)

    def renew(after: UUID | None) -> cards.RenewedMany:
        return cards.renew_many(
            board.session, stopped.id, by=CLERK, now=board.now, random_bytes=board.random_bytes, after=after, limit=2
        )

    answers = [renew(None)]
    while answers[-1].next is not None:
        answers.append(renew(answers[-1].next))
    assert (sum(one.ordered for one in answers), sum(one.skipped for one in answers)) == (4, 1)
    assert renew(None).ordered == 0  # from the start again: only the one who moved is met
    renewed = cards.find(board.session, own.id)
    assert (renewed.order_kind, renewed.replaces) == (OrderKind.RENEWAL, mine[4])
    page = cards.listed(board.session, state=CardState.REQUESTED)
    assert sorted(card.replaces for card in page.cards if card.replaces) == [mine[0], *mine[2:]]
    order = next(card for card in page.cards if card.replaces == mine[0])
    cards.approve(board.session, order.id, by=OFFICER, now=board.now)
    make_card(board.session, board.vault, order.resident_id, board.now, approved=True)
    assert cards.find(board.session, mine[0]).revoked_reason is RevocationReason.SUPERSEDED


# ------------------------------------------------------------------------------------------------- over the API and CLI


def check_that_it_names_its_cards(
    client: FlaskClient, bulk_id: str, mine: Sequence[UUID], other: dict[str, str], clerk: dict[str, str]
) -> None:
    """Whoever approves reads the list, in pages."""
    pages = f"/v1/cards/bulk/{bulk_id}/cards"
    page = client.get(pages, query_string={"limit": 2}, headers=other).get_json()
    rest = client.get(pages, query_string={"after": page["next"]}, headers=other).get_json()
    assert [card["id"] for card in page["cards"] + rest["cards"]] == [str(card_id) for card_id in mine]
    assert (rest["next"], client.get(pages, headers=clerk).status_code) == (None, 403)
    assert client.get(f"/v1/cards/bulk/{UUID(int=4)}/cards", headers=other).get_json()["code"] == "bulk_not_found"


def test_two_officers_suspend_cards_over_the_api(city: web.City, client: FlaskClient) -> None:
    def prepare(session: Session) -> tuple[list[UUID], list[str]]:
        now = city.clock.now()
        made = [make_card(session, city.vault, make_resident(session, now).id, now) for _ in range(3)]
        names = [make_staff(session, now, role).username for role in ("card_officer", "card_officer", "clerk")]
        return sorted(card.card_id for card in made), names

    mine, names = db.run(city.engine, prepare)

    def headers(username: str) -> dict[str, str]:
        answer = client.post("/v1/sign-in", json={"username": username, "password": PASSWORD})
        return {"Authorization": f"Bearer {answer.get_json()['token']}"}

    one, other, clerk = (headers(name) for name in names)
    order = {"kind": "suspend", "reason": WHY, "criteria": {"product": "piv-aes128"}}
    assert client.post("/v1/cards/bulk/plans", json=order, headers=clerk).status_code == 403
    planned = client.post("/v1/cards/bulk/plans", json=order, headers=one).get_json()
    assert (planned["count"], planned["summary"]) == (3, f"Suspend 3 cards: {WHY} (product piv-aes128)")
    empty = client.post("/v1/cards/bulk/plans", json={**order, "criteria": {}}, headers=one)
    assert (empty.status_code, empty.get_json()["code"]) == (422, "criteria_missing")
    none = client.post("/v1/cards/bulk", json={**order, "criteria": {"product": "none"}}, headers=one)
    assert (none.status_code, none.get_json()["code"]) == (409, "no_cards_meant")
    proposed = client.post("/v1/cards/bulk", json=order, headers=one).get_json()
    sign = f"/v1/actions/{proposed['id']}/signatures"
    assert client.post(sign, json={"password": PASSWORD}, headers=one).status_code == 201
    assert client.get(f"/v1/cards/bulk/{proposed['id']}", headers=one).get_json()["executed_at"] is None
    signed = client.post(sign, json={"password": PASSWORD}, headers=other)
    assert (signed.status_code, signed.get_json()["state"]) == (201, "done")
    assert client.get("/v1/cards/bulk", headers=one).get_json()["decisions"][0]["changed"] == 3
    assert client.get(f"/v1/cards/{mine[0]}", headers=one).get_json()["state"] == "suspended"
    renewed = client.post(f"/v1/cards/bulk/{proposed['id']}/renewals", headers=one)
    assert renewed.get_json() == {"ordered": 3, "skipped": 0, "next": None}
    check_that_it_names_its_cards(client, proposed["id"], mine, other, clerk)
    missing = client.get(f"/v1/cards/bulk/{UUID(int=4)}", headers=one)
    assert (missing.status_code, missing.get_json()["code"]) == (404, "bulk_not_found")
    check_the_commands(city, proposed["id"], mine)


def check_the_commands(city: web.City, bulk_id: str, mine: list[UUID]) -> None:
    """The same decision from the command line."""

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(command, ["bulk", *arguments], obj=lambda: city)
        assert result.exit_code == 0, result.output
        return result.stdout

    dry = json.loads(run("plan", "resume", "--bulk-id", bulk_id, "--json"))
    assert (dry["count"], dry["sample"]) == (3, [str(card_id) for card_id in mine])
    assert "3 cards would change." in run(
        "plan", "revoke", "--revoked-reason", "fraud", "--personalised-from", "2026-11-01"
    )
    assert json.loads(run("list", "--json"))["decisions"][0]["changed"] == 3
    shown = json.loads(run("show", bulk_id, "--json"))
    assert [card["id"] for card in shown["cards"]] == [str(card_id) for card_id in mine]
    assert "More: --after" in run("show", bulk_id, "--limit", "1")
