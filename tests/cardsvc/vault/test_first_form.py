"""A vault of the first form (release 0.1): keys without generations, no register. Such a city must still open."""

import random
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cardsvc import vault as vaults
from cardsvc.settings import CHEAP
from cardsvc.vault import KeyName, Stage, Vault, VaultChanged
from crypto import cbor, keys, pki
from crypto.keys import Ed25519Signer, SoftwareSigner
from crypto.tlog import open_note, sign_note

AT = datetime(2026, 1, 1, tzinfo=UTC)
LATER = AT + timedelta(days=40)
PASSPHRASE = "a passphrase of a test"
MASTER = bytes(range(32))
RANDOM = random.Random(20260101).randbytes


def old_secret(label: str, context: bytes, length: int) -> bytes:
    """As release 0.1 derived: the whole of HKDF in one call of the library."""
    info = cbor.encode(["city.derive.v1", label, context])
    return HKDF(SHA256(), length, salt=None, info=info).derive(MASTER)


def write_first_form(folder: Path) -> dict[str, SoftwareSigner | Ed25519Signer]:
    """The files as release 0.1 wrote them; its keys."""
    folder.mkdir()
    master = cbor.encode([1, MASTER, "Old City", "old.example/log"])
    sealed = vaults.seal(PASSPHRASE, master, context=b"city.vault.v1", cost=CHEAP, random_bytes=RANDOM)
    (folder / "master").write_bytes(sealed)
    names = [name.value for name in KeyName if name is not KeyName.LOG]
    p256 = {name: SoftwareSigner.from_secret(number) for number, name in enumerate(names, 1)}
    made: dict[str, SoftwareSigner | Ed25519Signer] = {**p256, "log": Ed25519Signer.from_secret(9)}
    for name, signer in made.items():
        nonce = RANDOM(12)
        cipher = AESGCM(old_secret("vault.file", name.encode(), 32))
        (folder / f"{name}.key").write_bytes(nonce + cipher.encrypt(nonce, signer.to_pem(), name.encode()))
    years = timedelta(days=365)
    root = pki.create_root("Old City Root", p256["root"], serial=1, not_before=AT, not_after=AT + 30 * years)
    ends = AT + 25 * years
    authorities = {
        name: pki.create_authority(
            f"Old City {name}", p256[name].public_key, issuer=root, signer=p256["root"], serial=serial,
            not_before=AT, not_after=ends,
        )
        for serial, name in enumerate(("card-ca", "terminal-ca"), 2)
    }  # fmt: skip
    content = pki.create_content_signer(
        "Old City Content", p256["content"].public_key, issuer=authorities["card-ca"],
        signer=p256["card-ca"], serial=4, not_before=AT, not_after=AT + 20 * years,
    )  # fmt: skip
    for name, certificate in {"root": root, **authorities, "content": content}.items():
        (folder / f"{name}.cer").write_bytes(pki.to_der(certificate))
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "vault"


def test_it_opens_with_its_keys_certificates_and_secrets(folder: Path) -> None:
    made = write_first_form(folder)
    vault = Vault.open(folder, PASSPHRASE)
    assert (vault.city_name, vault.log_origin) == ("Old City", "old.example/log")
    for name in ("root", "card-ca", "terminal-ca", "content", "receipt", "policy", "service"):
        assert keys.spki(vault.signer(name).public_key) == keys.spki(made[name].public_key)
    assert vault.signer("log").public_key == made["log"].public_key
    assert vault.certificate("content").issuer == vault.certificate("card-ca").subject
    assert vault.derive("card-management", b"card", 24) == old_secret("card-management", b"card", 24)
    assert not (folder / "generations").exists(), "looking at it changes nothing"


def test_its_keys_can_be_changed_and_the_old_ones_still_verify(folder: Path) -> None:
    write_first_form(folder)
    vault = Vault.open(folder, PASSPHRASE)
    before = sign_note("text\n", vault.note_signers())
    for name in (KeyName.LOG, KeyName.CARD_CA):
        vaults.announce(vault, name, at=AT, random_bytes=RANDOM)
        vaults.activate(vault, name, at=LATER, random_bytes=RANDOM)
    again = Vault.open(folder, PASSPHRASE)
    assert open_note(before, again.city_keys().logs)[0] == "text\n"
    assert [one.stage for one in again.register.of(KeyName.CARD_CA)] == [Stage.CURRENT, Stage.RETIRED]
    assert again.certificate("card-ca", 1).subject.rfc4514_string() == "CN=Old City card-ca"
    assert again.certificate("card-ca").subject.rfc4514_string() == "CN=Old City Cards 2"
    again.certificate("card-ca").verify_directly_issued_by(again.certificate("root"))


def test_an_exchanged_certificate_is_noticed(folder: Path) -> None:
    write_first_form(folder)
    shutil.copy(folder / "root.cer", folder / "card-ca.cer")
    with pytest.raises(VaultChanged, match=r"card-ca\.cer"):
        Vault.open(folder, PASSPHRASE).certificate("card-ca")


def test_a_register_that_was_lost_after_a_change_is_noticed(folder: Path) -> None:
    write_first_form(folder)
    vaults.announce(Vault.open(folder, PASSPHRASE), KeyName.RECEIPT, at=AT, random_bytes=RANDOM)
    (folder / "generations").unlink()
    with pytest.raises(VaultChanged, match="generations"):
        Vault.open(folder, PASSPHRASE)
