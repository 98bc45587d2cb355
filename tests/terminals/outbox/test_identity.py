from pathlib import Path
from uuid import UUID

import pytest

from crypto import keys
from terminals.outbox import Newcomer, NotEnrolled, OutboxForeign, enrolment_key, load_identity, save_identity
from terminals.settings import TerminalKind

NEWCOMER = Newcomer(UUID("01890a5d-ac96-774b-bcce-b302099a8057"), b"certificate", "receipt abc")


def test_a_terminal_that_was_never_enrolled_says_how_to_enrol_it(tmp_path: Path) -> None:
    with pytest.raises(NotEnrolled, match="--enrol-code"):
        load_identity(tmp_path)


def test_the_key_is_made_once_so_that_a_lost_enrolment_can_be_asked_for_again(tmp_path: Path) -> None:
    first, second = enrolment_key(tmp_path), enrolment_key(tmp_path)
    assert keys.spki(first.public_key) == keys.spki(second.public_key)
    assert (tmp_path / "terminal-key.pem").stat().st_mode & 0o077 == 0


def test_an_identity_is_read_back_as_it_was_saved(tmp_path: Path) -> None:
    signer = enrolment_key(tmp_path)
    save_identity(tmp_path, TerminalKind.KIOSK, "Hall 1", NEWCOMER)
    identity = load_identity(tmp_path)
    assert (identity.device_id, identity.kind, identity.name) == (NEWCOMER.device_id, TerminalKind.KIOSK, "Hall 1")
    assert (identity.certificate, identity.city_keys) == (b"certificate", "receipt abc")
    assert keys.spki(identity.signer.public_key) == keys.spki(signer.public_key)


def test_a_damaged_identity_is_refused(tmp_path: Path) -> None:
    enrolment_key(tmp_path)
    save_identity(tmp_path, TerminalKind.KIOSK, "Hall 1", NEWCOMER)
    (tmp_path / "terminal.json").write_text('{"device_id": 5}')
    with pytest.raises(OutboxForeign):
        load_identity(tmp_path)
