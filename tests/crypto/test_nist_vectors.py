"""NIST's own vectors for P-256 (CAVP), and the signatures of RFC 6979, from the wheel cryptography-vectors."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from crypto import keys
from crypto.errors import InvalidSignature, MalformedMessage
from crypto.keys import SoftwareSigner
from tests.judges.wheels import judge_files


def ecdsa(name: str) -> Path:
    return judge_files("cryptography-vectors") / "cryptography_vectors" / "asymmetric" / "ECDSA" / name


def section(file: Path, name: str) -> Iterator[dict[str, str]]:
    """The cases of one section of a response file: names to values."""
    text = file.read_text().partition(f"[{name}]")[2].partition("\n[")[0]
    for block in re.split(r"\r?\n\r?\n", text.strip()):
        yield dict(re.findall(r"^(\w+) = (.*?)\s*$", block, re.MULTILINE))


def number(text: str) -> bytes:
    return bytes.fromhex(text.rjust(64, "0"))


@pytest.mark.judge
def test_cavp_signatures_are_verified_and_refused() -> None:
    verdicts = []
    for case in section(ecdsa("FIPS_186-3/SigVer.rsp"), "P-256,SHA-256"):
        key = keys.load_point(b"\x04" + number(case["Qx"]) + number(case["Qy"]))
        signature = keys.normalise(number(case["R"]) + number(case["S"]))
        try:
            keys.verify(key, bytes.fromhex(case["Msg"]), signature)
        except InvalidSignature:
            verdicts.append(("F", case["Result"][0]))
        else:
            verdicts.append(("P", case["Result"][0]))
    assert sorted(verdicts) == [("F", "F")] * 12 + [("P", "P")] * 3


@pytest.mark.judge
def test_cavp_public_keys_are_accepted_and_refused() -> None:
    verdicts = []
    for case in section(ecdsa("FIPS_186-3/PKV.rsp"), "P-256"):
        try:
            keys.load_point(b"\x04" + number(case["Qx"].rjust(64, "0")) + number(case["Qy"].rjust(64, "0")))
        except (MalformedMessage, ValueError):  # a coordinate of more than 32 bytes is not even a point's bytes
            verdicts.append(("F", case["Result"][0]))
        else:
            verdicts.append(("P", case["Result"][0]))
    assert sorted(verdicts) == [("F", "F")] * 8 + [("P", "P")] * 4


@pytest.mark.judge
def test_software_signatures_are_those_of_rfc_6979() -> None:
    text = ecdsa("RFC6979/evppkey_ecdsa_rfc6979.txt").read_text()
    pem = re.search(r"PrivateKey=P-256_PRIV\n(-.*?END PRIVATE KEY-----)", text, re.DOTALL)
    assert pem is not None
    signer = SoftwareSigner.from_pem(pem[1].encode())
    cases = re.findall(
        r'DigestSign = SHA256\nKey = P-256_PRIV\nNonceType = deterministic\nInput = "(\w+)"\nOutput = (\w+)', text
    )
    assert len(cases) == 2
    for message, output in cases:
        expected = keys.normalise(keys.der_to_raw(bytes.fromhex(output)))
        assert signer.sign(message.encode()) == expected
