"""Any key is changed while the city works: nothing is restarted, and all that was signed before still verifies."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest
from cryptography import x509

from cardsvc import vault as vaults
from cardsvc.settings import CHEAP
from cardsvc.vault import CertifiedName, KeyName, Stage, TooEarly, Vault
from crypto import keys, pki
from crypto.errors import InvalidSignature
from crypto.tlog import open_checkpoint
from crypto.wire.citykeys import CityKeys
from crypto.wire.policy import open_policy
from crypto.wire.receipt import verify_receipt
from crypto.wire.transaction import Purpose
from tests.fixtures.core import START
from tests.town import Person, Result, Town, top_up

RandomBytes = Callable[[int], bytes]
PASSPHRASE = "a passphrase of a test"
MADE = START - timedelta(days=365)
MONTH = timedelta(days=31)


@pytest.fixture
def vault(tmp_path: Path, random_bytes: RandomBytes) -> Vault:
    """Keys of this test's own: it changes them."""
    return Vault.create(
        tmp_path / "vault",
        PASSPHRASE,
        city_name="Maharlika City",
        log_origin="city.example/log",
        at=MADE,
        random_bytes=random_bytes,
        cost=CHEAP,
    )


def change(vault: Vault, name: KeyName, random_bytes: RandomBytes, at: datetime = START) -> None:
    """Another process does it: this one is told nothing."""
    operator = Vault.open(vault.folder, PASSPHRASE)
    vaults.announce(operator, name, at=at, random_bytes=random_bytes)
    vaults.activate(operator, name, at=at + MONTH, random_bytes=random_bytes)


def pinned(town: Town) -> list[x509.Certificate]:
    """The card authorities that every terminal trusts now."""
    policy = open_policy(town.client.get("/v1/policy").data, town.keys())
    return [pki.load_certificate(data) for data in policy.card_authorities]


def check_card(person: Person, authorities: list[x509.Certificate], at: datetime) -> None:
    for slot, data in person.card.issued.certificates.items():
        pki.verify_chain(pki.load_certificate(data), authorities, at, slot.purpose)
    pki.verify_chuid(person.card.issued.chuid, authorities, at)


@pytest.mark.parametrize("name", list(KeyName))
def test_the_city_goes_on_and_all_that_it_signed_before_counts(
    town: Town, random_bytes: RandomBytes, name: KeyName
) -> None:
    counter, shift_id = town.till()
    person = town.rich_person(till=(counter, shift_id))

    def top_up_now() -> Result:
        return counter.send_one(top_up(shift_id, 100_00), person.signs(Purpose.PRESENCE))

    receipt = top_up_now()
    policy = town.client.get("/v1/policy").data
    checkpoint = town.client.get("/log/checkpoint").text

    change(town.city.vault, name, random_bytes)
    newcomer = town.rich_person(till=town.till())
    town.fund(reference="LATER")  # through the service's own portal, whatever key it has now

    for result in (receipt, top_up_now()):
        town.verified(result)
    assert (
        open_policy(policy, town.keys()).number <= open_policy(town.client.get("/v1/policy").data, town.keys()).number
    )
    for note in (checkpoint, town.client.get("/log/checkpoint").text):
        open_checkpoint(note, town.keys().logs)
    for one in (person, newcomer):
        check_card(one, pinned(town), town.clock.now())
    town.check()


def test_a_new_key_is_known_before_it_signs(town: Town, random_bytes: RandomBytes) -> None:
    vault = town.city.vault
    vaults.announce(vault, KeyName.POLICY, at=START, random_bytes=random_bytes)
    told = town.keys()
    assert len(told.policy) == 2
    assert keys.key_id(vault.signer("policy").public_key) == keys.key_id(told.policy[0]), "the old one still signs"
    with pytest.raises(TooEarly, match="2026-12-03"):
        vaults.activate(vault, KeyName.POLICY, at=START + timedelta(days=30), random_bytes=random_bytes)
    vaults.activate(vault, KeyName.POLICY, at=START + MONTH, random_bytes=random_bytes)
    signed = town.client.get("/v1/policy").data
    open_policy(signed, told)
    with pytest.raises(InvalidSignature):
        open_policy(signed, CityKeys(told.receipt, told.logs, told.policy[:1]))


def test_both_keys_of_the_log_sign_until_the_old_one_retires(town: Town, random_bytes: RandomBytes) -> None:
    vault = town.city.vault
    counter, shift_id = town.till()
    person = town.person()
    signatures, results = [], []
    for step in ("before", "announced", "activated"):
        results.append(counter.send_one(top_up(shift_id, 100_00), person.signs(Purpose.PRESENCE)))
        note = town.client.get("/log/checkpoint").text
        signatures.append(note.count(f"\N{EM DASH} {vault.log_origin} "))
        open_checkpoint(note, town.keys().logs)
        if step == "before":
            old = town.keys().logs
            vaults.announce(vault, KeyName.LOG, at=START, random_bytes=random_bytes)
        elif step == "announced":
            open_checkpoint(note, old)  # who has not heard of the new key goes by the old one
            open_checkpoint(note, town.keys().logs[1:])
            vaults.activate(vault, KeyName.LOG, at=START + MONTH, random_bytes=random_bytes)
    assert signatures == [1, 2, 1]
    for result in results:
        town.verified(result)
    assert town.keys().logs[0].name == old[0].name == vault.log_origin
    town.check()


def test_a_key_that_somebody_else_may_have_is_distrusted(town: Town, random_bytes: RandomBytes) -> None:
    vault = town.city.vault
    counter, shift_id = town.till()
    before = counter.send_one(top_up(shift_id, 100_00), town.person().signs(Purpose.PRESENCE))
    with pytest.raises(vaults.StillInUse):
        vaults.distrust(vault, KeyName.RECEIPT, 1, random_bytes=random_bytes)
    vaults.announce(vault, KeyName.RECEIPT, at=START, random_bytes=random_bytes)
    vaults.activate(vault, KeyName.RECEIPT, at=START, random_bytes=random_bytes, at_once=True)
    town.verified(before)
    vaults.distrust(vault, KeyName.RECEIPT, 1, random_bytes=random_bytes)
    with pytest.raises(InvalidSignature):
        town.verified(before)
    again = town.client.get(f"/v1/receipts/{before.record_id}").data
    verify_receipt(again, town.keys())


def test_with_an_authority_goes_what_it_certified(vault: Vault, random_bytes: RandomBytes) -> None:
    announced = vaults.announce(vault, KeyName.CARD_CA, at=START, random_bytes=random_bytes)
    assert set(announced) == {KeyName.CARD_CA, KeyName.CONTENT}
    vault.certificate("content", 2).verify_directly_issued_by(vault.certificate("card-ca", 2))
    vault.certificate("card-ca", 2).verify_directly_issued_by(vault.certificate("root"))
    assert set(vaults.activate(vault, KeyName.CARD_CA, at=START + MONTH, random_bytes=random_bytes)) == set(announced)
    names = [one.subject.rfc4514_string() for one in vault.certificates("card-ca")]
    assert names == ["CN=Maharlika City Cards 2", "CN=Maharlika City Cards"], "a revocation list is known by its issuer"


def test_nothing_outlives_its_issuer_and_a_late_one_says_whom_to_change(
    vault: Vault, random_bytes: RandomBytes
) -> None:
    late = MADE + timedelta(days=16 * 365)
    vaults.announce(vault, KeyName.TERMINAL_CA, at=late, random_bytes=random_bytes)
    assert vault.certificate("terminal-ca", 2).not_valid_after_utc == vault.certificate("root").not_valid_after_utc
    with pytest.raises(vaults.IssuerEndsTooSoon, match="rotate root instead"):
        vaults.announce(vault, KeyName.CARD_CA, at=MADE + timedelta(days=19 * 365), random_bytes=random_bytes)
    assert vault.register.of(KeyName.CARD_CA) == (vault.register.current(KeyName.CARD_CA),), "nothing was announced"
    for name in get_args(CertifiedName):
        for one in vault.certificates(name):
            assert one.not_valid_after_utc <= vault.certificate("root").not_valid_after_utc


def test_what_makes_no_sense_is_refused(vault: Vault, random_bytes: RandomBytes) -> None:
    with pytest.raises(vaults.NothingAnnounced, match="vault rotate receipt"):
        vaults.activate(vault, KeyName.RECEIPT, at=START, random_bytes=random_bytes)
    vaults.announce(vault, KeyName.RECEIPT, at=START, random_bytes=random_bytes)
    with pytest.raises(vaults.AlreadyAnnounced, match="vault activate receipt"):
        vaults.announce(vault, KeyName.RECEIPT, at=START, random_bytes=random_bytes)
    with pytest.raises(vaults.UnknownGeneration):
        vault.signer("receipt", 7)


def test_a_snapshot_stays_as_it_was(vault: Vault, random_bytes: RandomBytes) -> None:
    before = vault.snapshot()
    change(vault, KeyName.CARD_CA, random_bytes)
    assert before.certificate("card-ca").public_key() == before.signer("card-ca").public_key
    assert before.certificate("card-ca") != vault.certificate("card-ca")
    assert vault.certificate("card-ca").public_key() == vault.signer("card-ca").public_key


def test_what_an_interrupted_announcement_left_gives_way(vault: Vault, random_bytes: RandomBytes) -> None:
    (vault.folder / "receipt.2.key").write_bytes(b"half")
    change(vault, KeyName.RECEIPT, random_bytes)
    assert [one.stage for one in vault.register.of(KeyName.RECEIPT)] == [Stage.CURRENT, Stage.RETIRED]
    vault.signer("receipt").sign(b"x")


def test_a_changed_or_lost_register_is_noticed(vault: Vault, random_bytes: RandomBytes) -> None:
    path = vault.folder / "generations"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(vaults.VaultChanged, match="generations"):
        vault.signer("receipt")
    path.unlink()
    with pytest.raises(vaults.VaultChanged, match="generations"):
        Vault.open(vault.folder, PASSPHRASE)
