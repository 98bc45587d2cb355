"""The city's keys change; what the older ones signed is proved still. Here each test has a vault of its own."""

import random
from datetime import timedelta
from pathlib import Path

import pytest

from cardsvc import vault as vaults
from cardsvc.settings import CHEAP
from cardsvc.vault import KeyName, Vault
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
