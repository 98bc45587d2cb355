import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from crypto.commands import pki
from crypto.pki import CardSlot, Revoked, create_crl
from tests.crypto.authorities import NOW, Tree, years

TREE = Tree()
CARD = TREE.card(CardSlot.CARD_AUTH)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(pki, [str(argument) for argument in arguments])


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name, certificate in (("card", CARD), ("authority", TREE.authority), ("root", TREE.root)):
        (tmp_path / f"{name}.pem").write_bytes(b"some text\n" + certificate.public_bytes(Encoding.PEM))
        (tmp_path / f"{name}.der").write_bytes(certificate.public_bytes(Encoding.DER))
    return tmp_path


def crl(*revoked: Revoked) -> bytes:
    made = {"this_update": NOW, "next_update": years(3), "number": 1}
    return create_crl(revoked, issuer=TREE.authority, signer=TREE.authority_key, **made)  # type: ignore[arg-type]


def verify(files: Path, *more: str | Path) -> Result:
    above = ("--anchor", files / "root.der", "--intermediate", files / "authority.pem")
    return run("verify", files / "card.pem", *above, "--at", "2027-06-02T00:00:00Z", *more)


def test_a_good_path_is_shown_from_the_leaf_to_the_anchor(files: Path) -> None:
    result = verify(files)
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "The certificate holds.",
        "  (no name)",
        "  CN=City Card Authority",
        "  CN=City Root",
        "Revocation was not checked: no list was given.",
    ]


def test_scripts_get_one_object(files: Path) -> None:
    answer = json.loads(verify(files, "--purpose", "card", "--json").stdout)
    assert (answer["holds"], len(answer["path"]), answer["revocation_checked"]) == (True, 3, False)
    refused = verify(files, "--purpose", "server", "--json")
    assert refused.exit_code == 1
    assert json.loads(refused.stdout)["code"] == "untrusted_certificate"


def test_a_revoked_card_does_not_hold(files: Path) -> None:
    (files / "list.crl").write_bytes(crl(Revoked(CARD.serial_number, NOW)))
    anchored = ("--anchor", files / "authority.der", "--at", "2027-06-02T00:00:00Z", "--crl", files / "list.crl")
    result = run("verify", files / "card.der", *anchored)
    assert (result.exit_code, "revoked" in result.stderr) == (1, True)
    (files / "list.crl").write_bytes(crl())
    assert run("verify", files / "card.der", *anchored).exit_code == 0


@pytest.mark.parametrize(
    "option",
    [("--at", "yesterday"), ("--purpose", "all"), ("--policy", "x"), ("--crl", "nowhere"), ("--name", "ñ.example")],
)
def test_what_cannot_be_read_is_said_in_one_sentence(files: Path, option: tuple[str, str]) -> None:
    result = verify(files, *option)
    assert result.exit_code == 1
    assert result.stderr.startswith("The certificate does not hold. ")
    assert "Traceback" not in result.output


def test_show_describes_certificates_and_lists(files: Path) -> None:
    (files / "list.crl").write_bytes(crl(Revoked(5, NOW)))
    (item,) = json.loads(run("show", files / "root.pem", "--json").stdout)["items"]
    assert (item["subject"], item["serial"]) == ("CN=City Root", f"{2**64 + 1:x}")
    (listed,) = json.loads(run("show", files / "list.crl", "--json").stdout)["items"]
    assert (listed["issuer"], listed["revoked"]) == ("CN=City Card Authority", 1)
    assert "CN=City Root" in run("show", files / "root.der").output
    (files / "other").write_bytes(b"hello")
    assert run("show", files / "other").exit_code == 1


def case(case_id: str, expected: str, anchor: x509.Certificate) -> dict[str, object]:
    def pem(certificate: x509.Certificate) -> str:
        return certificate.public_bytes(Encoding.PEM).decode()

    return {
        "id": case_id,
        "validation_kind": "CLIENT",
        "expected_result": expected,
        "trusted_certs": [pem(anchor)],
        "untrusted_intermediates": [pem(TREE.authority), "no certificate"],
        "peer_certificate": pem(TREE.card(CardSlot.AUTHENTICATION)),
        "validation_time": "2027-06-02T00:00:00+00:00",
        "extended_key_usage": [],
        "expected_peer_name": None,
        "max_chain_depth": None,
        "crls": [],
    }


def test_a_file_of_cases_is_compared_with_what_it_expects(tmp_path: Path) -> None:
    good, bad = case("good", "SUCCESS", TREE.root), case("bad", "FAILURE", TREE.terminal)
    file = tmp_path / "cases.json"
    file.write_text(json.dumps({"version": 1, "testcases": [good, bad]}))
    answer = run("check-cases", file, "--json")
    assert answer.exit_code == 0
    assert [item["actual_result"] for item in json.loads(answer.stdout)["results"]] == ["SUCCESS", "FAILURE"]
    file.write_text(json.dumps({"version": 1, "testcases": [case("wrong", "SUCCESS", TREE.terminal)]}))
    answer = run("check-cases", file)
    assert (answer.exit_code, "0 of 1 cases as expected" in answer.output) == (1, True)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"testcases": [{}]}', "[" * 5_000])
def test_another_file_is_said_to_be_another_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "cases.json").write_text(text)
    result = run("check-cases", tmp_path / "cases.json", "--json")
    assert (result.exit_code, json.loads(result.stdout)["code"]) == (1, "malformed")
