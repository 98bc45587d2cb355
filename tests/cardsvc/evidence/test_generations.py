"""The city's keys change; what the older ones signed is proved still. Here each test has a vault of its own."""

import random
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from cardsvc import devices
from cardsvc import vault as vaults
from cardsvc.db import to_ms
from cardsvc.evidence.rules.keybook import KeyBook, NotTheirs, Signing, Span
from cardsvc.settings import CHEAP
from cardsvc.vault import KeyName, Vault
from crypto import keys
from crypto.keys import Signer, SoftwareSigner
from crypto.wire.batch import Batch, sign_batch
from crypto.wire.evidence import KeyUse, open_statement
from crypto.wire.transaction import NO_PREVIOUS, Purpose, Record, Transaction, authorise
from crypto.wire.wallets import PurseExpired
from tests.evidence import export, verify
from tests.fixtures.core import PASSPHRASE, START
from tests.town import Town


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault.create(
        tmp_path / "vault",
        PASSPHRASE,
        city_name="Maharlika City",
        log_origin="city.example/log",
        at=START - timedelta(days=365),
        random_bytes=random.Random(1).randbytes,
        cost=CHEAP,
    )


def rotate(town: Town, name: KeyName) -> None:
    vaults.announce(town.city.vault, name, at=town.clock.now(), random_bytes=town.city.random_bytes)
    vaults.activate(town.city.vault, name, at=town.clock.now(), at_once=True, random_bytes=town.city.random_bytes)
    town.clock.advance(timedelta(hours=1))


def signed_by_the_service(town: Town, key: Signer, portal: devices.Device, sealed_by: Signer) -> bytes:
    """A batch of a portal with one record of the service's, as whoever has these keys makes it."""
    body, now_ms = PurseExpired(town.key(), "rice", 5_00, "PHP"), to_ms(town.clock.now())
    previous = portal.last_hash or NO_PREVIOUS
    record = Record.of(
        body,
        record_id=town.key(),
        terminal_id=portal.id,
        sequence=portal.last_sequence + 1,
        previous=previous,
        at_ms=now_ms,
    ).encode()
    item = Transaction(record, (authorise(record, Purpose.SERVICE, key),)).encode()
    return sign_batch(Batch(town.key(), portal.id, now_ms, 0, (item,)), sealed_by)


def portal_of(town: Town, key: Signer) -> devices.Device:
    assert isinstance(key.public_key, EllipticCurvePublicKey)
    public = key.public_key
    return town.run(lambda session: devices.portal(session, public, town.clock.now()))


def test_a_retired_service_key_signs_nothing_new(busy: Town, tmp_path: Path) -> None:
    vault = busy.city.vault
    old = vault.signer("service")
    left = portal_of(busy, old)
    rotate(busy, KeyName.SERVICE)
    headers = {"Content-Type": "application/cbor"}
    refused = busy.client.post(
        "/v1/transactions", data=signed_by_the_service(busy, old, left, old), headers=headers
    ).get_json()
    assert refused["code"] == "terminal_revoked"
    new = vault.signer("service")
    here = portal_of(busy, new)
    [result] = busy.send(signed_by_the_service(busy, old, here, new))
    assert (result.outcome, result.reason) == ("rejected", "unknown_key")
    busy.fund(5_00, reference="AFTER")
    folder = export(busy, tmp_path / "export")
    assert verify(folder, vault.city_keys().format()).findings == ()
    city_keys = vault.city_keys()
    stated = [open_statement(bytes.fromhex(line.split("\t")[2]), city_keys) for line in lines(folder)]
    until = {one.key: one.until_ms for one in stated if one.use == KeyUse.SERVICE.value}
    assert until == {keys.spki(old.public_key): to_ms(busy.clock.now()), keys.spki(new.public_key): None}


def lines(folder: Path) -> list[str]:
    return (folder / "keys.tsv").read_text().splitlines()[1:]


def test_what_a_service_key_signed_after_its_last_does_not_count() -> None:
    signer = SoftwareSigner.generate()
    kid = keys.key_id(signer.public_key)
    book = KeyBook(service={kid: Span(b"", keys.spki(signer.public_key), 0, 1_000, "")})
    for recorded_at in (500, 1_000):
        found = book.signer(Purpose.SERVICE, kid, Signing(b"", b"", b"", 0, recorded_at, "portal", accepted=True))
        assert keys.key_id(found) == kid
    with pytest.raises(NotTheirs, match="its last before"):
        book.signer(Purpose.SERVICE, kid, Signing(b"", b"", b"", 0, 1_001, "portal", accepted=True))


def test_what_the_keys_of_older_generations_signed_is_proved(busy: Town, tmp_path: Path) -> None:
    before = busy.city.vault.city_keys().format()
    for name in (KeyName.RECEIPT, KeyName.SERVICE, KeyName.LOG):
        vaults.announce(busy.city.vault, name, at=busy.clock.now(), random_bytes=busy.city.random_bytes)
        vaults.activate(busy.city.vault, name, at=busy.clock.now(), at_once=True, random_bytes=busy.city.random_bytes)
    busy.clock.set(busy.clock.now() + timedelta(hours=1))
    busy.fund(5_00, reference="AFTER")
    folder = export(busy, tmp_path / "export")
    assert verify(folder, busy.city.vault.city_keys().format()).findings == ()
    assert "seal" in {finding.code for finding in verify(folder, before).findings}
