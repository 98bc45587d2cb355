import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from crypto import tlog
from crypto.errors import CryptoError, InvalidSignature, MalformedMessage
from crypto.keys import Ed25519Signer
from crypto.tlog import Checkpoint, NoteSigner, NoteVerifier

# C2SP signed-note, "Example": the key and note that golang.org/x/mod/sumdb/note documents too
VERIFIER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PRIVATE_KEY = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
NOTE = f"{TEXT}\n\N{EM DASH} PeterNeumann {SIGNATURE}\n"

CITY = NoteSigner("city.example/log", Ed25519Signer.from_secret(1))
WITNESS = NoteSigner("witness.example", Ed25519Signer.from_secret(2))
CHECKPOINT = Checkpoint("city.example/log", 3, bytes(range(32)))


def test_the_example_of_the_specification_opens() -> None:
    verifier = NoteVerifier.parse(VERIFIER)
    assert tlog.open_note(NOTE, [verifier]) == (TEXT, verifier)
    assert verifier.format() == VERIFIER


def test_we_sign_the_example_as_its_author_did() -> None:
    seed = base64.b64decode(PRIVATE_KEY)[1:]
    signer = NoteSigner("PeterNeumann", Ed25519Signer(Ed25519PrivateKey.from_private_bytes(seed)))
    assert tlog.sign_note(TEXT, [signer]) == NOTE


@pytest.mark.parametrize("position", range(len(NOTE)))
def test_no_changed_character_goes_unnoticed(position: int) -> None:
    changed = NOTE[:position] + chr(ord(NOTE[position]) ^ 1) + NOTE[position + 1 :]
    with pytest.raises(CryptoError):
        tlog.open_note(changed, [NoteVerifier.parse(VERIFIER)])


@pytest.mark.parametrize("end", range(len(VERIFIER)))
def test_a_cut_verifier_key_is_refused(end: int) -> None:
    with pytest.raises(MalformedMessage):
        NoteVerifier.parse(VERIFIER[:end])


@pytest.mark.parametrize(
    "text",
    [
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",  # another key's hash
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",  # capitals
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",  # a blank
        "PeterNeumann+c74f20a3+AhpNf2Ua",  # another type
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TX",  # bits behind the end
    ],
)
def test_other_verifier_keys_are_refused(text: str) -> None:
    with pytest.raises(MalformedMessage):
        NoteVerifier.parse(text)


def test_a_witness_signature_is_passed_over_by_who_does_not_know_the_witness() -> None:
    note = tlog.sign_checkpoint(CHECKPOINT, [WITNESS, CITY])
    assert tlog.open_checkpoint(note, [CITY.verifier]) == CHECKPOINT


def test_a_note_of_strangers_is_refused() -> None:
    note = tlog.sign_checkpoint(CHECKPOINT, [WITNESS])
    with pytest.raises(InvalidSignature, match="trusted"):
        tlog.open_checkpoint(note, [CITY.verifier])
    with pytest.raises(InvalidSignature):
        tlog.open_checkpoint(note, [])


def test_a_key_of_the_same_name_does_not_sign_for_the_city() -> None:
    impostor = NoteSigner(CITY.name, Ed25519Signer.from_secret(9))
    with pytest.raises(InvalidSignature):
        tlog.open_checkpoint(tlog.sign_checkpoint(CHECKPOINT, [impostor]), [CITY.verifier])


def test_a_checkpoint_is_of_the_log_whose_key_signed_it() -> None:
    with pytest.raises(MalformedMessage, match="another log"):
        tlog.open_checkpoint(tlog.sign_checkpoint(CHECKPOINT, [WITNESS]), [WITNESS.verifier])


def test_a_checkpoint_reads_as_the_specification_writes_it() -> None:
    assert CHECKPOINT.encode() == "city.example/log\n3\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
    assert Checkpoint.decode(CHECKPOINT.encode()) == CHECKPOINT
    extended = Checkpoint("city.example/log", 3, bytes(32), ("a line of somebody else",))
    assert Checkpoint.decode(extended.encode()) == extended


@pytest.mark.parametrize(
    "text",
    [
        "",
        "city.example/log\n3\n",
        "city.example/log\n3\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "city.example/log\n03\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        "city.example/log\n-3\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        "city.example/log\n+3\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        "city.example/log\n\N{ARABIC-INDIC DIGIT THREE}\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        "city.example/log\n3\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=\n",
        "city.example/log\n3\nAAEC\n",
        "city.example/log\n3\n!!!!\n",
        "\n3\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        "city.example/log\n3\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n",
    ],
)
def test_other_checkpoints_are_refused(text: str) -> None:
    with pytest.raises(MalformedMessage):
        Checkpoint.decode(text)


@pytest.mark.parametrize("text", ["", "no newline", "a\rb\n", "a\x00b\n"])
def test_a_text_that_is_no_notes_text_is_not_signed(text: str) -> None:
    with pytest.raises(MalformedMessage):
        tlog.sign_note(text, [CITY])


@pytest.mark.parametrize("note", ["", "text\n", "text\n\n", "text\n\n- name AAAA\n", "text\n\n\N{EM DASH} name AAAA\n"])
def test_a_note_without_signatures_is_refused(note: str) -> None:
    with pytest.raises(MalformedMessage):
        tlog.open_note(note, [CITY.verifier])
