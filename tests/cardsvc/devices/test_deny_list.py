"""The deny list as the service publishes it: numbers, steps, the breaker; and the authorities' revocation lists."""

import random
import threading
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from cryptography import x509
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from cardsvc import cards, db, devices
from cardsvc.cards import RevocationReason
from cardsvc.clock import FixedClock
from cardsvc.devices import actions, queries
from cardsvc.devices.rules import BREAKER, Breaker, Change, net
from cardsvc.vault import Vault
from crypto import pki
from crypto.pki import CardSlot
from crypto.wire.denylist import DenyList, open_delta, open_list, unpack
from tests.builders import CLERK, OFFICER, CardKeys, SoftwareCard, make_card, make_device, make_resident

ACTION = UUID(int=0xAC7104)
THREE_AN_HOUR = Breaker(floor=3, percent=1, window=timedelta(hours=1))


class Lists:
    """The deny list of a city in one session."""

    def __init__(self, session: Session, vault: Vault, clock: FixedClock) -> None:
        self.session, self.vault, self.clock = session, vault, clock
        self.strict = False

    def card(self) -> SoftwareCard:
        resident = make_resident(self.session, self.clock.now())
        return make_card(self.session, self.vault, resident.id, self.clock.now())

    def publish(self, action_id: UUID | None = None, *, release: bool = False) -> int:
        breaker = THREE_AN_HOUR if self.strict else BREAKER
        return devices.publish_deny_list(
            self.session, self.clock.now(), action_id=action_id, release=release, breaker=breaker
        )

    def newest(self) -> DenyList:
        _, signed = devices.signed_deny_list(self.session, self.vault)
        return open_list(signed, self.vault.city_keys())

    def stepped(self, base: DenyList) -> DenyList:
        signed = devices.signed_deny_delta(self.session, self.vault, base.number)
        return open_delta(signed, self.vault.city_keys()).apply(base)

    def suspend(self, card: SoftwareCard) -> None:
        cards.suspend(self.session, card.card_id, reason="?", by=CLERK, now=self.clock.now())

    def resume(self, card: SoftwareCard) -> None:
        cards.resume(self.session, card.card_id, reason="?", by=CLERK, holder_has_it=True, now=self.clock.now())

    def denied(self) -> set[UUID]:
        return {UUID(bytes=entry) for entry in unpack(self.newest().cards)}


@pytest.fixture
def lists(session: Session, vault: Vault, clock: FixedClock) -> Lists:
    return Lists(session, vault, clock)


def test_the_first_list_has_number_one_even_when_nobody_is_denied(lists: Lists) -> None:
    assert actions.current_deny_number(lists.session, lists.clock.now()) is None
    assert [lists.publish(), lists.publish()] == [1, 1]
    assert actions.current_deny_number(lists.session, lists.clock.now()) == 1
    assert (lists.newest().cards, lists.newest().keys) == (b"", b"")


def test_the_number_grows_when_the_list_changes_and_only_then(lists: Lists) -> None:
    card = lists.card()
    assert lists.publish() == 1
    lists.suspend(card)
    assert actions.current_deny_number(lists.session, lists.clock.now()) is None
    lists.clock.advance(timedelta(minutes=1))
    assert [lists.publish(), lists.publish()] == [62, 62]  # one, and one for each second
    assert lists.newest().denies_card(card.card_id)
    assert lists.newest().issued_at_ms == db.to_ms(lists.clock.now())
    lists.resume(card)
    assert lists.publish() == 63  # the entries of number 1 again, and yet a new number
    assert lists.denied() == set()


def test_numbers_given_out_before_a_restore_are_not_given_again(lists: Lists) -> None:
    first, second = lists.card(), lists.card()
    lists.publish()
    lost = set()
    backup = lists.session.begin_nested()
    for card in (first, second):
        lists.clock.advance(timedelta(seconds=20))
        lists.suspend(card)
        lost.add(lists.publish())
    backup.rollback()  # what an older copy of the database does not know
    lists.clock.advance(timedelta(minutes=5))
    lists.suspend(second)
    assert lists.publish() > max(lost)
    for number in lost:  # a terminal that holds such a list takes the whole of the newest
        with pytest.raises(devices.NoDeltaFrom):
            devices.signed_deny_delta(lists.session, lists.vault, number)


def test_the_keys_of_a_torn_attempt_are_denied_and_the_card_is_not(lists: Lists) -> None:
    now, vault = lists.clock.now(), lists.vault
    order = cards.request(
        lists.session,
        make_resident(lists.session, now).id,
        by=CLERK,
        now=now,
        random_bytes=random.Random(1).randbytes,
    )
    cards.approve(lists.session, order.id, by=OFFICER, now=now)
    torn, whole = CardKeys.make(), CardKeys.make()
    for made in (torn, whole):
        begun = cards.begin_personalisation(
            lists.session, vault, order.id, by=CLERK, now=now, random_bytes=random.Random(2).randbytes
        )
        proofs = made.proofs(order.id, begun.challenge)
        cards.certify(lists.session, vault, order.id, proofs, now=now, random_bytes=random.Random().randbytes)
    lists.publish()
    held = lists.newest()
    assert all(held.denies_key(torn.kid(slot)) for slot in CardSlot)
    assert not any(held.denies_key(whole.kid(slot)) for slot in CardSlot)
    assert not held.denies_card(order.id)


def test_a_step_leads_from_every_earlier_list_to_the_newest(lists: Lists) -> None:
    stock = [lists.card() for _ in range(5)]
    chosen = random.Random(7)
    suspended: set[int] = set()
    lists.publish()
    earlier = [lists.newest()]
    for _ in range(9):
        for number in chosen.sample(range(5), chosen.randint(1, 3)):
            (lists.resume if number in suspended else lists.suspend)(stock[number])
            suspended ^= {number}
        lists.clock.advance(timedelta(seconds=30))
        lists.publish()
        assert lists.denied() == {stock[number].card_id for number in suspended}
        assert all(lists.stepped(base) == lists.newest() for base in earlier)
        earlier.append(lists.newest())
    assert [one.number for one in earlier] == [1 + 31 * step for step in range(10)]


@pytest.mark.parametrize("base", [0, 2, 3, 2**70])
def test_there_is_no_step_from_a_list_that_is_not_older(lists: Lists, base: int) -> None:
    with pytest.raises(devices.NoDeltaFrom):
        devices.signed_deny_delta(lists.session, lists.vault, base)
    with pytest.raises(devices.NoDeltaFrom):
        devices.signed_deny_list(lists.session, lists.vault)
    lists.publish()
    lists.suspend(lists.card())
    assert lists.publish() == 2
    with pytest.raises(devices.NoDeltaFrom):
        devices.signed_deny_delta(lists.session, lists.vault, base)


def test_what_came_and_went_between_two_lists_is_no_change() -> None:
    a, b, c = (bytes([number]) * 16 for number in range(3))
    history = [Change(a, True), Change(b, False), Change(a, False), Change(c, True), Change(b, True), Change(c, False)]
    assert net(history) == ((), ())
    assert net([*history, Change(c, True), Change(b, False)]) == ((c,), (b,))


@pytest.mark.parametrize(
    ("new", "lately", "in_use", "expected"),
    [
        (0, 10_000, 0, False),
        (100, 0, 0, False),
        (101, 0, 0, True),
        (1, 100, 0, True),
        (1_000, 0, 100_000, False),
        (1_001, 0, 100_000, True),
        (500, 501, 100_000, True),
    ],
)
def test_too_many_is_more_than_a_hundred_and_more_than_one_of_a_hundred(
    new: int, lately: int, in_use: int, expected: bool
) -> None:
    assert BREAKER.trips(new, lately, in_use) is expected


def test_too_many_denials_at_once_wait_for_two_people_and_a_lost_card_does_not(lists: Lists) -> None:
    many = [lists.card() for _ in range(4)]
    lists.strict = True
    lists.publish()
    for card in many:
        lists.suspend(card)
    assert lists.publish() == 1  # something went wrong, or somebody decided: that is for people to say
    assert devices.held_back(lists.session) == {card.card_id.bytes for card in many}
    assert actions.current_deny_number(lists.session, lists.clock.now()) == 1
    lost = lists.card()
    cards.revoke(lists.session, lost.card_id, reason=RevocationReason.LOST, by=CLERK, now=lists.clock.now())
    assert lists.publish() == 2
    assert lists.denied() == {lost.card_id}
    lists.resume(many[0])  # a mistake: let go, and held back no more
    lists.publish()
    assert len(devices.held_back(lists.session)) == 3
    lists.suspend(many[0])
    lists.publish()
    assert lists.denied() == {lost.card_id, many[0].card_id}
    decided = [lists.card() for _ in range(4)]
    for card in decided:
        lists.suspend(card)
    lists.publish(ACTION)  # two people signed for these, not for those
    assert len(devices.held_back(lists.session)) == 3
    assert lists.denied() == {lost.card_id, many[0].card_id, *(card.card_id for card in decided)}
    many += decided
    held = lists.newest()
    number = lists.publish(ACTION, release=True)
    assert lists.denied() == {lost.card_id, *(card.card_id for card in many)}
    assert (lists.newest().number, lists.newest().action_id) == (number, ACTION)
    assert not devices.held_back(lists.session)
    lists.suspend(another := lists.card())
    assert lists.publish() == number + 1  # what two people signed for is not counted against the next
    assert another.card_id in lists.denied()
    assert lists.newest().action_id is None
    assert lists.stepped(held).action_id == ACTION  # a terminal that was away takes the many for what two people signed


def test_denials_are_counted_over_an_hour(lists: Lists) -> None:
    lists.strict = True
    lists.publish()
    for expected in (2, 603, 1204, 1204):  # the fourth is one too many
        lists.suspend(lists.card())
        assert lists.publish() == expected
        lists.clock.advance(timedelta(minutes=10))
    lists.clock.advance(timedelta(minutes=50))
    lists.suspend(lists.card())
    assert lists.publish() == 1204 + 1 + 70 * 60
    assert len(devices.held_back(lists.session)) == 1  # time alone lets nothing go


def test_the_first_list_of_a_city_that_grew_before_is_taken_as_it_is(lists: Lists) -> None:
    lists.strict = True
    for _ in range(4):
        lists.suspend(lists.card())
    assert lists.publish() == 1
    assert len(lists.denied()) == 4
    lists.suspend(lists.card())
    assert lists.publish() == 2


def test_published_lists_cannot_be_changed(lists: Lists) -> None:
    lists.publish()
    lists.suspend(lists.card())
    lists.publish()
    for statement in ("UPDATE deny_list SET issued_at = 0", "DELETE FROM deny_change", "DELETE FROM deny_list"):
        with pytest.raises(DBAPIError, match="append-only"), lists.session.begin_nested():
            lists.session.execute(text(statement))


def test_two_who_publish_at_one_moment_publish_one_list(engine: Engine, vault: Vault, clock: FixedClock) -> None:
    with db.unit_of_work(engine) as session:
        card = make_card(session, vault, make_resident(session, clock.now()).id, clock.now())
        devices.publish_deny_list(session, clock.now())
        cards.suspend(session, card.card_id, reason="?", by=CLERK, now=clock.now())
    barrier, numbers = threading.Barrier(3), list[int]()

    def publish() -> None:
        barrier.wait()
        numbers.append(db.run(engine, lambda session: devices.publish_deny_list(session, clock.now())))

    workers = [threading.Thread(target=publish) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert numbers == [2, 2, 2]


# ---------------------------------------------------------------------------------------------------- revocation lists


def crl_of(lists: Lists, authority: actions.Authority) -> pki.VerifiedCrl:
    made = actions.publish_revocation_list(lists.session, lists.vault, authority, None, lists.clock.now())
    return pki.check_crl(made.der, lists.vault.certificate(authority), lists.clock.now())


def serials(card: SoftwareCard) -> set[int]:
    return {pki.load_certificate(certificate).serial_number for certificate in card.issued.certificates.values()}


def test_the_card_authoritys_list_names_stopped_cards_and_says_which_may_come_back(lists: Lists) -> None:
    good, suspended, lost = lists.card(), lists.card(), lists.card()
    assert dict(crl_of(lists, "card-ca").entries) == {}
    lists.clock.advance(timedelta(minutes=1))
    lists.suspend(suspended)
    cards.revoke(lists.session, lost.card_id, reason=RevocationReason.LOST, by=CLERK, now=lists.clock.now())
    found = crl_of(lists, "card-ca")
    assert set(found.entries) == serials(suspended) | serials(lost)
    assert not set(found.entries) & serials(good)
    hold = x509.ReasonFlags.certificate_hold
    assert all(found.entries[serial].reason is hold for serial in serials(suspended))
    assert all(found.entries[serial].reason is None for serial in serials(lost))
    assert all(found.entries[serial].at == lists.clock.now() for serial in serials(lost))


def test_a_list_is_made_anew_when_it_changes_and_at_half_of_its_time(lists: Lists) -> None:
    def number() -> int:
        return crl_of(lists, "card-ca").number

    assert [number(), number()] == [1, 1]
    lists.suspend(lists.card())
    assert [number(), number()] == [2, 2]
    lists.clock.advance(timedelta(hours=11, minutes=59))
    assert number() == 2
    lists.clock.advance(timedelta(minutes=1))
    assert number() == 3
    certificate = lists.vault.certificate("card-ca")
    usable = actions.usable_revocation_list

    def at(later: datetime) -> bool:
        return usable(lists.session, lists.vault, "card-ca", None, later) is not None

    assert queries.revocation_list(lists.session, actions.subject_key_id(certificate))
    assert at(lists.clock.now() + timedelta(hours=23, minutes=59))
    assert not at(lists.clock.now() + timedelta(hours=24))


def test_the_terminal_authoritys_list_names_revoked_terminals(lists: Lists) -> None:
    now = lists.clock.now()
    stolen, good = (make_device(lists.session, lists.vault, now) for _ in range(2))
    devices.revoke(lists.session, stolen.device_id, by=OFFICER, reason="stolen", now=now)
    devices.portal(lists.session, lists.vault.signer("service").public_key, now)
    listed = set(crl_of(lists, "terminal-ca").entries)
    assert listed == {pki.load_certificate(stolen.certificate).serial_number}
    assert pki.load_certificate(good.certificate).serial_number not in listed
