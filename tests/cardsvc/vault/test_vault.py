from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cardsvc import vault as vaults
from cardsvc.settings import CHEAP
from cardsvc.vault import KeyName, Vault, VaultExists, VaultMissing, WrongPassphrase
from crypto import keys
from crypto.tlog import open_note, sign_note

AT = datetime(2026, 1, 1, tzinfo=UTC)
PASSPHRASE = "a passphrase of a test"
SEALED_NAMES = sorted(["master", "generations", *(f"{name}.key" for name in KeyName)])


def make(folder: Path, random_bytes: Callable[[int], bytes]) -> Vault:
    return Vault.create(
        folder,
        PASSPHRASE,
        city_name="Test City",
        log_origin="test.example/log",
        at=AT,
        random_bytes=random_bytes,
        cost=CHEAP,
    )


def test_a_vault_opens_again_with_the_same_keys(tmp_path: Path, random_bytes: Callable[[int], bytes]) -> None:
    made = make(tmp_path / "vault", random_bytes)
    opened = Vault.open(tmp_path / "vault", PASSPHRASE)
    assert (opened.city_name, opened.log_origin) == ("Test City", "test.example/log")
    assert keys.spki(opened.signer("receipt").public_key) == keys.spki(made.signer("receipt").public_key)
    assert opened.city_keys().format() == made.city_keys().format()
    assert opened.derive("a", b"b", 24) == made.derive("a", b"b", 24)


def test_every_key_is_another(vault: Vault) -> None:
    p256 = [
        vault.signer(name) for name in ("root", "card-ca", "terminal-ca", "content", "receipt", "policy", "service")
    ]
    assert len({keys.spki(key.public_key) for key in p256}) == len(KeyName) - 1
    derived = {vault.derive(label, context, 32) for label in ("a", "b") for context in (b"", b"x")}
    assert len(derived) == 4


def test_a_label_and_its_context_cannot_be_shifted(vault: Vault) -> None:
    assert vault.derive("ab", b"c", 16) != vault.derive("a", b"bc", 16)


def test_the_log_signs_under_its_origin(vault: Vault) -> None:
    note = sign_note("text\n", [vault.note_signer()])
    text, verifier = open_note(note, list(vault.city_keys().logs))
    assert (text, verifier.name) == ("text\n", vault.log_origin)


def test_another_passphrase_opens_nothing(tmp_path: Path, random_bytes: Callable[[int], bytes]) -> None:
    make(tmp_path / "vault", random_bytes)
    with pytest.raises(WrongPassphrase, match="CITY_VAULT_PASSPHRASE"):
        Vault.open(tmp_path / "vault", PASSPHRASE + "x")


@pytest.mark.parametrize("name", SEALED_NAMES)
def test_a_changed_file_is_noticed(tmp_path: Path, random_bytes: Callable[[int], bytes], name: str) -> None:
    make(tmp_path / "vault", random_bytes)
    path = tmp_path / "vault" / name
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)

    def read_everything() -> None:
        opened = Vault.open(tmp_path / "vault", PASSPHRASE)
        for key in KeyName:
            opened.signer(key.value)

    with pytest.raises(WrongPassphrase):
        read_everything()


def test_one_keys_file_does_not_serve_as_anothers(tmp_path: Path, random_bytes: Callable[[int], bytes]) -> None:
    made = make(tmp_path / "vault", random_bytes)
    (tmp_path / "vault" / "policy.key").write_bytes((tmp_path / "vault" / "receipt.key").read_bytes())
    with pytest.raises(WrongPassphrase):
        made.signer("policy")


def test_only_the_owner_reads_it_and_no_key_lies_open(tmp_path: Path, random_bytes: Callable[[int], bytes]) -> None:
    make(tmp_path / "vault", random_bytes)
    assert (tmp_path / "vault").stat().st_mode & 0o777 == 0o700
    for path in (tmp_path / "vault").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
        assert b"PRIVATE KEY" not in path.read_bytes()


def test_a_vault_is_never_overwritten(tmp_path: Path, random_bytes: Callable[[int], bytes]) -> None:
    make(tmp_path / "vault", random_bytes)
    with pytest.raises(VaultExists, match="never overwritten"):
        make(tmp_path / "vault", random_bytes)


def test_what_an_interrupted_creation_left_is_made_anew(tmp_path: Path, random_bytes: Callable[[int], bytes]) -> None:
    (tmp_path / "vault.unfinished").mkdir()
    (tmp_path / "vault.unfinished" / "master").write_bytes(b"half")
    make(tmp_path / "vault", random_bytes)
    assert not (tmp_path / "vault.unfinished").exists()


def test_a_missing_vault_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(VaultMissing, match="city init"):
        Vault.open(tmp_path / "vault", PASSPHRASE)


@pytest.mark.parametrize("position", [0, 5, 12, 30, 50, -1])
def test_sealed_bytes_open_only_unchanged_and_in_their_context(
    random_bytes: Callable[[int], bytes], position: int
) -> None:
    sealed = vaults.seal("password", b"secret", context=b"staff 1", cost=CHEAP, random_bytes=random_bytes)
    assert vaults.unseal("password", sealed, context=b"staff 1") == b"secret"
    with pytest.raises(WrongPassphrase):
        vaults.unseal("password", sealed, context=b"staff 2")
    changed = bytearray(sealed)
    changed[position] ^= 1
    with pytest.raises(WrongPassphrase):
        vaults.unseal("password", bytes(changed), context=b"staff 1")


def test_authorities_stand_under_the_root_and_content_outlives_a_card(vault: Vault) -> None:
    root = vault.certificate("root")
    card_ca = vault.certificate("card-ca")
    content = vault.certificate("content")
    for certificate in (root, card_ca, vault.certificate("terminal-ca")):
        certificate.verify_directly_issued_by(root)
    content.verify_directly_issued_by(card_ca)
    assert content.not_valid_after_utc > AT + timedelta(days=11 * 365)


def test_an_exchanged_certificate_is_noticed(tmp_path: Path, random_bytes: Callable[[int], bytes]) -> None:
    made = make(tmp_path / "vault", random_bytes)
    (tmp_path / "vault" / "card-ca.cer").write_bytes((tmp_path / "vault" / "root.cer").read_bytes())
    with pytest.raises(WrongPassphrase):
        made.certificate("card-ca")
