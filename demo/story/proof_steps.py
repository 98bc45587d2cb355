"""The proof: the books by the service's own commands, the log and a receipt by whoever holds the city's public keys."""

import base64
import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, Final

from crypto.errors import CryptoError
from crypto.tlog import open_checkpoint, verify_consistency
from crypto.wire.citykeys import CityKeys
from demo.cast import FINANCE
from demo.processes import ROOT, environment
from demo.story import life as story
from demo.story.life import Life
from demo.story.stage import Stage
from demo.story.values import Check, Done
from terminals.settings import TerminalKind

_SECONDS: Final = 60


def books(stage: Stage, life: Life) -> Done:
    """Trial balance over HTTP; then `./city audit check`, which recomputes everything from the signatures up."""
    del life
    difference = stage.office.call("GET", "/v1/finance/trial-balance", FINANCE)["difference_cents"]
    found = _city(stage.service.environment, "audit", "check", "--json")
    counts = found.get("transactions", {})
    log = found.get("log", {})
    checks = (
        Check("The trial balance is zero", difference == 0, f"difference {difference}"),
        _held("The books hold", found.get("books", {})),
        _held("Every entry stands on a verified signature", counts),
        _held("The log is what was signed", log),
        Check(
            "Nothing is lost, nothing doubled",
            counts.get("transactions") == story.RECORDS,
            f"{counts.get('transactions')} records of {story.RECORDS}",
        ),
    )
    return Done({"entries": counts.get("entries"), "authorisations": counts.get("authorisations")}, checks)


def _held(name: str, result: Mapping[str, Any]) -> Check:
    if not result.get("ok"):
        return Check(name, ok=False, detail=str(result.get("message", "there was no answer")))
    counts = ", ".join(f"{count} {what}" for what, count in result.items() if what != "ok")
    return Check(name, ok=True, detail=counts)


def log(stage: Stage, life: Life) -> Done:
    """That the log of now begins with the log of the first top-up, and that the receipt holds; the service is off."""
    station = stage.station(TerminalKind.KIOSK)
    keys = stage.folder / "city-keys.txt"
    keys.write_text(station.identity.city_keys)
    receipt = stage.folder / "receipt.cose"
    receipt.write_bytes(life.receipt)
    city_keys = CityKeys.parse(station.identity.city_keys)
    note = stage.wire("GET", "/log/checkpoint", {}, None).body.decode()
    early = open_checkpoint(life.early_checkpoint, city_keys.logs)
    late = open_checkpoint(note, city_keys.logs)
    asked = f"/log/proof/consistency?old_size={early.size}&new_size={late.size}"
    proof = [_bytes(item) for item in json.loads(stage.wire("GET", asked, {}, None).body)["proof"]]
    stage.service.stop()
    try:
        verify_consistency(early.size, late.size, proof, early.root, late.root)
        consistent = True
    except CryptoError:
        consistent = False
    found = _city(environment(), "receipt", "verify", str(receipt), "--city-key", str(keys), "--json")
    is_payment = found.get("record_id") == str(life.payment)
    checks = (
        Check("The log only grew", consistent, f"{early.size} leaves, then {late.size}; proven offline"),
        Check(
            "The receipt holds, with nothing but the city's public keys",
            bool(found.get("holds")) and is_payment,
            f"{found.get('kind')}, {found.get('amount_cents')} centavos, {found.get('official_number')}",
        ),
    )
    return Done({"tree_size": late.size, "official_number": found.get("official_number")}, checks)


def _city(environ: Mapping[str, str], *arguments: str) -> dict[str, Any]:
    """`./city ARGUMENTS` as a process; its one JSON object, empty when there was none."""
    done = subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        env={**environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=_SECONDS,
        check=False,
    )
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        return {}
    return answer if done.returncode == 0 or "ok" in answer else {}


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
