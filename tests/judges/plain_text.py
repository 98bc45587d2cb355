"""What plain-text accounting programs make of a journal of ours: every account's balance, by their own arithmetic."""

import json
import subprocess
from decimal import Decimal
from pathlib import Path

from tests import judging
from tests.judges.environments import judge_python

_BEANCOUNT = """
import json, sys
from beancount import loader
from beancount.core import data
entries, errors, _ = loader.load_file(sys.argv[1])
sums = {}
for entry in entries:
    if isinstance(entry, data.Open):
        sums.setdefault(entry.account, 0)
    elif isinstance(entry, data.Transaction):
        for posting in entry.postings:
            sums[posting.account] += posting.units.number
print(json.dumps({"errors": [error.message for error in errors], "sums": {name: str(n) for name, n in sums.items()}}))
"""


class Refused(Exception):
    """The program found something wrong with the journal; the message is its own."""


def hledger(journal: Path) -> dict[str, int]:
    """hledger's balance of every account, in cents. Raises: Refused."""
    program = judging.require("hledger")
    report = _run([program, "-f", str(journal), "balance", "--flat", "--no-total", "--empty", "-O", "json"])
    rows, _ = json.loads(report)
    return {
        name: sum(
            int(Decimal(amount["aquantity"]["decimalMantissa"]) * 100 / 10 ** amount["aquantity"]["decimalPlaces"])
            for amount in amounts
        )
        for name, _full, _depth, amounts in rows
    }


def ledger_cli(journal: Path) -> dict[str, int]:
    """ledger-cli's balance of every account that anything was posted to, in cents. Raises: Refused."""
    program = judging.require("ledger")
    form = "%(account)\t%(quantity(scrub(display_amount)))\n%/"
    report = _run([program, "-f", str(journal), "balance", "--flat", "--no-total", "--empty", "--format", form])
    pairs = (line.rsplit("\t", 1) for line in report.splitlines() if line)
    return {name: int(Decimal(amount) * 100) for name, amount in pairs}


def beancount(journal: Path) -> dict[str, int]:
    """beancount's balance of every account, in cents, after bean-check had nothing to say. Raises: Refused."""
    python = judge_python("beancount")
    check = Path(python).with_name("bean-check")
    _run([str(check), "--no-cache", str(journal)])
    told = json.loads(_run([python, "-c", _BEANCOUNT, str(journal)]))
    if told["errors"]:
        raise Refused("; ".join(told["errors"]))
    return {name: int(Decimal(amount) * 100) for name, amount in told["sums"].items()}


JUDGES = {"hledger": hledger, "ledger": ledger_cli, "beancount": beancount}


def _run(arguments: list[str]) -> str:
    done = subprocess.run(arguments, check=False, capture_output=True, text=True)
    if done.returncode:
        raise Refused(done.stderr or done.stdout)
    return done.stdout
