"""The vault in a PKCS#11 module (SoftHSM2): the same door, and no key ever comes out of it."""

import multiprocessing
import os
import random
import shutil
import subprocess
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pkcs11
import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from pkcs11 import Attribute, ObjectClass

from cardsvc import vault as vaults
from cardsvc.settings import CHEAP
from cardsvc.vault import KeyName, P256Name, Vault, VaultChanged, VaultExists, VaultMissing, WrongStore
from cardsvc.vault.modulestore import Module, ModuleStore
from cardsvc.vault.names import ModuleRefusesPin, ModuleUnavailable
from crypto import keys
from crypto.tlog import open_note, sign_note
from tests.hsm_fixtures import LIBRARY, PIN, SoftHsm
from tests.judging import require

AT = datetime(2026, 1, 1, tzinfo=UTC)
RANDOM = random.Random(20260101).randbytes


def make(folder: Path, hsm: Module) -> Vault:
    return Vault.create_in_module(
        folder, hsm, city_name="Test City", log_origin="test.example/log", at=AT, random_bytes=RANDOM
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "vault"


def check_all_sign(vault: Vault) -> None:
    for name in get_args(P256Name):
        signer = vault.signer(name)
        assert keys.verify(signer.public_key, b"message", signer.sign(b"message")) == b"message"
    note = sign_note("text\n", vault.note_signers())
    assert open_note(note, vault.city_keys().logs)[0] == "text\n"


def test_it_does_all_that_the_vault_in_files_does(folder: Path, hsm: Module) -> None:
    made = make(folder, hsm)
    opened = Vault.open_in_module(folder, hsm)
    assert (opened.city_name, opened.log_origin) == ("Test City", "test.example/log")
    assert opened.city_keys().format() == made.city_keys().format()
    check_all_sign(opened)
    opened.certificate("content").verify_directly_issued_by(opened.certificate("card-ca"))
    assert len({opened.derive(label, context, 40) for label in ("a", "b") for context in (b"", b"x")}) == 4
    assert made.derive("a", b"b", 24) == opened.derive("a", b"b", 24)


def test_no_private_key_can_be_read_or_leaves_the_token(folder: Path, hsm: Module) -> None:
    make(folder, hsm)
    with pkcs11.lib(str(LIBRARY)).get_token(token_label=hsm.token).open() as session:
        secret = [
            one
            for kind in (ObjectClass.PRIVATE_KEY, ObjectClass.SECRET_KEY)
            for one in session.get_objects({Attribute.CLASS: kind})
        ]
        assert len(secret) == len(KeyName) + 1
        for one in secret:
            assert (one[Attribute.SENSITIVE], one[Attribute.EXTRACTABLE]) == (True, False)
            assert one[Attribute.NEVER_EXTRACTABLE]
            with pytest.raises(pkcs11.AttributeSensitive):
                one[Attribute.VALUE]


def test_the_folder_holds_nothing_that_opens_anything(folder: Path, hsm: Module) -> None:
    make(folder, hsm)
    assert sorted(path.suffix for path in folder.iterdir()) == ["", "", ".cer", ".cer", ".cer", ".cer"]
    assert PIN not in repr(hsm)
    for path in folder.iterdir():
        assert PIN.encode() not in path.read_bytes()


@pytest.mark.parametrize("length", [1, 31, 32, 33, 64, 100])
def test_it_derives_as_the_standard_says(hsm: Module, tmp_path: Path, length: int) -> None:
    """The module's own HMAC against the library's HKDF-Expand, with a key known to both."""
    store = ModuleStore.create(tmp_path, hsm, random_bytes=RANDOM)
    secret = bytes(range(32))
    with pkcs11.lib(str(LIBRARY)).get_token(token_label=hsm.token).open(rw=True) as session:
        made = session.get_key(object_class=ObjectClass.SECRET_KEY)
        place = made[Attribute.ID]
        made.destroy()
        session.create_object(
            {
                Attribute.CLASS: ObjectClass.SECRET_KEY,
                Attribute.KEY_TYPE: pkcs11.KeyType.GENERIC_SECRET,
                Attribute.ID: place,
                Attribute.VALUE: secret,
                Attribute.SIGN: True,
                Attribute.TOKEN: True,
            }
        )
    assert store.expand(b"info", length) == HKDFExpand(SHA256(), length, b"info").derive(secret)


def test_its_keys_can_be_changed_too(folder: Path, hsm: Module) -> None:
    vault = make(folder, hsm)
    before = vault.signer("receipt").sign(b"receipt")
    for name in (KeyName.RECEIPT, KeyName.LOG, KeyName.ROOT):
        vaults.announce(vault, name, at=AT, random_bytes=RANDOM)
        vaults.activate(vault, name, at=AT + timedelta(days=5), random_bytes=RANDOM)
    again = Vault.open_in_module(folder, hsm)
    check_all_sign(again)
    new, old = again.public_keys("receipt")
    assert new == again.signer("receipt").public_key
    assert keys.verify(old, b"receipt", before)


def test_what_an_interrupted_announcement_left_on_the_token_gives_way(folder: Path, hsm: Module) -> None:
    vault = make(folder, hsm)
    vault.store.make("receipt.2", edwards=False, random_bytes=RANDOM)
    vaults.announce(vault, KeyName.RECEIPT, at=AT, random_bytes=RANDOM)
    with pkcs11.lib(str(LIBRARY)).get_token(token_label=hsm.token).open() as session:
        assert len(list(session.get_objects({Attribute.LABEL: "receipt.2"}))) == 2, "one private, one public"


@pytest.mark.parametrize("what", ["the module was restarted", "somebody closed the session"])
def test_a_lost_session_is_opened_again(folder: Path, hsm: Module, softhsm: SoftHsm, what: str) -> None:
    vault = make(folder, hsm)
    check_all_sign(vault)
    if what == "the module was restarted":
        softhsm.lose_sessions()
    else:
        assert isinstance(vault.store, ModuleStore)
        session = vault.store._door._session
        assert session is not None
        session.raw.close()
    check_all_sign(vault)


def test_a_token_may_go_away_and_come_back(folder: Path, hsm: Module, softhsm: SoftHsm) -> None:
    vault = make(folder, hsm)
    tokens, away = softhsm.folder / "tokens", softhsm.folder / "away"
    tokens.rename(away)
    tokens.mkdir()
    try:
        softhsm.lose_sessions()
        for _ in range(2):
            with pytest.raises(ModuleUnavailable, match="has no token"):
                vault.signer("receipt").sign(b"message")
    finally:
        shutil.rmtree(tokens)
        away.rename(tokens)
    check_all_sign(vault)


def _sign_in_child(vault: Vault, answers: "multiprocessing.SimpleQueue[bytes]") -> None:
    answers.put(vault.signer("receipt").sign(b"from a child"))


def test_a_process_that_was_forked_signs_too_and_so_does_its_parent(folder: Path, hsm: Module) -> None:
    vault = make(folder, hsm)
    check_all_sign(vault)
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    children = [context.Process(target=_sign_in_child, args=(vault, answers)) for _ in range(3)]
    for child in children:
        child.start()
    vault.signer("receipt").sign(b"meanwhile")
    for child in children:
        child.join(30)
        assert child.exitcode == 0
    for _ in children:
        assert keys.verify(vault.signer("receipt").public_key, b"from a child", answers.get())
    check_all_sign(vault)


def test_threads_share_it(folder: Path, hsm: Module) -> None:
    vault = make(folder, hsm)
    failed: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(20):
                check_all_sign(vault)
        except BaseException as error:  # noqa: BLE001 - told to the test
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


def test_a_wrong_pin_is_tried_once(folder: Path, hsm: Module, softhsm: SoftHsm) -> None:
    make(folder, hsm)
    softhsm.lose_sessions()
    store = ModuleStore(replace(hsm, pin="wrong"), b"")
    for _ in range(5):
        with pytest.raises(ModuleRefusesPin, match="CITY_VAULT_PIN_FILE"):
            store.expand(b"", 1)
    check_all_sign(Vault.open_in_module(folder, hsm))


def test_what_is_missing_says_what_to_do(folder: Path, hsm: Module, tmp_path: Path) -> None:
    with pytest.raises(VaultMissing, match="city init"):
        Vault.open_in_module(folder, hsm)
    with pytest.raises(ModuleUnavailable, match="CITY_VAULT_TOKEN"):
        make(folder, replace(hsm, token="nowhere"))
    with pytest.raises(ModuleUnavailable, match="CITY_VAULT_MODULE"):
        make(folder, replace(hsm, library=tmp_path / "none.so"))
    make(folder, hsm)
    with pytest.raises(VaultExists):
        make(folder, hsm)
    with pytest.raises(WrongStore, match="set CITY_VAULT_MODULE"):
        Vault.open(folder, "a passphrase")


def test_a_vault_in_files_says_that_it_is_one(folder: Path, hsm: Module) -> None:
    Vault.create(folder, "x" * 16, city_name="Test", log_origin="x", at=AT, random_bytes=RANDOM, cost=CHEAP)
    with pytest.raises(WrongStore, match="unset CITY_VAULT_MODULE"):
        Vault.open_in_module(folder, hsm)


def test_another_token_does_not_open_it(folder: Path, hsm: Module, softhsm: SoftHsm) -> None:
    make(folder, hsm)
    with pytest.raises(VaultChanged, match="master"):
        Vault.open_in_module(folder, softhsm.new_token())


def test_two_vaults_may_share_a_token(tmp_path: Path, hsm: Module) -> None:
    one, two = make(tmp_path / "one", hsm), make(tmp_path / "two", hsm)
    assert one.signer("root").public_key != two.signer("root").public_key
    assert one.derive("a", b"", 16) != two.derive("a", b"", 16)
    check_all_sign(one)
    check_all_sign(two)


@pytest.mark.judge
def test_openssl_agrees_with_what_the_module_signed(folder: Path, hsm: Module, tmp_path: Path) -> None:
    vault = make(folder, hsm)
    for name in ("root", "card-ca", "content"):
        (tmp_path / name).write_bytes((folder / f"{name}.cer").read_bytes())
        subprocess.run(
            [require("openssl"), "x509", "-inform", "der", "-in", tmp_path / name, "-out", tmp_path / f"{name}.pem"],
            check=True,
        )
    result = subprocess.run(
        [require("openssl"), "verify", "-attime", str(int(AT.timestamp()) + 1), "-CAfile", tmp_path / "root.pem",
         "-untrusted", tmp_path / "card-ca.pem", tmp_path / "content.pem"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert result.stdout.endswith("OK\n"), result.stderr
    assert vault.certificate("content").issuer == vault.certificate("card-ca").subject


@pytest.mark.judge
def test_a_foreign_tool_finds_the_keys_by_their_names(folder: Path, hsm: Module, softhsm: SoftHsm) -> None:
    make(folder, hsm)
    result = subprocess.run(
        [require("pkcs11-tool", "opensc"), "--module", LIBRARY, "--token-label", hsm.token, "--login", "--pin", PIN,
         "--list-objects", "--type", "privkey"],
        check=True, capture_output=True, text=True, env={**os.environ, **softhsm.environment},
    )  # fmt: skip
    for name in KeyName:
        assert name in result.stdout
    assert result.stdout.count("never extractable") == len(KeyName)
