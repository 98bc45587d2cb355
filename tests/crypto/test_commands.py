import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from crypto.commands import receipt
from crypto.keys import Ed25519Signer, SoftwareSigner
from crypto.tlog import Checkpoint, NoteSigner, leaf_hash, sign_checkpoint
from crypto.wire import printed
from crypto.wire.citykeys import CityKeys
from crypto.wire.ids import uuid7
from crypto.wire.receipt import peek_receipt, sign_receipt
from tests.testdata import vectors

CONTENT = json.loads(vectors("wire-v1.json").read_text())


def message(name: str) -> bytes:
    return next(bytes.fromhex(case["hex"]) for case in CONTENT["cases"] if case["name"] == name)


ACCEPTED = message("receipt of an accepted tap")
REJECTED = message("receipt of a rejected tap")


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    file = tmp_path / "keys.txt"
    file.write_text(CONTENT["city_keys"])
    return file


def verify(file: Path, data: bytes, *options: str) -> Result:
    (file.parent / "receipt").write_bytes(data)
    return CliRunner().invoke(receipt, ["verify", str(file.parent / "receipt"), "--city-key", str(file), *options])


def test_a_good_receipt_holds_and_says_what_when_and_where(keys: Path) -> None:
    result = verify(keys, ACCEPTED)
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "The receipt holds: the city signed it, and the city's log contains it.",
        "  what      tap, PHP 15.00: accepted",
        "  made      2026-05-28 20:26:40 UTC as record 019e7044-8800-7000-8000-000000000001",
        "  recorded  2026-05-28 20:26:41 UTC",
        "  official  receipt OR-2026-000001",
        "  entry     000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "  log       city.example/log, leaf 3 of 5",
    ]


def test_an_id_that_names_no_possible_time_does_not_hide_a_good_receipt(keys: Path) -> None:
    """The sender makes the id, and the service takes any UUIDv7."""
    signer, log = SoftwareSigner.from_secret(1), NoteSigner("city.example/log", Ed25519Signer.from_secret(2))
    record_id = uuid7(2**48 - 1, bytes(10))
    made = replace(peek_receipt(ACCEPTED), record_id=record_id, leaf_index=0, tree_size=1, inclusion_proof=())
    head = Checkpoint(log.name, 1, leaf_hash(made.leaf()))
    data = sign_receipt(replace(made, checkpoint=sign_checkpoint(head, [log])), signer)
    keys.write_text(CityKeys((signer.public_key,), (log.verifier,), ()).format())
    result = verify(keys, data)
    assert result.exit_code == 0
    assert f"made      at no time that can be as record {record_id}" in result.output


def test_a_rejection_is_a_receipt_too(keys: Path) -> None:
    result = verify(keys, REJECTED)
    assert result.exit_code == 0
    assert "tap: rejected (insufficient funds)" in result.output


def test_scripts_get_one_object(keys: Path) -> None:
    answer = json.loads(verify(keys, ACCEPTED, "--json").stdout)
    assert (answer["holds"], answer["outcome"], answer["amount_cents"]) == (True, "accepted", 1500)
    assert answer["recorded_at"] == "2026-05-28T20:26:41Z"
    assert (answer["log"], answer["leaf_index"], answer["tree_size"]) == ("city.example/log", 3, 5)


def test_the_text_form_of_a_receipt_is_the_same_receipt(keys: Path) -> None:
    text = base64.urlsafe_b64encode(ACCEPTED).rstrip(b"=")
    assert verify(keys, text).output == verify(keys, ACCEPTED).output
    assert verify(keys, text[:70] + b"\n" + text[70:] + b"\n").exit_code == 0


@pytest.mark.parametrize(
    "case",
    [case for case in CONTENT["cases"] if case["message"] == "receipt" and case["error"]],
    ids=lambda c: c["name"],
)
def test_every_bad_receipt_fails_with_one_sentence_and_its_code(keys: Path, case: dict[str, str]) -> None:
    data = bytes.fromhex(case["hex"])
    result = verify(keys, data)
    assert result.exit_code == 1
    assert result.stderr.startswith("The receipt does not hold. ")
    assert result.stderr.count("\n") == 1
    answer = verify(keys, data, "--json")
    assert answer.exit_code == 1
    assert (json.loads(answer.stdout)["holds"], json.loads(answer.stdout)["code"]) == (False, case["error"])


@pytest.mark.parametrize("data", [b"", b"not a receipt!", b"\xff" * 20, bytes(100_000)])
def test_another_file_is_said_to_be_another_file(keys: Path, data: bytes) -> None:
    result = verify(keys, data)
    assert result.exit_code == 1
    assert "Traceback" not in result.output


def test_missing_files_are_named(keys: Path) -> None:
    missing = CliRunner().invoke(receipt, ["verify", "nowhere", "--city-key", str(keys)])
    assert (missing.exit_code, "nowhere cannot be read" in missing.stderr) == (1, True)
    no_keys = CliRunner().invoke(receipt, ["verify", str(keys), "--city-key", "nowhere.txt"])
    assert (no_keys.exit_code, "nowhere.txt cannot be read" in no_keys.stderr) == (1, True)


def test_the_key_file_can_come_from_the_environment(keys: Path) -> None:
    (keys.parent / "receipt").write_bytes(ACCEPTED)
    result = CliRunner().invoke(receipt, ["verify", str(keys.parent / "receipt")], env={"CITY_KEYS": str(keys)})
    assert result.exit_code == 0


@pytest.mark.parametrize("line", ["receipt AAAA", "receipt !!", "log nothing", "other AAAA", "policy"])
def test_a_key_file_with_a_bad_line_names_the_line(keys: Path, line: str) -> None:
    keys.write_text(f"# keys\n{line}\n")
    result = verify(keys, ACCEPTED)
    assert result.exit_code == 1
    assert "Line 2 of the key file" in result.stderr


def test_keys_of_another_city_do_not_do(keys: Path) -> None:
    keys.write_text("# none\n")
    result = verify(keys, ACCEPTED)
    assert (result.exit_code, "not among the city's receipt keys" in result.stderr) == (1, True)


def test_what_the_code_of_a_printed_receipt_says_is_verified_too(keys: Path, tmp_path: Path) -> None:
    scanned = tmp_path / "scanned.txt"
    letters = printed.to_text(ACCEPTED)
    for text, status in ((letters, 0), (letters[:-8], 1)):
        scanned.write_text(f"https://card.example.ph/verify#{text}\n")
        result = CliRunner().invoke(receipt, ["verify", str(scanned), "--city-key", str(keys)])
        assert result.exit_code == status, result.output
