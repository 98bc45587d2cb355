"""The whole service under fire: sixteen validators upload signed taps while the service and its database are killed.

A validator knows nothing of kills: it sends a batch until it is answered, sometimes once more, sometimes in parts. In
the end every tap it made is in the books once, under its signature, in the log, and its receipt verifies offline.
"""

import base64
import os
import random
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import urllib3

from cardsvc import app, db
from cardsvc.clock import FixedClock, SystemClock  # noqa: TID251 - the service beside it has the machine's clock
from cardsvc.vault import Vault
from crypto.wire.receipt import CityKeys, verify_receipt
from crypto.wire.transaction import Purpose
from demo import processes
from tests import builders, postgres
from tests.fixtures.core import PASSPHRASE
from tests.simulation.test_bank import kill_a_session
from tests.town import BUS_CENTS, Person, Terminal, Town, tap

WRITERS = 16
SECONDS = float(os.environ.get("CITY_BANK_SECONDS", "60")) / 2
RIDES_CENTS = 100_00  # what each rider paid in: some will owe the rest
DATABASE = "bank"
KILLS_MIN = 4


@pytest.fixture
def server() -> Iterator[postgres.Server]:
    """A server of the test's own: it will not survive."""
    with postgres.running_server() as started:
        yield started


@dataclass(slots=True)
class Told:
    """What the service has told one validator, by record."""

    made: set[UUID] = field(default_factory=set)
    receipts: dict[UUID, str] = field(default_factory=dict)
    failures: int = 0


def town_on(url: str, home: Path) -> Town:
    """A town of the present day: the service that runs beside it has a real clock."""
    environment = processes.environment(
        HOME=str(home), DATABASE_URL=url, ENV="test", VAULT_PASSPHRASE=PASSPHRASE, LOG_ORIGIN="city.example/log"
    )
    subprocess.run([sys.executable, "-m", "cli", "init"], env=environment, check=True, capture_output=True)
    vault = Vault.open(home / "vault", PASSPHRASE)
    clock = FixedClock(SystemClock().now())
    city = builders.make_city(db.make_engine(url), vault, clock, random_bytes=secrets.token_bytes, home=home)
    return Town(city, app.app_of(city).test_client(), clock)


def ride(validator: Terminal, riders: list[Person], service: str, stop: threading.Event, seed: int) -> Told:
    """Tap and upload until told to stop; every batch until it is answered."""
    chance, told = random.Random(seed), Told()
    pool = urllib3.PoolManager(retries=False, timeout=20)
    while not stop.is_set():
        items = []
        for _ in range(chance.choice((1, 1, 2, 8))):
            record_id, item = validator.make(tap(), chance.choice(riders).signs(Purpose.PRESENCE))
            told.made.add(record_id)
            items.append(item)
        cut = chance.randrange(len(items) + 1) if chance.random() < 0.2 else len(items)
        for part in (items[:cut], items[cut:], items if chance.random() < 0.2 else []):
            if part:
                until_answered(pool, f"{service}/v1/transactions", validator.batch(part), told)
    return told


def until_answered(pool: urllib3.PoolManager, url: str, raw: bytes, told: Told) -> None:
    while True:
        try:
            answer = pool.request("POST", url, body=raw, headers={"Content-Type": "application/cbor"})
        except urllib3.exceptions.HTTPError:
            told.failures += 1
            time.sleep(0.1)
            continue
        if answer.status == 200:
            break
        assert answer.status >= 500, answer.data
        told.failures += 1
        time.sleep(0.1)
    results: list[dict[str, Any]] = answer.json()["results"]
    for result in results:
        assert result["outcome"] == "accepted", result
        first = told.receipts.setdefault(UUID(result["record_id"]), result["receipt"])
        assert first == result["receipt"], "the same receipt every time"


@pytest.mark.postgres
@pytest.mark.timeout(SECONDS + 270)
def test_every_tap_counts_once_whatever_is_killed(server: postgres.Server, tmp_path: Path) -> None:
    url = server.create(DATABASE)
    town = town_on(url, tmp_path / "home")
    town.tariff(capped=False)
    till = town.till()
    riders = [town.rich_person(RIDES_CENTS, till) for _ in range(12)]
    validators = [town.validator() for _ in range(WRITERS)]
    before = town.count("transaction")
    town.city.engine.dispose()
    port = processes.free_port()
    service = f"http://127.0.0.1:{port}"
    environment = processes.environment(
        HOME=str(tmp_path / "home"), DATABASE_URL=url, ENV="test", VAULT_PASSPHRASE=PASSPHRASE, PORT=str(port)
    )
    program = processes.Program("service", ["serve"], environment, tmp_path / "service.log")
    program.start()
    stop = threading.Event()
    try:
        program.wait_until(lambda: processes.is_healthy(service))
        with ThreadPoolExecutor(WRITERS) as pool:
            tasks = [pool.submit(ride, v, riders, service, stop, seed) for seed, v in enumerate(validators)]
            try:
                kills = kill_things(program, service, server, time.monotonic() + SECONDS)
            finally:
                stop.set()
            told = [task.result() for task in tasks]
    finally:
        program.stop()
    assert kills >= KILLS_MIN
    assert sum(each.failures for each in told) > 0, "the kills were felt"
    try:
        check_what_is_kept(town, riders, told, before)
    finally:
        town.city.engine.dispose()


def kill_things(program: processes.Program, service: str, server: postgres.Server, end: float) -> int:
    chance = random.Random(20261122)
    kills = 0
    while kills < KILLS_MIN or time.monotonic() < end:
        time.sleep(chance.uniform(1.5, 4))
        if chance.random() < 0.3:
            kill_a_session(server, chance, DATABASE)
        else:
            program.kill()
            program.start()
        program.wait_until(lambda: processes.is_healthy(service))
        kills += 1
    return kills


def check_what_is_kept(town: Town, riders: list[Person], told: list[Told], before: int) -> None:
    made = set().union(*(each.made for each in told))
    receipts = {record_id: receipt for each in told for record_id, receipt in each.receipts.items()}
    assert receipts.keys() == made, "every tap was answered in the end"
    assert town.count("transaction") == before + len(made)
    paid = sum(RIDES_CENTS - town.balance(rider) + town.owed(rider) for rider in riders)
    assert paid == len(made) * BUS_CENTS
    town.check()
    keys: CityKeys = town.keys()
    for record_id, receipt in receipts.items():
        assert (
            verify_receipt(base64.urlsafe_b64decode(receipt + "=" * (-len(receipt) % 4)), keys).record_id == record_id
        )
