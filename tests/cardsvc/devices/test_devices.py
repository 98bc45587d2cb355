"""Terminals on a real database: enrolment, the portal, chains, and the policy."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from cardsvc import cards, devices
from cardsvc.cards import RevocationReason
from cardsvc.clock import FixedClock
from cardsvc.db import to_ms
from cardsvc.devices import AnomalyKind, DeviceKind, DeviceStatus
from cardsvc.vault import Vault
from crypto import keys, pki
from crypto.keys import Ed25519Signer, SoftwareSigner
from crypto.wire.denylist import open_list
from crypto.wire.policy import FlatFare, OfflineLimits, Policy, open_policy
from tests.builders import CLERK, make_card, make_device, make_resident

RandomBytes = Callable[[int], bytes]
ADMIN = UUID(int=0xAD)


class Gate:
    """Somebody with a code and a key who wants in."""

    def __init__(self, session: Session, vault: Vault, clock: FixedClock, random_bytes: RandomBytes) -> None:
        self.session, self.vault, self.clock, self.random_bytes = session, vault, clock, random_bytes
        self.signer = SoftwareSigner.generate()

    def invite(self, name: str = "City Hall, window 3") -> str:
        return devices.invite(
            self.session, DeviceKind.COUNTER, name, by=ADMIN, now=self.clock.now(), random_bytes=self.random_bytes
        )

    def enrol(self, code: str, *, signed_code: str | None = None, spki: bytes | None = None) -> devices.Enrolment:
        public = spki or keys.spki(self.signer.public_key)
        proof = self.signer.sign(devices.enrolment_statement(signed_code or code, public))
        return devices.enrol(
            self.session, self.vault, code, public, proof, now=self.clock.now(), random_bytes=self.random_bytes
        )


@pytest.fixture
def gate(session: Session, vault: Vault, clock: FixedClock, random_bytes: RandomBytes) -> Gate:
    return Gate(session, vault, clock, random_bytes)


def test_a_terminal_enrols_with_its_code_and_gets_a_certificate(gate: Gate) -> None:
    made = gate.enrol(gate.invite())
    device = devices.find(gate.session, made.device_id)
    assert (device.kind, device.name, device.status) == (DeviceKind.COUNTER, "City Hall, window 3", "enrolled")
    assert (device.last_sequence, device.last_hash) == (0, None)
    authorities = [gate.vault.certificate("terminal-ca"), gate.vault.certificate("root")]
    certificate = pki.load_certificate(made.certificate)
    verified = pki.verify_chain(certificate, authorities, gate.clock.now(), pki.CertificatePurpose.TERMINAL)
    assert verified.bearer_id == made.device_id
    assert devices.by_ids(gate.session, [made.device_id, UUID(int=1)]) == {made.device_id: device}


def test_a_code_is_typed_as_one_likes(gate: Gate) -> None:
    code = gate.invite()
    assert len(code) == 19
    made = gate.enrol(code.lower().replace("-", " "))
    assert devices.find(gate.session, made.device_id).status is DeviceStatus.ENROLLED


def test_the_same_code_and_key_again_is_the_same_enrolment(gate: Gate) -> None:
    code = gate.invite()
    made = gate.enrol(code)
    gate.clock.advance(timedelta(days=30))
    assert gate.enrol(code) == made
    assert len(devices.listed(gate.session)) == 1


def test_a_code_serves_one_terminal(gate: Gate) -> None:
    code = gate.invite()
    gate.enrol(code)
    gate.signer = SoftwareSigner.generate()
    with pytest.raises(devices.InvalidInvite):
        gate.enrol(code)


def test_a_code_that_never_was_or_is_too_old_is_refused_alike(gate: Gate) -> None:
    code = gate.invite()
    with pytest.raises(devices.InvalidInvite):
        gate.enrol("AAAA-BBBB-CCCC-DDDD")
    gate.clock.advance(timedelta(days=7, seconds=1))
    with pytest.raises(devices.InvalidInvite):
        gate.enrol(code)


def test_a_terminal_must_hold_its_key(gate: Gate) -> None:
    code = gate.invite()
    others = keys.spki(SoftwareSigner.generate().public_key)
    with pytest.raises(devices.InvalidEnrolmentProof):
        gate.enrol(code, spki=others)
    with pytest.raises(devices.InvalidEnrolmentProof):
        gate.enrol(code, signed_code=gate.invite("another"))


def test_only_p256_keys_enrol(gate: Gate) -> None:
    code = gate.invite()
    for wrong in (
        keys.spki(Ed25519Signer.generate().public_key),
        keys.spki(ec.generate_private_key(ec.SECP384R1()).public_key()),
        b"no key",
    ):
        with pytest.raises(devices.InvalidTerminalKey):
            gate.enrol(code, spki=wrong)


def test_one_key_is_one_terminal(gate: Gate) -> None:
    gate.enrol(gate.invite())
    with pytest.raises(devices.TerminalKeyInUse):
        gate.enrol(gate.invite("another window"))


def test_a_revoked_terminal_stays_known_and_its_code_is_worth_nothing(gate: Gate) -> None:
    code = gate.invite()
    made = gate.enrol(code)
    for _ in range(2):
        device = devices.revoke(gate.session, made.device_id, by=ADMIN, reason="stolen", now=gate.clock.now())
        assert (device.status, device.revoked_at) == (DeviceStatus.REVOKED, gate.clock.now())
    with pytest.raises(devices.InvalidInvite):
        gate.enrol(code)
    with pytest.raises(devices.DeviceNotFound):
        devices.revoke(gate.session, UUID(int=3), by=ADMIN, reason="?", now=gate.clock.now())


def test_the_services_own_portal_is_made_once_and_anew_with_a_new_key(
    session: Session, vault: Vault, clock: FixedClock
) -> None:
    public_key = vault.signer("service").public_key
    portal = devices.portal(session, public_key, clock.now())
    assert devices.portal(session, public_key, clock.now()) == portal
    assert portal.kind is DeviceKind.PORTAL
    after = devices.portal(session, SoftwareSigner.generate().public_key, clock.now())
    assert (after.status, devices.find(session, portal.id).status) == (DeviceStatus.ENROLLED, DeviceStatus.REVOKED)
    with pytest.raises(DBAPIError), session.begin_nested():  # the database, too, knows of one portal only
        session.execute(text("UPDATE device SET status = 'enrolled', revoked_at = NULL"))


# ------------------------------------------------------------------------------------------------------------- chains


def link(sequence: int, previous: bytes | None = None) -> devices.Link:
    """The record at that place of a whole chain, or one that names another record before it."""
    before = bytes([sequence - 1]) * 32
    return (sequence, UUID(int=sequence), before if previous is None else previous, bytes([sequence]) * 32)


class Chain:
    def __init__(self, session: Session, device_id: UUID, clock: FixedClock) -> None:
        self.session, self.device_id, self.clock = session, device_id, clock

    def track(self, *links: devices.Link) -> list[tuple[AnomalyKind, int, int]]:
        found = devices.track(self.session, self.device_id, links, self.clock.now())
        return [(anomaly.kind, anomaly.sequence, anomaly.until) for anomaly in found]

    @property
    def end(self) -> tuple[int, bytes | None]:
        device = devices.find(self.session, self.device_id)
        return device.last_sequence, device.last_hash


@pytest.fixture
def chain(session: Session, vault: Vault, clock: FixedClock) -> Chain:
    return Chain(session, make_device(session, vault, clock.now()).device_id, clock)


def test_a_whole_chain_has_no_anomaly(chain: Chain) -> None:
    assert chain.track(link(1), link(2), link(3)) == []
    assert chain.track() == []
    assert chain.track(link(4)) == []
    assert chain.end == (4, bytes([4]) * 32)


def test_a_batch_in_another_order_is_no_anomaly(chain: Chain) -> None:
    assert chain.track(link(3), link(1), link(2)) == []
    assert chain.end == (3, bytes([3]) * 32)


def test_a_gap_is_noted_and_what_fills_it_later_is_not_a_fork(chain: Chain) -> None:
    assert chain.track(link(1), link(4)) == [(AnomalyKind.GAP, 2, 3)]
    chain.clock.advance(timedelta(hours=1))
    assert chain.track(link(2), link(3)) == []
    assert chain.end == (4, bytes([4]) * 32)
    assert chain.track(link(1)) == [(AnomalyKind.FORK, 1, 1)]
    assert [(a.kind, a.sequence, a.until) for a in devices.anomalies(chain.session, chain.device_id)] == [
        (AnomalyKind.FORK, 1, 1),
        (AnomalyKind.GAP, 2, 3),
    ]


def test_a_gap_before_the_first_record_is_noted(chain: Chain) -> None:
    assert chain.track(link(2)) == [(AnomalyKind.GAP, 1, 1)]


def test_a_record_that_continues_another_chain_is_a_fork(chain: Chain) -> None:
    assert chain.track(link(1, previous=b"?" * 32)) == [(AnomalyKind.FORK, 1, 1)]
    assert chain.track(link(2), link(3, previous=b"?" * 32)) == [(AnomalyKind.FORK, 3, 3)]


def test_two_records_at_one_place_are_a_fork(chain: Chain) -> None:
    other = (2, UUID(int=99), bytes([1]) * 32, b"!" * 32)
    assert chain.track(link(1), link(2), other) == [(AnomalyKind.FORK, 2, 2)]


def test_a_terminal_nobody_knows_has_no_chain(session: Session, clock: FixedClock) -> None:
    with pytest.raises(devices.DeviceNotFound):
        devices.track(session, UUID(int=5), [link(1)], clock.now())


def test_anomalies_cannot_be_wiped_away(chain: Chain) -> None:
    chain.track(link(5))
    with pytest.raises(DBAPIError, match="append-only"), chain.session.begin_nested():
        chain.session.execute(text("DELETE FROM device_anomaly"))


# ------------------------------------------------------------------------------------------------------------- policy


LIMITS = OfflineLimits(tap_cents_max=5000, card_day_cents_max=20000, card_day_taps_max=20, policy_age_ms_max=86400000)


class Town:
    """The rooms that a policy asks."""

    def __init__(self) -> None:
        self.fare_cents = 1300

    def sources(self) -> devices.PolicySources:
        return devices.PolicySources(
            fares=lambda _session, _now: (FlatFare("jeep", "regular", self.fare_cents, "PHP"),),
            tariff_version=lambda _session, _now: 1,
            limits=lambda _session, _now: LIMITS,
        )


def test_the_policy_is_signed_and_good_for_a_day(session: Session, vault: Vault, clock: FixedClock) -> None:
    policy = open_policy(devices.policy(session, vault, Town().sources(), clock.now()), vault.city_keys())
    assert policy.issued_at_ms == to_ms(clock.now())
    assert policy.expires_at_ms == to_ms(clock.now() + timedelta(days=4))
    assert (policy.number, policy.deny, policy.limits) == (1, (), LIMITS)
    assert policy.fares[0].amount_cents == 1300
    assert [pki.load_certificate(der) for der in policy.card_authorities] == [
        vault.certificate("card-ca"),
        vault.certificate("root"),
    ]


def test_the_number_grows_when_the_content_changes_and_only_then(
    session: Session, vault: Vault, clock: FixedClock
) -> None:
    town = Town()

    def number() -> int:
        clock.advance(timedelta(hours=1))
        signed = devices.policy(session, vault, town.sources(), clock.now())
        return open_policy(signed, vault.city_keys()).number

    assert [number(), number()] == [1, 1]
    card = make_card(session, vault, make_resident(session, clock.now()).id, clock.now())
    assert number() == 1  # a new card changes nothing
    cards.suspend(session, card.card_id, reason="?", by=CLERK, now=clock.now())
    assert [number(), number()] == [10_802, 10_802]  # one, and one for each second since number 1
    cards.resume(session, card.card_id, reason="?", by=CLERK, holder_has_it=True, now=clock.now())
    assert number() == 18_003  # the content of number 1 again, and yet a new number
    town.fare_cents = 1500
    assert number() == 21_604


def test_the_policy_names_the_deny_list_of_the_moment(session: Session, vault: Vault, clock: FixedClock) -> None:
    card = make_card(session, vault, make_resident(session, clock.now()).id, clock.now())

    def policy() -> Policy:
        signed = devices.policy(session, vault, Town().sources(), clock.now())
        return open_policy(signed, vault.city_keys())

    before = policy()
    cards.revoke(session, card.card_id, reason=RevocationReason.LOST, by=CLERK, now=clock.now())
    after = policy()
    assert (before.deny, before.deny_number, after.deny, after.deny_number) == ((), 1, (), 2)
    _, signed = devices.signed_deny_list(session, vault)
    assert open_list(signed, vault.city_keys()).denies_card(card.card_id)
