"""Yubico's tools take our card for a PIV card (judges: yubico-piv-tool 2.2.0, yubikit 5.9.2)."""

import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_public_key

from terminals.card import CardSettings, DataObject, ManagementAlgorithm, SimulatedCard, Slot
from tests.card_builders import CARD_ID, PIN, CardAuthority, issued_card, repeatable
from tests.judges.environments import judge_python
from tests.judging import require
from tests.pcsc_fixtures import PcscSlot

pytestmark = [pytest.mark.pcsc, pytest.mark.judge]

SESSION = Path(__file__).parents[2] / "judges" / "yubikit_session.py"
NEW_KEY = "a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60719"


def tool(slot: PcscSlot, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [require("yubico-piv-tool"), "-r", slot.reader_name, *arguments],
        env=slot.environment,
        stdin=subprocess.DEVNULL,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("extensions", [False, True])
def test_the_status_shows_what_was_issued(pcsc_slot: PcscSlot, extensions: bool) -> None:
    """Without its maker's own commands the tool names no version, and shows the card all the same."""
    pcsc_slot.insert(issued_card(CardSettings(yubikey_extensions=extensions)).card)
    done = tool(pcsc_slot, "-a", "status")
    if extensions:
        assert "Version:\t5.4.3" in done.stdout
    assert CARD_ID.hex in done.stdout, done.stderr
    for slot in ("9a", "9c", "9e"):
        assert f"Slot {slot}:\t\n\tAlgorithm:\tECCP256" in done.stdout
    assert "PIN tries left:\t5" in done.stdout


def test_pins_are_verified_changed_and_opened(pcsc_slot: PcscSlot) -> None:
    issued = issued_card(CardSettings(yubikey_extensions=True))
    pcsc_slot.insert(issued.card)
    steps = [
        (["-a", "verify-pin", "-P", PIN.decode()], "Successfully verified PIN."),
        (["-a", "verify-pin", "-P", "000000"], "4 tries left"),
        (["-a", "change-pin", "-P", PIN.decode(), "-N", "654321"], "Successfully changed the pin code."),
        (["-a", "change-puk", "-P", "73920461", "-N", "87654321"], "Successfully changed the puk code."),
        (["-a", "unblock-pin", "-P", "87654321", "-N", "112233"], "Successfully unblocked the pin code."),
        (["-a", "verify-pin", "-P", "654321"], "4 tries left"),
        (["-a", "verify-pin", "-P", "112233"], "Successfully verified PIN."),
    ]
    held = 0
    for arguments, sentence in steps:
        done = tool(pcsc_slot, *arguments)
        assert sentence in done.stdout + done.stderr, arguments
        held += 1
    assert held == 7
    assert issued.card.state.pin == b"112233\xff\xff"


def test_a_blank_card_is_filled_with_the_3des_factory_key(pcsc_slot: PcscSlot, tmp_path: Path) -> None:
    blank = SimulatedCard.blank(
        CardSettings(yubikey_extensions=True), algorithm=ManagementAlgorithm.TDES, random_bytes=repeatable("piv-tool")
    )
    pcsc_slot.insert(blank)
    public, certificate = tmp_path / "public.pem", tmp_path / "certificate.pem"
    wrong_key = tool(pcsc_slot, f"--key={NEW_KEY}", "-a", "set-chuid")
    assert "Failed authentication" in wrong_key.stderr, wrong_key.stderr
    assert DataObject.CHUID.value not in blank.state.objects
    generated = tool(pcsc_slot, "-s", "9e", "-A", "ECCP256", "-a", "generate", "-o", str(public))
    assert "Successfully generated" in generated.stderr, generated.stderr
    key = load_pem_public_key(public.read_bytes())
    assert isinstance(key, ec.EllipticCurvePublicKey)
    der = CardAuthority().certify(key, Slot.CARD_AUTHENTICATION)
    certificate.write_bytes(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM))
    steps = [
        (["-s", "9e", "-a", "import-certificate", "-i", str(certificate)], "Successfully imported"),
        (["-s", "9e", "-a", "test-signature", "-i", str(certificate)], "Successful ECDSA verification."),
        (["-a", "set-chuid"], "Successfully set new CHUID."),
        (["-a", "set-ccc"], "Successfully set new CCC."),
        (["-a", "set-mgm-key", "-n", NEW_KEY], "Successfully set new management key."),
        (["-a", "set-chuid"], "Failed authentication"),
        ([f"--key={NEW_KEY}", "-a", "set-chuid"], "Successfully set new CHUID."),
    ]
    held = 0
    for arguments, sentence in steps:
        done = tool(pcsc_slot, *arguments)
        assert sentence in done.stdout + done.stderr, (arguments, done)
        held += 1
    assert held == 7
    read = tool(pcsc_slot, "-s", "9e", "-a", "read-certificate")
    assert x509.load_pem_x509_certificate(read.stdout.encode()).public_bytes(Encoding.DER) == der
    other = CardAuthority().certify(ec.derive_private_key(3, ec.SECP256R1()).public_key(), Slot.CARD_AUTHENTICATION)
    certificate.write_bytes(x509.load_der_x509_certificate(other).public_bytes(Encoding.PEM))
    forged = tool(pcsc_slot, "-s", "9e", "-a", "test-signature", "-i", str(certificate))
    assert "Failed ECDSA verification" in forged.stdout + forged.stderr


def yubikit(slot: PcscSlot, *arguments: str) -> subprocess.CompletedProcess[str]:
    blank = SimulatedCard.blank(CardSettings(yubikey_extensions=True), random_bytes=repeatable("yubikit"))
    slot.insert(blank)
    return subprocess.run(
        [judge_python("yubikit"), str(SESSION), slot.reader_name, *arguments],
        env=slot.environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_yubikit_takes_every_step_with_our_card(pcsc_slot: PcscSlot) -> None:
    done = yubikit(pcsc_slot)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("held: ") == 43


def test_yubikit_finds_a_planted_certificate(pcsc_slot: PcscSlot) -> None:
    done = yubikit(pcsc_slot, "plant")
    assert done.returncode == 1
    assert "did not hold: the certificate is the one issued" in done.stderr
