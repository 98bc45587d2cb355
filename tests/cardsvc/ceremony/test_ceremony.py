"""The ceremony as its people meet it: at the keyboard, with a transcript that a foreign tool can check."""

import json
import random
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cardsvc import vault as vaults
from cardsvc.ceremony import Tools, Transcript
from cardsvc.ceremony import commands as ceremony_commands
from cardsvc.clock import FixedClock
from cardsvc.settings import Environment, Settings, VaultSettings
from cardsvc.vault import KeyName, Vault
from cardsvc.vault.modulestore import Module
from tests.judging import require

PARTS = ("a part of Ana's own", "Ben's own part, longer")
PEOPLE = {"operator": "Olga", "custodians": ["Ana Reyes", "Ben Cruz"], "witnesses": ["Carla"], "parts": PARTS}


class Room:
    """Where a ceremony is held: a home, a clock, and people who answer."""

    def __init__(self, home: Path, clock: FixedClock) -> None:
        self.home = home
        self.clock = clock
        self.random_bytes = random.Random(7).randbytes
        self.settings = Settings(
            env=Environment.TEST,
            home=home,
            database_url="sqlite://",
            city_name="Test City",
            log_origin="test.example/log",
            public_url="http://localhost",
            vault_passphrase="the everyday passphrase",
            bind_host="127.0.0.1",
            port=0,
        )

    def run(self, command: str, *arguments: str, typed: str | None = None) -> Result:
        tools = Tools(self.settings, self.clock, self.random_bytes)
        group = {"ceremony": ceremony_commands.ceremony, "vault": ceremony_commands.vault}[command]
        return CliRunner().invoke(group, list(arguments), input=typed, obj=lambda: tools)

    def hold(self, *arguments: str, **changed: Any) -> Result:
        """With answers from a file."""
        file = self.home.parent / "answers.json"
        file.write_text(json.dumps(PEOPLE | changed))
        return self.run("ceremony", "--answers", str(file), *arguments)

    def done(self, *arguments: str, **changed: Any) -> str:
        """The transcript of one that must succeed."""
        result = self.hold("--transcript", str(self.transcript), *arguments, **changed)
        assert result.exit_code == 0, result.output
        assert result.stdout == self.transcript.read_text()
        self.clock.advance(timedelta(days=32))
        return result.stdout

    @property
    def transcript(self) -> Path:
        return self.home.parent / "transcript.txt"

    @property
    def root_file(self) -> Path:
        return self.home / "root.sealed"

    def vault(self) -> Vault:
        return vaults.open_by(self.settings)


@pytest.fixture
def room(tmp_path: Path, clock: FixedClock) -> Room:
    return Room(tmp_path / "home", clock)


def refusal(result: Result) -> str:
    assert result.exit_code != 0, result.output
    code = getattr(result.exception, "code", None)
    return code if isinstance(code, str) else result.output


def test_people_at_a_keyboard_make_a_city(room: Room) -> None:
    yes = "yes\nyes\n"
    typed = (
        "Olga\nAna Reyes\nBen Cruz\nCarla\n\n" + "y\n" + yes + yes
        + f"short\nshort\n{PARTS[0]}\nmistyped\n{PARTS[0]}\n{PARTS[0]}\n{PARTS[1]}\n{PARTS[1]}\n" + yes + yes + yes
    )  # fmt: skip
    result = room.run("ceremony", typed=typed)
    assert result.exit_code == 0, result.output
    found = Transcript.verify(result.stdout)
    assert found.text.startswith("city.ceremony.v1: all keys of a city were made\n")
    for line in ("  custodian 1: Ana Reyes", "  custodian 2: Ben Cruz", "  witness: Carla", "City: Test City"):
        assert line in found.text.splitlines()
    assert len(found.listed) == len(KeyName)
    for part in PARTS:
        assert part not in result.output
    assert "Move" in result.stderr
    assert room.run("vault", "check").exit_code == 0


def test_the_everyday_vault_does_not_have_the_root_key(room: Room) -> None:
    room.done()
    vault = room.vault()
    with pytest.raises(vaults.RootIsApart):
        vault.signer("root")
    assert not (vault.folder / "root.key").exists()
    assert refusal(room.run("vault", "rotate", "card-ca")) == "root_is_apart"
    assert room.run("vault", "rotate", "receipt").exit_code == 0
    for name in ("card-ca", "terminal-ca"):
        vault.certificate(name).verify_directly_issued_by(vault.certificate("root"))


def test_the_custodians_together_make_a_new_authority(room: Room) -> None:
    room.done()
    before = room.vault().certificate("card-ca")
    moved = room.home.parent / "stick.sealed"
    room.root_file.rename(moved)
    assert refusal(room.hold("--rotate", "card-ca")) == "ceremony_root_file_missing"
    assert refusal(room.hold("--rotate", "card-ca", "--root-file", str(moved), parts=[PARTS[0], "x" * 12])) == (
        "ceremony_root_does_not_open"
    )
    assert refusal(room.hold("--rotate", "card-ca", "--root-file", str(moved), parts=PARTS[::-1])) == (
        "ceremony_root_does_not_open"
    )
    assert room.vault().certificates("card-ca") == (before,)
    text = room.done("--rotate", "card-ca", "--root-file", str(moved))
    assert "new keys were made for card-ca, content" in text
    assert room.run("vault", "activate", "card-ca").exit_code == 0
    vault = room.vault()
    assert vault.certificates("card-ca")[1] == before
    vault.certificate("card-ca").verify_directly_issued_by(vault.certificate("root"))
    assert room.run("ceremony", "verify", str(room.transcript), "--here").exit_code == 0
    assert room.run("vault", "check").exit_code == 0


def test_a_new_root_brings_new_authorities_and_the_old_ones_stay_known(room: Room) -> None:
    room.done()
    assert refusal(room.hold("--rotate", "root")) == "ceremony_root_file_exists"
    second, parts = room.home / "root2.sealed", ["new part of one", "and another part"]
    room.done("--rotate", "root", "--root-file", str(second), parts=parts)
    assert room.run("vault", "activate", "root").exit_code == 0
    vault = room.vault()
    assert len(vault.certificates("root")) == len(vault.certificates("card-ca")) == 2
    vault.certificate("card-ca").verify_directly_issued_by(vault.certificate("root"))
    assert room.run("vault", "check").exit_code == 0
    assert refusal(room.hold("--rotate", "terminal-ca")) == "ceremony_not_the_root", "the old root's file"
    room.done("--rotate", "terminal-ca", "--root-file", str(second), parts=parts)


def test_a_city_whose_root_was_in_the_vault_moves_it_apart(room: Room) -> None:
    room.home.mkdir()
    vaults.create_by(room.settings, at=room.clock.now(), random_bytes=random.Random(1).randbytes)
    room.done("--rotate", "card-ca")
    assert room.run("vault", "activate", "card-ca").exit_code == 0
    room.done("--rotate", "root")
    assert room.run("vault", "activate", "root").exit_code == 0
    assert room.vault().register.current(KeyName.ROOT).apart
    assert not (room.home / "vault" / "root.2.key").exists()


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"custodians": ["Ana Reyes", " ana  REYES "]}, "ceremony_too_few_people"),
        ({"custodians": ["Ana", ""]}, "ceremony_too_few_people"),
        ({"operator": " "}, "ceremony_too_few_people"),
        ({"parts": ["short", PARTS[1]]}, "ceremony_unsuitable_part"),
        ({"parts": [PARTS[0], PARTS[0]]}, "ceremony_unsuitable_part"),
        ({"refuse": "Ben Cruz"}, "ceremony_not_confirmed"),
    ],
)
def test_without_two_people_who_agree_nothing_is_made(room: Room, changed: dict[str, Any], code: str) -> None:
    assert refusal(room.hold(**changed)) == code
    assert not (room.home / "vault").exists()
    assert not room.root_file.exists()


def test_an_answer_that_is_missing_is_named(room: Room) -> None:
    assert "custodians.1" in refusal(room.hold(custodians=["Ana"]))


def test_a_city_that_has_keys_keeps_them(room: Room) -> None:
    room.done()
    assert refusal(room.hold()) == "vault_exists"


def test_a_root_file_is_never_overwritten(room: Room) -> None:
    room.home.mkdir()
    room.root_file.write_bytes(b"perhaps a root key")
    assert refusal(room.hold()) == "ceremony_root_file_exists"
    assert room.root_file.read_bytes() == b"perhaps a root key"


def test_production_wants_people_at_the_keyboard(room: Room) -> None:
    room.settings = replace(room.settings, env=Environment.PRODUCTION)
    assert "type their parts themselves" in refusal(room.hold())


def test_a_rehearsal_says_that_it_is_one(room: Room) -> None:
    assert room.done().startswith("city.ceremony.v1: rehearsal with a file of answers, no ceremony; ")


# ------------------------------------------------------------------------------------------------------- the transcript


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Ana Reyes", "Eve Reyes"),
        ("receipt generation 1", "receipt generation 2"),
        ("city.ceremony.v1", "city.ceremony.v2"),
        ("-----END SIGNATURE-----\n", "-----END SIGNATURE-----\nand more\n"),
        ("-----END SIGNATURE-----\n", "-----END SIGNATURE-----"),
        ("-----BEGIN SIGNATURE-----\n", "-----BEGIN SIGNATURE-----\n\n"),
        ("-----BEGIN SIGNATURE-----", "-----BEGIN NOTHING-----"),
        ("-----BEGIN CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\nAAAA"),
        ("-----BEGIN CERTIFICATE-----", "-----BEGIN NOTHING-----"),
        ("Present", "Present\r"),
    ],
)
def test_a_changed_transcript_does_not_verify(room: Room, old: str, new: str) -> None:
    text = room.done()
    assert old in text
    room.transcript.write_bytes(text.replace(old, new).encode())
    assert refusal(room.run("ceremony", "verify", str(room.transcript))) == "ceremony_bad_transcript"


def test_a_transcript_of_another_city_is_told_by_its_root(room: Room, tmp_path: Path) -> None:
    text = room.done()
    print_of = json.loads(room.run("ceremony", "verify", str(room.transcript), "--json").stdout)["root_fingerprint"]
    assert print_of in text
    assert room.run("ceremony", "verify", str(room.transcript), "--root", print_of.upper()).exit_code == 0
    wrong = refusal(room.run("ceremony", "verify", str(room.transcript), "--root", "00" * 32))
    assert wrong == "ceremony_bad_transcript"
    other = Room(tmp_path / "other" / "home", room.clock)
    other.home.mkdir(parents=True)
    vaults.create_by(other.settings, at=room.clock.now(), random_bytes=random.Random(2).randbytes)
    assert refusal(other.run("ceremony", "verify", str(room.transcript), "--here")) == "ceremony_bad_transcript"


def test_a_name_cannot_bring_lines_of_its_own(room: Room) -> None:
    text = room.done(operator="Olga\n  root generation 9, current: public key " + "0" * 64)
    assert [one.generation for one in Transcript.verify(text).listed] == [1] * len(KeyName)


@pytest.mark.judge
def test_openssl_verifies_the_transcript(room: Room, tmp_path: Path) -> None:
    text, _, signature = room.done().partition("-----BEGIN SIGNATURE-----\n")
    key = Transcript.verify(room.transcript.read_text()).root.public_key()
    (tmp_path / "key.pem").write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    (tmp_path / "text").write_text(text)
    (tmp_path / "signature.b64").write_text(signature.partition("-----END")[0])
    openssl = require("openssl")
    decode: list[str | Path] = [
        openssl,
        "base64",
        "-d",
        "-in",
        tmp_path / "signature.b64",
        "-out",
        tmp_path / "signature",
    ]
    subprocess.run(decode, check=True)
    result = subprocess.run(
        [openssl, "dgst", "-sha256", "-verify", tmp_path / "key.pem", "-signature", tmp_path / "signature",
         tmp_path / "text"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert result.stdout == "Verified OK\n", result.stderr


# ------------------------------------------------------------------------------------------ a module, and ./city vault


def test_it_is_held_with_a_module_too(room: Room, hsm: Module) -> None:
    room.settings = replace(room.settings, vault=VaultSettings(hsm.library, hsm.token, hsm.pin))
    text = room.done()
    assert f"Keys are kept in: token {hsm.token!r}" in text
    assert hsm.pin not in text
    room.done("--rotate", "terminal-ca")
    assert room.run("vault", "activate", "terminal-ca").exit_code == 0
    assert json.loads(room.run("vault", "check", "--json").stdout) == {"ok": True, "keys": 9, "ends_soon": []}


def test_show_tells_stages_and_json_has_everything(room: Room) -> None:
    room.done()
    assert room.run("vault", "rotate", "log").exit_code == 0
    shown = room.run("vault", "show").stdout
    assert "kept apart" in shown
    assert "The new log may sign from" in shown
    report = json.loads(room.run("vault", "show", "--json").stdout)
    stages = [(one["generation"], one["stage"]) for one in report["keys"] if one["name"] == "log"]
    assert stages == [(1, "current"), (2, "announced")]
    assert refusal(room.run("vault", "activate", "log")) == "too_early_to_activate"
    assert json.loads(room.run("vault", "activate", "log", "--at-once", "--json").stdout) == {"activated": ["log"]}
    assert room.run("vault", "distrust", "log", "1", "--yes").exit_code == 0
    assert json.loads(room.run("vault", "show", "--json").stdout)["keys"][-2]["stage"] == "distrusted"


def test_check_finds_a_key_that_was_exchanged(room: Room) -> None:
    room.done()
    folder = room.home / "vault"
    (folder / "receipt.key").write_bytes((folder / "policy.key").read_bytes())
    assert refusal(room.run("vault", "check")) == "vault_changed"


def test_check_warns_before_a_certificate_ends(room: Room) -> None:
    room.done()
    room.clock.advance(timedelta(days=18 * 365 + 10))
    assert "rotate content now" in room.run("vault", "check").stdout
