"""OpenSC reads, signs and changes PINs on our card as on any PIV card (judge: OpenSC 0.23, openssl)."""

import hashlib
import os
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from terminals.card import CardSettings, ManagementAlgorithm, PrivatePcscd, Slot, VirtualReader
from tests.card_builders import CARD_ID, PIN, PUK, IssuedCard, issued_card, management_key
from tests.judging import require, require_file
from tests.pcsc_fixtures import PcscSlot

pytestmark = [pytest.mark.pcsc, pytest.mark.judge]

DIGEST = hashlib.sha256(b"what is signed").digest()
OPENSC_ID = {Slot.AUTHENTICATION: "01", Slot.SIGNATURE: "02", Slot.CARD_AUTHENTICATION: "04"}
MULTIARCH = sysconfig.get_config_var("MULTIARCH") or "x86_64-linux-gnu"
MODULES = {"opensc-pkcs11": "opensc-pkcs11.so", "ykcs11": "libykcs11.so"}  # Debian package: file


class Bench:
    """A card in a slot and foreign programs that look at it."""

    def __init__(self, slot: PcscSlot, issued: IssuedCard, folder: Path) -> None:
        self.slot = slot
        self.issued = issued
        self.folder = folder
        self.digest = folder / "digest"
        self.digest.write_bytes(DIGEST)
        slot.insert(issued.card)

    def run(self, *command: str, extra: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
        tool = require(command[0], "opensc")
        return subprocess.run(
            [tool, "--reader", self.slot.reader_name, *command[1:]],
            env=self.slot.environment | (extra or {}),
            check=False,
            capture_output=True,
            timeout=60,
        )

    def sign(self, slot: Slot, *pin: str) -> subprocess.CompletedProcess[bytes]:
        signature = self.folder / "signature"
        signature.unlink(missing_ok=True)
        name = ("-k", OPENSC_ID[slot])
        files = ("-i", str(self.digest), "-o", str(signature))
        return self.run("pkcs15-crypt", "-s", "--sha-256", "-f", "openssl", *name, *files, *pin)

    def verifies(self, slot: Slot) -> bool:
        """Ask openssl, with the public key the issuer remembers."""
        key = self.folder / "key.pem"
        public_key = self.issued.public_keys[slot]
        key.write_bytes(public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        files = ["-inkey", str(key), "-in", str(self.digest), "-sigfile", str(self.folder / "signature")]
        command = [require("openssl"), "pkeyutl", "-verify", "-pubin", *files]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0


@pytest.fixture
def bench(pcsc_slot: PcscSlot, issued: IssuedCard, tmp_path: Path) -> Iterator[Bench]:
    yield Bench(pcsc_slot, issued, tmp_path)
    pcsc_slot.remove()


def test_opensc_knows_the_card_and_reads_what_was_issued(bench: Bench) -> None:
    checks = 0
    assert bench.run("opensc-tool", "-n").stdout.decode().strip() == "Personal Identity Verification Card"
    checks += 1
    dump = bench.run("pkcs15-tool", "-D").stdout.decode()
    assert CARD_ID.hex in dump
    for name in ("PIV AUTH key", "SIGN key", "CARD AUTH key"):
        assert f"Private EC Key [{name}]" in dump
    checks += 1
    for slot, der in bench.issued.certificates.items():
        pem = bench.run("pkcs15-tool", "--read-certificate", OPENSC_ID[slot]).stdout
        openssl = [require("openssl"), "x509", "-outform", "DER"]
        assert subprocess.run(openssl, input=pem, check=True, capture_output=True).stdout == der
        checks += 1
    assert checks == 5


def test_opensc_signs_with_9e_without_pin_and_with_9c_with_it(bench: Bench) -> None:
    assert bench.sign(Slot.CARD_AUTHENTICATION).returncode == 0
    assert bench.verifies(Slot.CARD_AUTHENTICATION)
    assert bench.sign(Slot.SIGNATURE, "--pin", PIN.decode()).returncode == 0
    assert bench.verifies(Slot.SIGNATURE)
    # the controls: another digest, another key, a wrong PIN
    assert not bench.verifies(Slot.CARD_AUTHENTICATION)
    bench.digest.write_bytes(bytes(32))
    assert not bench.verifies(Slot.SIGNATURE)
    wrong = bench.sign(Slot.SIGNATURE, "--pin", "000000")
    assert b"PIN code or key incorrect" in wrong.stderr + wrong.stdout
    assert not (bench.folder / "signature").exists()
    assert bench.issued.card.state.pin_tries_left == 4


def test_opensc_changes_the_pin_and_opens_it_with_the_puk(bench: Bench) -> None:
    changed = bench.run("pkcs15-tool", "--change-pin", "--pin", PIN.decode(), "--new-pin", "11223344")
    assert changed.returncode == 0, changed.stderr
    assert bench.issued.card.state.pin == b"11223344"
    opened = bench.run("pkcs15-tool", "--unblock-pin", "--puk", PUK.decode(), "--new-pin", "654321")
    assert opened.returncode == 0, opened.stderr
    assert bench.issued.card.state.pin == b"654321\xff\xff"
    refused = bench.run("pkcs15-tool", "--unblock-pin", "--puk", "00000000", "--new-pin", "111111")
    assert refused.returncode != 0
    assert bench.issued.card.state.puk_tries_left == 4
    assert bench.issued.card.state.pin == b"654321\xff\xff"


@pytest.mark.parametrize(
    "algorithm",
    [ManagementAlgorithm.TDES, ManagementAlgorithm.AES128, ManagementAlgorithm.AES192, ManagementAlgorithm.AES256],
)
def test_opensc_and_the_card_prove_the_management_key_to_each_other(
    pcsc_slot: PcscSlot, tmp_path: Path, algorithm: ManagementAlgorithm
) -> None:
    bench = Bench(pcsc_slot, issued_card(algorithm=algorithm), tmp_path)
    key = tmp_path / "key"
    right = management_key(algorithm)
    for value, accepted in ((right, True), (bytes([right[0] ^ 2]) + right[1:], False)):
        key.write_text(value.hex(":"))
        done = bench.run("piv-tool", "-A", f"M:9B:{algorithm.identifier:02X}", extra={"PIV_EXT_AUTH_KEY": str(key)})
        assert (done.returncode == 0) is accepted, done.stderr


@pytest.mark.parametrize("module", MODULES)
def test_a_pkcs11_module_signs_with_our_card(tmp_path: Path, module: str) -> None:
    """In a reader of its own: ykcs11 looks only at readers that bear its maker's name."""
    library = require_file(Path("/usr/lib") / MULTIARCH / MODULES[module], module)
    tool = require("pkcs11-tool", "opensc")
    require("pcscd")
    issued = issued_card(CardSettings(yubikey_extensions=True))
    message, signature, key = tmp_path / "message", tmp_path / "signature", tmp_path / "key.pem"
    message.write_bytes(b"what is signed")
    checks = 0
    with PrivatePcscd("Yubico YubiKey CCID") as daemon:
        slot = VirtualReader(daemon.ports[0])
        slot.insert(issued.card)
        for key_slot, identifier in ((Slot.AUTHENTICATION, "01"), (Slot.SIGNATURE, "02")):
            done = subprocess.run(
                [
                    *(tool, "--module", str(library), "--login", "--pin", PIN.decode()),
                    *("--sign", "-m", "ECDSA-SHA256", "--id", identifier, "-f", "openssl"),
                    *("-i", str(message), "-o", str(signature)),
                ],
                env=os.environ | daemon.environment,
                check=False,
                capture_output=True,
                timeout=60,
            )
            assert done.returncode == 0, done.stderr
            public_key = issued.public_keys[key_slot]
            key.write_bytes(public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
            verify = [require("openssl"), "dgst", "-sha256", "-verify", str(key), "-signature", str(signature)]
            assert subprocess.run([*verify, str(message)], check=False, capture_output=True).returncode == 0
            assert subprocess.run([*verify, str(key)], check=False, capture_output=True).returncode != 0
            checks += 1
        slot.remove()
    assert checks == 2
