"""What breaks in at the terminals' door: too large, too deep, doubled, with other content; each refused by its code."""

import cbor2
import pytest

from crypto import cose, keys
from crypto.wire import batch as wire_batch
from crypto.wire.batch import Batch, sign_batch
from crypto.wire.transaction import Purpose, Transaction
from tests.town import BUS_CENTS, Terminal, Town, tap

P = Purpose.PRESENCE
MIB = 1024 * 1024


@pytest.fixture
def validator(town: Town) -> Terminal:
    town.tariff()
    return town.validator()


def code(town: Town, raw: bytes) -> tuple[int, str]:
    before = [town.count(table) for table in ("batch", "transaction", "refused_item", "entry", "device_missing")]
    answer = town.client.post("/v1/transactions", data=raw, content_type="application/cbor")
    assert [town.count(t) for t in ("batch", "transaction", "refused_item", "entry", "device_missing")] == before
    return answer.status_code, answer.get_json()["code"]


def signed(terminal: Terminal, payload: bytes) -> bytes:
    """A batch whose signature is right, whatever it encloses."""
    signer = terminal.enrolled.signer
    return cose.sign1(payload, signer, kid=keys.key_id(signer.public_key), external_aad=wire_batch.AAD)


def test_batches_beyond_any_measure_are_refused_before_they_are_read(town: Town, validator: Terminal) -> None:
    assert code(town, bytes(10 * MIB)) == (413, "body_too_large")
    assert code(town, signed(validator, cbor2.dumps([bytes(4 * MIB)]))) == (422, "malformed")


@pytest.mark.parametrize("bomb", [b"\x81" * 100_000 + b"\x00", b"\xa1\x00" * 100_000 + b"\x00", b"\xd8\x18" * 50_000])
def test_depth_bombs_are_refused(town: Town, validator: Terminal, bomb: bytes) -> None:
    assert code(town, bomb) == (422, "malformed")
    assert code(town, signed(validator, bomb)) == (422, "malformed")
    [result] = validator.send([bomb])
    assert (result.reason, result.receipt) == ("malformed", None)
    inside = Transaction(bomb[:8000], ()).encode()
    [result] = validator.send([inside])
    assert result.reason == "malformed"


def test_lengths_that_lie_are_refused(town: Town, validator: Terminal) -> None:
    for lie in (b"\x9b" + b"\xff" * 8, b"\x5b" + b"\x7f" * 8, b"\xbb" + b"\xff" * 8, b"\x9f", b"\x5f"):
        assert code(town, lie) == (422, "malformed")
        assert code(town, signed(validator, lie)) == (422, "malformed")
        assert validator.send([lie])[0].reason == "malformed"


def test_too_many_items_are_refused_whole(town: Town, validator: Terminal) -> None:
    batch = Batch(town.key(), validator.device_id, 0, 0, ())
    parts = cbor2.loads(cose.parse(sign_batch(batch, validator.enrolled.signer)).payload or b"")
    parts[-1] = [b""] * 4097
    assert code(town, signed(validator, cbor2.dumps(parts))) == (422, "malformed")


def test_the_same_id_with_the_same_and_with_other_content(town: Town, validator: Terminal) -> None:
    """exists, same: the first answer again; exists, different: a code of its own, and nothing moves."""
    ana = town.rich_person(100_00)
    record_id, one = validator.make(tap(), ana.signs(P))
    _, other = validator.make(tap(), ana.signs(P), record_id=record_id)
    first = validator.send([one])[0]
    same, different = validator.send([one])[0], validator.send([other])[0]
    assert (same.outcome, same.replayed, same.receipt) == ("accepted", True, first.receipt)
    assert (different.outcome, different.reason, different.replayed) == ("rejected", "record_id_conflict", False)
    assert different.receipt is None
    assert town.balance(ana) == 100_00 - BUS_CENTS
    town.check()


def test_a_record_in_anothers_name_under_a_taken_id_is_a_conflict_for_whoever_sends_it(
    town: Town, validator: Terminal
) -> None:
    ana, ben = town.rich_person(100_00), town.rich_person(100_00)
    record_id, one = validator.make(tap(), ana.signs(P))
    assert validator.send([one])[0].outcome == "accepted"
    other = town.validator()
    _, stolen = other.make(tap(), ben.signs(P), record_id=record_id)
    assert other.send([stolen])[0].reason == "record_id_conflict"
    assert town.balance(ben) == 100_00
    town.check()


def test_a_batch_signed_by_another_enrolled_terminal_is_not_its_own(town: Town, validator: Terminal) -> None:
    other = town.validator()
    raw = sign_batch(Batch(town.key(), validator.device_id, 0, 0, ()), other.enrolled.signer)
    assert code(town, raw) == (422, "invalid_signature")
