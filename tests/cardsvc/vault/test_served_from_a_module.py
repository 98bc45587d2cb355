"""The whole service on a module: its processes are forked, and another process changes a key under it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import urllib3

from cardsvc.vault.modulestore import Module
from crypto.errors import InvalidSignature
from crypto.wire.citykeys import CityKeys
from crypto.wire.policy import open_policy
from demo.processes import HOST, Program, free_port, is_healthy
from tests.hsm_fixtures import SoftHsm

CHECKOUT = Path(__file__).parents[3]


def test_forked_workers_sign_and_take_up_a_new_key(hsm: Module, softhsm: SoftHsm, tmp_path: Path) -> None:
    (tmp_path / "pin").write_text(hsm.pin)
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CITY_")} | {
        "SOFTHSM2_CONF": softhsm.environment["SOFTHSM2_CONF"],
        "CITY_ENV": "test",
        "CITY_HOME": str(tmp_path / "home"),
        "CITY_PORT": str(port),
        "CITY_VAULT_MODULE": str(hsm.library),
        "CITY_VAULT_TOKEN": hsm.token,
        "CITY_VAULT_PIN_FILE": str(tmp_path / "pin"),
        "PYTHONPATH": str(CHECKOUT),
    }

    def city(*arguments: str) -> None:
        subprocess.run([sys.executable, "-m", "cli", *arguments], env=environment, check=True, capture_output=True)

    def get(path: str) -> bytes:
        return urllib3.request("GET", f"http://{HOST}:{port}{path}").data

    city("init")
    service = Program("service", ["serve"], environment, tmp_path / "log")
    service.start()
    try:
        service.wait_until(lambda: is_healthy(f"http://{HOST}:{port}"))
        before = get("/v1/policy")
        city("vault", "rotate", "policy")
        city("vault", "activate", "policy", "--at-once")
        keys = CityKeys.parse(get("/v1/keys").decode())
        assert len(keys.policy) == 2
        for signed in (before, get("/v1/policy")):
            open_policy(signed, keys)
        with pytest.raises(InvalidSignature, match="not among the city's policy keys"):
            open_policy(get("/v1/policy"), CityKeys(keys.receipt, keys.logs, keys.policy[1:]))
    finally:
        service.stop()
    assert hsm.pin not in (tmp_path / "log").read_text()
