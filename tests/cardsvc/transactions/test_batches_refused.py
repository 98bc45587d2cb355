"""Batches that are refused whole, and chains that have gaps and forks."""

from datetime import timedelta
from uuid import UUID

import pytest

from cardsvc import db, devices
from crypto.keys import SoftwareSigner
from crypto.wire.batch import Batch, sign_batch
from crypto.wire.transaction import Purpose
from tests.builders import OFFICER
from tests.town import Terminal, Town, tap

P = Purpose.PRESENCE
STRANGER = SoftwareSigner.from_secret(4711)


@pytest.fixture
def validator(town: Town) -> Terminal:
    town.tariff()
    return town.validator()


def refused_whole(town: Town, raw: bytes, status: int, code: str) -> str:
    """The batch is refused with one sentence, and nothing of it is stored anywhere."""
    tables = ("batch", "transaction", "refused_item", "entry", "log_leaf", "device_anomaly")
    before = [town.count(table) for table in tables]
    answer = town.client.post("/v1/transactions", data=raw, content_type="application/cbor")
    assert (answer.status_code, answer.get_json()["code"]) == (status, code), answer.text
    assert [town.count(table) for table in tables] == before
    return str(answer.get_json()["detail"])


def test_a_forged_terminal_signature_refuses_the_whole_batch(town: Town, validator: Terminal) -> None:
    ana = town.person()
    _, item = validator.make(tap(), ana.signs(P))
    forged = sign_batch(Batch(town.key(), validator.device_id, db.to_ms(town.clock.now()), 0, (item,)), STRANGER)
    detail = refused_whole(town, forged, 422, "invalid_signature")
    assert detail.count(".") == 1
    raw = bytearray(validator.batch([item]))
    raw[-1] ^= 1
    refused_whole(town, bytes(raw), 422, "invalid_signature")
    assert validator.send([item])[0].outcome == "accepted"


def test_a_terminal_that_nobody_enrolled_is_told_where_to_ask(town: Town) -> None:
    raw = sign_batch(Batch(town.key(), UUID(int=77), db.to_ms(town.clock.now()), 0, (b"x",)), STRANGER)
    detail = refused_whole(town, raw, 401, "unknown_terminal")
    assert "enrolment code" in detail


def test_a_revoked_terminal_sends_nothing_any_more(town: Town, validator: Terminal) -> None:
    ana = town.person()
    _, item = validator.make(tap(), ana.signs(P))
    device_id, now = validator.device_id, town.clock.now()
    town.run(lambda session: devices.revoke(session, device_id, by=OFFICER, reason="Stolen from the bus", now=now))
    refused_whole(town, validator.batch([item]), 403, "terminal_revoked")
    town.check()


def test_what_is_no_batch_is_refused_in_a_sentence(town: Town) -> None:
    for raw in (b"", b"\xd2", b"{}", b"\xd2\x80", bytes(5000), bytes(4 * 1024 * 1024 + 1)):
        assert refused_whole(town, raw, 422, "malformed").endswith(".")


def test_gaps_and_forks_are_reported_and_nothing_is_dropped_for_them(town: Town, validator: Terminal) -> None:
    ana = town.person()
    _, one = validator.make(tap(), ana.signs(P))
    _, lost = validator.make(tap(), ana.signs(P))
    _, three = validator.make(tap(), ana.signs(P))
    assert [result.outcome for result in validator.send([one, three])] == ["accepted", "accepted"]
    validator.sequence = 2  # a copy of the terminal that was made after its second record
    _, forked = validator.make(tap(), ana.signs(P), at=town.clock.now() + timedelta(seconds=9))
    assert validator.send([forked])[0].outcome == "accepted"
    seen = town.run(lambda session: devices.anomalies(session, validator.device_id))
    assert [(anomaly.kind.value, anomaly.sequence) for anomaly in seen] == [("gap", 2), ("fork", 3)]
    assert validator.send([lost])[0].outcome == "accepted"  # late, and no third anomaly
    assert town.run(lambda session: devices.anomalies(session, validator.device_id)) == seen
    town.check()
